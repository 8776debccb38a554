"""Simulation-based calibration: is the truth anywhere among draws of its posterior alike?

The prior itself draws edge rates, a graph, slopes, noise and data. Over many such data sets the
rank of a true value among draws of its posterior is uniform if, and for these quantities only if,
the posterior is right: rates of edges (the continuous sites of the edge prior), a slope, and how
many edges there are.

Data come with mean 0 and variance 1, as the posterior takes them. Conditioned on that, a child's
noise variance v is one over the variance that its parents and noise of variance 1 make up, and what
was drawn counts with the density of v in its prior, times v (from variance to noise variance), over
the root of v (the density of a mean of 0). One of many draws is taken by these weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyro.distributions as dist
import torch
from scipy.special import gammaln

from pyrocrl.clock import Clock
from pyrocrl.scm import EdgePrior, GraphSpace, HierarchicalEdges, Nodes, SpikeAndSlab
from pyrocrl.structure import (
    GAUSSIAN,
    EdgePriorMixture,
    KnownOrderPosterior,
    NormalInverseGamma,
    UnknownOrderPosterior,
)
from pyrocrl.structure.mechanism_prior import LINEAR
from pyrocrl.structure.program_prior import independent_edge_mixture
from pyrocrl.structure.program_run import run_program

__all__ = ["COLUMNS", "DRAWS", "KEY", "PRIORS", "QUANTITIES", "measure"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

QUANTITIES = ("rate", "rate of another pair", "slope", "edges")
KEY = ("prior", "order", "seed")
COLUMNS = (*KEY, *QUANTITIES, "prior_ess", "seconds", "cpu_seconds")
DRAWS = 99

PRIORS: Mapping[str, EdgePrior] = {
    "one rate": SpikeAndSlab(dist.Beta(1.0, 4.0)),
    "a rate for each pair of modalities": HierarchicalEdges(dist.Beta(2.0, 6.0)),
}
_GROUPS = ("a", "a", "b", "b")
_SUBJECTS = 100
_CANDIDATES = 8000
# A slope and rates of edges between and inside modalities, (child, parent).
_EDGE, _OTHER_EDGE = (2, 0), (1, 0)


def measure(prior: str, order: str, seed: int) -> dict[str, Any]:
    """Ranks of the truth in one data set, each from 0 to `DRAWS`.

    Args:
        prior: One of `PRIORS`.
        order: "modality" (known) or "learned".
        seed: Of truth, data and draws.

    Returns:
        The row.

    Source: Talts, Betancourt, Simpson, Vehtari and Gelman (2018), Validating Bayesian inference
    algorithms with simulation-based calibration.

    Example:
        >>> row = measure("one rate", "modality", 1000)
        >>> all(0 <= row[quantity] <= DRAWS for quantity in QUANTITIES)
        True
    """
    rng = np.random.default_rng([seed, *map(ord, prior + order)])
    own, space = PRIORS[prior], _space(order)
    truth = _draw(own, space, rng)
    clock = Clock()
    mixture = independent_edge_mixture(own, space, seed=seed)
    posterior = _fit(truth.z, space, mixture)
    taken = clock.read()
    drawn = posterior.sample(DRAWS, rng)
    drawn_rates = posterior.edge_rates(DRAWS, rng)
    rank = partial(_rank, rng)
    return {
        "prior": prior,
        "order": order,
        "seed": seed,
        "rate": rank(truth.rates[_EDGE], drawn_rates[:, *_EDGE]),
        "rate of another pair": rank(truth.rates[_OTHER_EDGE], drawn_rates[:, *_OTHER_EDGE]),
        "slope": rank(truth.slopes[_EDGE], drawn.effect[:, *_EDGE]),
        "edges": rank(truth.adjacency.sum(), drawn.adjacency.sum((1, 2))),
        "prior_ess": posterior.prior_ess,
        **taken,
    }


def _space(order: str) -> GraphSpace:
    size = len(_GROUPS)
    names = tuple(f"{group}.x{k}" for k, group in enumerate(_GROUPS))
    allowed = np.tri(size, k=-1, dtype=np.bool_)
    return GraphSpace(
        nodes=Nodes(names, _GROUPS, (False,) * size),
        order=np.arange(size),
        allowed=allowed if order == "modality" else allowed | allowed.T,
        required=np.zeros((size, size), dtype=np.bool_),
        probability=np.full((size, size), np.nan),
        rule=order,
    )


def _fit(
    z: FloatArray, space: GraphSpace, prior: EdgePriorMixture
) -> KnownOrderPosterior | UnknownOrderPosterior:
    if space.rule == "modality":
        return KnownOrderPosterior.fit(z, space.allowed, prior, rope=0.0, nonlinear=False)
    return UnknownOrderPosterior.fit(
        z, space.allowed, prior, rope=0.0, nonlinear=False, noise_laws=(GAUSSIAN,)
    )


def _mechanism_prior(space: GraphSpace) -> NormalInverseGamma:
    """The prior of slopes and noise that `_fit` has."""
    if space.rule == "modality":
        return LINEAR
    return replace(NormalInverseGamma.equivalent(), smooth=LINEAR.smooth)


@dataclass(frozen=True, eq=False)
class _Truth:
    """One draw from the prior.

    Attributes:
        rates: Of edges, (child, parent).
        adjacency: The graph, (child, parent).
        slopes: In standard deviations of child and parent, (child, parent).
        z: Standardised nodes, (subject, node).
    """

    rates: FloatArray
    adjacency: BoolArray
    slopes: FloatArray
    z: FloatArray


def _draw(prior: EdgePrior, space: GraphSpace, rng: np.random.Generator) -> _Truth:
    """Draw from the prior, given that the nodes have mean 0 and variance 1."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        rates = run_program(prior, space, _CANDIDATES).probabilities
    adjacency = rng.random(rates.shape) < rates
    walks = np.linalg.matrix_power(adjacency.astype(np.int64), rates.shape[-1])
    acyclic = ~walks.any(axis=(1, 2))
    rates, adjacency = rates[acyclic], adjacency[acyclic]
    mechanisms = _mechanism_prior(space)
    weights = adjacency * rng.normal(0.0, np.sqrt(mechanisms.linear), adjacency.shape)
    z, variance = _nodes(adjacency, weights, rng)
    log_weight = _log_density(variance, adjacency.sum(axis=2), mechanisms).sum(axis=1)
    chances = np.exp(log_weight - log_weight.max())
    one = rng.choice(len(chances), p=chances / chances.sum())
    slopes = weights[one] * np.sqrt(variance[one])[:, None]
    return _Truth(rates[one], adjacency[one], slopes, z[one])


