"""An edge prior made sparser or denser, or its slab narrower or wider, whatever program it is."""

from __future__ import annotations

from typing import Any

import pyro.distributions as dist
import torch
from pyro.poutine.messenger import Messenger

from pyrocrl.errors import PriorError
from pyrocrl.scm.graph_space import GraphSpace
from pyrocrl.scm.priors import EdgePrior, describe, slab_of
from pyrocrl.scm.programs import adjacency_site

__all__ = ["VariedPrior", "varied_priors"]

_ODDS, _WIDTH = 3.0, 2.0
# What stretches a slab: the scale of most distributions, the widths of a mixture of normals.
_STRETCHED = {"scale", "widths"}


class VariedPrior:
    """The same edge prior with other odds of the edges, or another width of the slab.

    Args:
        prior: any edge prior.
        odds: factor of the odds of every edge, whatever else the prior draws.
        width: factor of the slab's scale.

    Raises:
        PriorError: if the width is to change and the slab has no scale.

    Example:
        >>> from pyrocrl.scm.priors import SpikeAndSlab
        >>> VariedPrior(SpikeAndSlab(0.1, slab=2.0), width=0.5).slab
        Normal(loc: 0.0, scale: 1.0)
    """

    def __init__(self, prior: EdgePrior, odds: float = 1.0, width: float = 1.0) -> None:
        self.prior, self.odds = prior, odds
        self.slab = slab_of(prior)
        if width != 1.0:
            own = {name: getattr(self.slab, name) for name in self.slab.arg_constraints}
            if not own.keys() & _STRETCHED:
                raise PriorError(f"edge prior {describe(prior)}: its slab has no scale to change")
            stretched = {name: own[name] * width for name in own.keys() & _STRETCHED}
            self.slab = type(self.slab)(**{**own, **stretched})

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """Draw an adjacency, as the prior does but for the odds."""
        with _ScaledOdds(self.odds):
            return self.prior(space)


class _ScaledOdds(Messenger):
    """Multiplies the odds of Bernoulli sites."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def _pyro_sample(self, message: Any) -> None:
        edges = message["fn"]
        base = getattr(edges, "base_dist", edges)
        if isinstance(base, dist.Bernoulli):
            scaled = base.probs * self.factor
            scaled = scaled / (scaled + 1 - base.probs)
            message["fn"] = dist.Bernoulli(scaled).to_event(edges.event_dim)


def varied_priors(prior: EdgePrior, space: GraphSpace) -> dict[str, EdgePrior]:
    """What one may hold against a prior: edges too rare or too frequent, slabs too narrow or wide.

    Args:
        prior: any edge prior.
        space: the possible graphs.

    Returns:
        `sparser` and `denser` (odds of every edge a third, and three times), if the prior draws its
        edges; `narrower slab` and `wider slab` (half the scale, and twice), if its slab has one.
    """
    varied: dict[str, EdgePrior] = {}
    with torch.random.fork_rng(devices=[]):
        site, _ = adjacency_site(prior, space)
    if site is not None:
        varied |= {
            "sparser": VariedPrior(prior, odds=1 / _ODDS),
            "denser": VariedPrior(prior, odds=_ODDS),
        }
    if slab_of(prior).arg_constraints.keys() & _STRETCHED:
        varied |= {
            "narrower slab": VariedPrior(prior, width=1 / _WIDTH),
            "wider slab": VariedPrior(prior, width=_WIDTH),
        }
    return varied
