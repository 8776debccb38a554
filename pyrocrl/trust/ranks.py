"""Simulation-based calibration: is the truth anywhere among draws of its posterior alike?

The prior itself draws edge rates, a graph, slopes and data. Over many such data sets the rank of a
true value among draws of its posterior is uniform if, and for these quantities only if, the
posterior is right: rates of edges (the continuous sites of the edge prior), a slope, and how many
edges there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyro.distributions as dist
import torch

from pyrocrl.posterior.collapse import collapse
from pyrocrl.scm import EdgePrior, GraphSpace, HierarchicalEdges, Nodes, SpikeAndSlab
from pyrocrl.structure import CyclicPosterior
from pyrocrl.structure.program_run import run_program
from pyrocrl.trust.clock import Clock

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
_GROUPS = ("a", "a", "b", "b", "c", "c")
_SUBJECTS = 200
_SLAB = 2.0
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
    rates, adjacency = _draw_graph(own, space, rng)
    z, slopes = _draw_data(adjacency, rng)
    clock = Clock()
    (posterior,) = collapse(z[None], space, own, rope=0.0, nonlinear=False, seed=seed).posteriors
    assert posterior is not None
    assert not isinstance(posterior, CyclicPosterior)
    taken = clock.read()
    drawn = posterior.sample(DRAWS, rng)
    drawn_rates = posterior.edge_rates(DRAWS, rng)
    rank = partial(_rank, rng)
    return {
        "prior": prior,
        "order": order,
        "seed": seed,
        "rate": rank(rates[_EDGE], drawn_rates[:, *_EDGE]),
        "rate of another pair": rank(rates[_OTHER_EDGE], drawn_rates[:, *_OTHER_EDGE]),
        "slope": rank(slopes[_EDGE], drawn.effect[:, *_EDGE]),
        "edges": rank(adjacency.sum(), drawn.adjacency.sum((1, 2))),
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


def _draw_graph(
    prior: EdgePrior, space: GraphSpace, rng: np.random.Generator
) -> tuple[FloatArray, BoolArray]:
    """Edge rates and an acyclic graph; rates and graph are drawn anew where it has a cycle."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        while True:
            rates = run_program(prior, space, 1).probabilities[0]
            adjacency = rng.random(rates.shape) < rates
            if not np.linalg.matrix_power(adjacency.astype(np.int64), len(rates)).any():
                return rates, adjacency


def _draw_data(adjacency: BoolArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Standardised nodes, and slopes in standard deviations of child and parent.

    Slopes are normal in standard deviations of the child's noise, as the slab has them.
    """
    size = len(adjacency)
    z, slopes = np.zeros((_SUBJECTS, size)), np.zeros((size, size))
    left = set(range(size))
    while left:
        child = next(k for k in left if not left & set(np.flatnonzero(adjacency[k])))
        left.remove(child)
        weights = adjacency[child] * rng.normal(0.0, _SLAB, size)
        raw = z @ weights + rng.standard_normal(_SUBJECTS)
        z[:, child] = (raw - raw.mean()) / raw.std()
        slopes[child] = weights / raw.std()
    return z, slopes


def _rank(rng: np.random.Generator, true: float, draws: npt.NDArray[Any]) -> int:
    """How many draws are smaller; among equal ones the place is drawn."""
    ties = int(np.isclose(draws, true, rtol=1e-9, atol=0).sum())
    smaller = int(((draws < true) & ~np.isclose(draws, true, rtol=1e-9, atol=0)).sum())
    return smaller + int(rng.integers(ties + 1))
