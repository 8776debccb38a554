"""Priors over edges: spike and slab, Laplace, or any Pyro program that returns an adjacency.

An edge prior is a callable. It takes the `GraphSpace`, makes its `pyro.sample` statements and
returns an adjacency `A[..., child, parent]` of zeros and ones (`GraphSpace.admit` then drops what
is forbidden and adds what is required). It may have an attribute `slab`, the distribution of an
edge's weight; without one the slab is that of `SpikeAndSlab`. Nothing needs to be subclassed:

    def hierarchical(space):
        rate = pyro.sample("rate", dist.Beta(1, 9))
        return pyro.sample("adjacency", space.edges(rate))

The program runs inside the chain plate: what it draws has the leading shape (chain, 1), so index
from the right.
"""

from __future__ import annotations

import reprlib
from collections.abc import Collection
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyro
import pyro.distributions as dist
import torch
from pyro import poutine

from pyrocrl.errors import PriorError
from pyrocrl.scm.graph_space import GraphSpace

__all__ = [
    "EdgePrior",
    "LaplaceEdges",
    "SpikeAndSlab",
    "adjacency_site",
    "check_in_plate",
    "describe",
    "slab_of",
]


@runtime_checkable
class EdgePrior(Protocol):
    """Any callable that takes a `GraphSpace` and returns an adjacency."""

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """Draw an adjacency, (..., child, parent)."""
        ...


class SpikeAndSlab:
    """Every edge is absent (spike) or has a normal weight (slab), independently.

    Args:
        probability: prior inclusion probability of every allowed edge, between 0 and 1; a
            (D, D) array gives each edge its own, `[child, parent]`.
        slab: standard deviation of an edge's linear weight, in standard deviations of the nodes.

    Raises:
        PriorError: if the probability is not between 0 and 1 or the slab not positive.

    Example:
        >>> SpikeAndSlab(probability=0.2)
        SpikeAndSlab(probability=0.2, slab=2)
    """

    def __init__(
        self, probability: float | np.ndarray | torch.Tensor = 0.1, slab: float = 2.0
    ) -> None:
        try:
            numbers = np.asarray(probability, dtype=np.float64)
        except (TypeError, ValueError, RuntimeError):
            raise PriorError(
                "SpikeAndSlab: probability must be one number or a (child, parent) matrix of "
                f"numbers, not {reprlib.repr(probability)}"
            ) from None
        self.probability = torch.tensor(numbers, dtype=torch.get_default_dtype())
        if not bool(((self.probability >= 0) & (self.probability <= 1)).all()):
            raise PriorError(
                f"SpikeAndSlab: probability must be between 0 and 1, not {probability}"
            )
        if self.probability.ndim not in (0, 2):
            raise PriorError(
                "SpikeAndSlab: probability must be one number or a (child, parent) matrix, "
                f"not of shape {tuple(self.probability.shape)}"
            )
        _check_positive(slab, "SpikeAndSlab: slab")
        self.slab = dist.Normal(0.0, float(slab))

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """Draw an adjacency: independent Bernoulli edges."""
        size = len(space.nodes)
        if self.probability.ndim == 2 and self.probability.shape != (size, size):
            raise PriorError(
                f"SpikeAndSlab: probability has shape {tuple(self.probability.shape)}, but there "
                f"are {size} nodes: it must be ({size}, {size}), rows children, columns parents"
            )
        adjacency: torch.Tensor = pyro.sample("adjacency", space.edges(self.probability))
        return adjacency

    def __repr__(self) -> str:
        p = f"{float(self.probability):.4g}" if self.probability.ndim == 0 else "<matrix>"
        return f"SpikeAndSlab(probability={p}, slab={float(self.slab.scale):g})"


class LaplaceEdges:
    """Every allowed edge is present with a Laplace weight: the L1 penalty of the papers as a prior.

    No edge is ever exactly absent, so what the report calls an edge is one stronger than the
    region of practical equivalence (`rope`).

    Args:
        scale: of the Laplace distribution of an edge's linear weight.

    Raises:
        PriorError: if the scale is not positive.

    Source: Sun et al. (2025), section 5, "Sparsity regularization".

    Example:
        >>> LaplaceEdges(0.3)
        LaplaceEdges(scale=0.3)
    """

    def __init__(self, scale: float = 0.5) -> None:
        _check_positive(scale, "LaplaceEdges: scale")
        self.scale = float(scale)
        self.slab = dist.Laplace(0.0, self.scale)

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """The full adjacency: every allowed edge is there."""
        return space.admit(torch.ones(len(space.nodes), len(space.nodes)))

    def __repr__(self) -> str:
        return f"LaplaceEdges(scale={self.scale:g})"