def _nodes(
    adjacency: BoolArray, weights: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Standardised nodes of many graphs and the noise variance of each.

    Args:
        adjacency: Acyclic graphs, (graph, child, parent).
        weights: In standard deviations of the child's noise, likewise.
        rng: Source of randomness.

    Returns:
        Nodes, (graph, subject, node), and noise variances, (graph, node).
    """
    graphs, size, _ = weights.shape
    noise = rng.standard_normal((graphs, _SUBJECTS, size))
    z, variance = np.zeros_like(noise), np.ones((graphs, size))
    left = np.ones((graphs, size), dtype=np.bool_)
    while left.any():
        ready = left & ~(adjacency & left[:, None, :]).any(axis=2)
        raw = z @ weights.swapaxes(1, 2) + noise
        raw -= raw.mean(axis=1, keepdims=True)
        own = 1 / (raw**2).mean(axis=1)
        z = np.where(ready[:, None], raw * np.sqrt(own)[:, None], z)
        variance = np.where(ready, own, variance)
        left &= ~ready
    return z, variance


def _log_density(
    variance: FloatArray, parents: npt.NDArray[np.int64], prior: NormalInverseGamma
) -> FloatArray:
    """Log weight of noise variances, given that the nodes have mean 0 and variance 1."""
    shape = prior.shape + prior.shape_per_parent * parents
    log_prior = shape * np.log(prior.scale) - gammaln(shape)
    log_prior = log_prior - (shape + 1) * np.log(variance) - prior.scale / variance
    return np.asarray(log_prior + 0.5 * np.log(variance))


def _rank(rng: np.random.Generator, true: float, draws: npt.NDArray[Any]) -> int:
    """How many draws are smaller; among equal ones the place is drawn."""
    equal = np.isclose(draws, true, rtol=1e-9, atol=0)
    smaller = int(((draws < true) & ~equal).sum())
    return smaller + int(rng.integers(int(equal.sum()) + 1))
