"""The reported edges: graphs and mechanisms summed out given each chain's latents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from pyrocrl.posterior.alignment import Alignment
from pyrocrl.scm import EdgePrior, GraphSpace
from pyrocrl.scm.priors import slab_of, slab_widths
from pyrocrl.structure import (
    CyclicPosterior,
    EdgePriorMixture,
    KnownOrderPosterior,
    UnknownOrderPosterior,
)
from pyrocrl.structure.noise_laws import shape_tells
from pyrocrl.structure.prior_proposal import mixture_near
from pyrocrl.structure.program_prior import independent_edge_mixture

__all__ = ["Collapsed", "collapse", "expected_cost", "mean_probability"]

FloatArray = npt.NDArray[np.float64]
_ENOUGH_COMPONENTS = 200.0

GraphPosterior = KnownOrderPosterior | UnknownOrderPosterior | CyclicPosterior


@dataclass(frozen=True)
class Collapsed:
    """The collapsed posterior of every chain, each in its own order of nodes.

    Attributes:
        posteriors: one per chain; None where the chain has no finite latents.
        mixture: the edge prior as it entered.
        space: the graphs that were summed over.
    """

    posteriors: tuple[GraphPosterior | None, ...]
    mixture: EdgePriorMixture
    space: GraphSpace

    @property
    def prior_ess(self) -> float:
        """Smallest effective number of the prior's components over the chains."""
        return min(p.prior_ess for p in self.posteriors if p is not None)


def collapse(
    z: FloatArray,
    space: GraphSpace,
    prior: EdgePrior,
    *,
    rope: float,
    nonlinear: bool,
    seed: int,
) -> Collapsed:
    """Sum over all graphs and mechanisms, for each chain's node values.

    Latents of one modality have no order but that of their names, which each chain gives as it
    likes: edges between them may run either way, unless the prior makes them certain. As latents
    are estimates, their shape tells directions only as far as fits differ by the rope or more;
    likewise with variables of few values, which have no noise of any shape to go by.

    A prior with continuous sites enters as a mixture over draws of these; where fewer than 200 of
    them carry the weight, new ones are drawn where they do (see `mixture_near`).

    Args:
        z: (chain, subject, node), node values.
        space: the possible graphs.
        prior: the edge prior that the user declared.
        rope: strength below which an edge counts as none, nats per subject.
        nonlinear: whether mechanisms may bend.
        seed: of the draws of the prior's continuous sites, where it has any.
    """
    space, mixture = _graphs_summed_over(space, prior, seed)
    engine = _engine(space)
    fit = partial(
        engine.fit,
        allowed=space.allowed,
        rope=rope,
        nonlinear=nonlinear,
        slab=slab_widths(slab_of(prior)),
        required=space.required,
    )
    if engine is UnknownOrderPosterior and not _shapes_are_known(z[0], space):
        fit = partial(fit, shape_unit=rope)
    posteriors = tuple(
        _with_enough_components(fit, own, mixture, prior, space, seed)
        if np.isfinite(own).all() and (own.std(axis=0) > 1e-8).all()
        else None
        for own in z
    )
    return Collapsed(posteriors, mixture, space)


def expected_cost(collapsed: Collapsed, price: FloatArray) -> FloatArray:
    """Expected price of the edges under every chain's posterior, infinite where there is none.

    Args:
        collapsed: the posteriors.
        price: (child, parent), of each edge; ones count the edges.
    """
    return np.array(
        [np.inf if p is None else (price * p.probability).sum() for p in collapsed.posteriors]
    )


def mean_probability(
    collapsed: Collapsed, alignment: Alignment, kept: npt.NDArray[np.intp]
) -> FloatArray:
    """P(edge), the mean over the chains that count, (child, parent), aligned.

    Args:
        collapsed: the posteriors.
        alignment: of the chains.
        kept: the chains that count.
    """
    aligned = []
    for chain in kept:
        posterior = collapsed.posteriors[chain]
        assert posterior is not None
        aligned.append(np.asarray(alignment.edges(posterior.probability, chain), dtype=float))
    return np.asarray(np.mean(aligned, axis=0))


def _engine(space: GraphSpace) -> type[GraphPosterior]:
    if space.rule == "cyclic":
        return CyclicPosterior
    some_open = (space.allowed & space.allowed.T).any()
    return UnknownOrderPosterior if some_open else KnownOrderPosterior


def _shapes_are_known(z: FloatArray, space: GraphSpace) -> bool:
    """Whether all nodes, (subject, node), were measured, and finely."""
    return not any(space.nodes.is_latent) and all(shape_tells(values) for values in z.T)


def _graphs_summed_over(
    space: GraphSpace, prior: EdgePrior, seed: int
) -> tuple[GraphSpace, EdgePriorMixture]:
    """The graphs that are possible, edges inside a modality running either way, and their prior."""
    either_way = space.with_reversible()
    mixture = independent_edge_mixture(prior, either_way, seed=seed)
    inside = either_way.allowed & either_way.allowed.T
    if space.rule == "modality" and (mixture.probabilities[:, inside] == 1).any():
        return space, independent_edge_mixture(prior, space, seed=seed)
    return either_way, mixture


def _with_enough_components(
    fit: Callable[..., GraphPosterior],
    z: FloatArray,
    mixture: EdgePriorMixture,
    prior: EdgePrior,
    space: GraphSpace,
    seed: int,
) -> GraphPosterior:
    """The posterior; where few draws of the prior explain the data, with draws that do."""
    first = fit(z, prior=mixture)
    if len(mixture.log_weights) == 1 or first.prior_ess >= _ENOUGH_COMPONENTS:
        return first
    second = fit(z, prior=mixture_near(prior, space, first.inclusion, seed=seed))
    return second if second.prior_ess > first.prior_ess else first