def slab_of(prior: EdgePrior, device: torch.device | str = "cpu") -> dist.TorchDistribution:
    """The distribution of an edge's weight under `prior`; Normal(0, 2) if it states none.

    Args:
        prior: the edge prior.
        device: where the distribution is to live.

    Raises:
        PriorError: if the prior's `slab` is no distribution of one number.
    """
    slab = getattr(prior, "slab", dist.Normal(0.0, 2.0))
    is_distribution = isinstance(slab, torch.distributions.Distribution)
    if not is_distribution or slab.batch_shape or slab.event_shape:
        raise PriorError(
            f"edge prior {describe(prior)}: slab must be a distribution of one number, such as "
            f"dist.Normal(0.0, 2.0), not {slab!r}"
        )
    parameters = {name: getattr(slab, name) for name in slab.arg_constraints}
    if all(value.device == torch.device(device) for value in parameters.values()):
        return slab
    return type(slab)(**{name: value.to(device) for name, value in parameters.items()})


def describe(prior: EdgePrior) -> str:
    """The prior in a few words, for reports."""
    if isinstance(prior, SpikeAndSlab | LaplaceEdges):
        return repr(prior)
    return str(getattr(prior, "__name__", type(prior).__name__))


def adjacency_site(prior: EdgePrior, space: GraphSpace) -> tuple[str | None, dict[str, Any]]:
    """The sample site that is the adjacency, and the trace of one run of the program.

    Returns:
        The name of the Bernoulli site whose value the program returns (None if it returns a
        constant adjacency and draws nothing), and the trace's sample sites.

    Raises:
        PriorError: if the program fails, returns no (D, D) adjacency, or its edges are not the
            value of one Bernoulli site of that shape.
    """
    name, size = describe(prior), len(space.nodes)
    with pyro.validation_enabled(False):
        try:
            trace = poutine.trace(prior).get_trace(space)
        except PriorError:
            raise
        except Exception as error:
            raise PriorError(
                f"edge prior {name} failed when it was called: {_first_line(error)}"
            ) from error
    returned = trace.nodes["_RETURN"]["value"]
    if not isinstance(returned, torch.Tensor) or returned.shape[-2:] != (size, size):
        shape = tuple(returned.shape) if isinstance(returned, torch.Tensor) else type(returned)
        raise PriorError(
            f"edge prior {name} must return an adjacency of shape ({size}, {size}), "
            f"rows children, columns parents, not {shape}"
        )
    sites = {
        site_name: site
        for site_name, site in trace.nodes.items()
        if site["type"] == "sample" and not type(site["fn"]).__name__.startswith("_")
    }
    discrete = [n for n, site in sites.items() if site["fn"].support.is_discrete]
    edges = space.admit(returned)
    if not discrete:
        if sites or not bool(((edges == 0) | (edges == 1)).all()):
            raise PriorError(
                f"edge prior {name} must draw its edges: return the value of "
                "pyro.sample('adjacency', space.edges(probability))"
            )
        return None, sites
    for site_name in discrete:
        site = sites[site_name]
        is_bernoulli = isinstance(getattr(site["fn"], "base_dist", site["fn"]), dist.Bernoulli)
        is_matrix = site["value"].shape[-2:] == (size, size)
        if not (is_bernoulli and is_matrix and len(discrete) == 1):
            continue
        if torch.equal(space.admit(site["value"]), edges):
            return site_name, sites
    raise PriorError(
        f"edge prior {name}: the adjacency must be the value of one Bernoulli site of shape "
        f"({size}, {size}), as in pyro.sample('adjacency', space.edges(probability)); "
        f"discrete sites found: {', '.join(discrete)}"
    )


def check_in_plate(prior: EdgePrior, space: GraphSpace, taken: Collection[str]) -> None:
    """Refuse a program that cannot run inside the plate of chains, as the model runs it.

    Args:
        prior: any edge prior.
        space: the possible graphs.
        taken: names of sites that the model needs for itself.

    Raises:
        PriorError: if the program is no edge prior, uses a name that is taken, or its shapes do not
            go with the plate.
    """
    name, chains, size = describe(prior), 3, len(space.nodes)
    with torch.random.fork_rng(devices=[]):
        _, sites = adjacency_site(prior, space)
        for site in sites:
            if site in taken:
                raise PriorError(
                    f"edge prior {name}: the model has a site {site!r} of its own; give the "
                    "prior's site another name"
                )
        try:
            with pyro.validation_enabled(True), pyro.plate("chain", chains, dim=-2):
                drawn = poutine.trace(prior).get_trace(space)
            drawn.compute_log_prob()
            space.admit(drawn.nodes["_RETURN"]["value"]).expand(chains, 1, size, size)
        except Exception as error:
            raise PriorError(
                f"edge prior {name} cannot run for several chains at once: {_first_line(error)}; "
                "inside the plate every draw has the leading shape (chain, 1), so index from the "
                "right, and what belongs together needs .to_event"
            ) from error
        for site in sites:
            shape = tuple(drawn.nodes[site]["fn"].batch_shape)
            if shape != (chains, 1):
                raise PriorError(
                    f"edge prior {name}: site {site!r} has batch shape {shape} for {chains} "
                    f"chains, not ({chains}, 1); what belongs together needs .to_event"
                )


def _check_positive(value: Any, what: str) -> None:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not is_number or not 0 < value < np.inf:
        raise PriorError(f"{what} must be positive, not {value!r}")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
