"""What is known of the graphs once a sum over them, or a Markov chain, has been run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import logsumexp

from pyrocrl.structure._arrays import BoolArray, FloatArray, IntArray
from pyrocrl.structure.children import Child
from pyrocrl.structure.graph_prior import GraphPrior

__all__ = ["GraphPool", "GraphPosterior", "GraphSampler", "graphs_of", "no_graph", "pool_chains"]


# Graphs that are met in two of these stretches of a chain are met again and again.
_STRETCHES = 8


class GraphSampler(Protocol):
    """Something that draws graphs."""

    def sample(self, draws: int, rng: np.random.Generator) -> IntArray:
        """Rows of the drawn parent sets among those of each child, (draw, child)."""
        ...


@dataclass(frozen=True, eq=False)
class GraphPool:
    """Weighted draws of graphs, to draw from again.

    Attributes:
        rows: Rows of the parent sets of each graph, (graph, child).
        weights: Probability of each, (graph,).
    """

    rows: IntArray
    weights: FloatArray

    def sample(self, draws: int, rng: np.random.Generator) -> IntArray:
        """Draw graphs of the pool, with replacement."""
        return self.rows[rng.choice(len(self.rows), size=draws, p=self.weights)]

    def largest(self, share: float) -> GraphPool:
        """The most probable graphs, as many as have this share together."""
        order = np.argsort(-self.weights, kind="stable")
        n_kept = int(np.searchsorted(self.weights[order].cumsum(), share)) + 1
        kept = order[:n_kept]
        return GraphPool(self.rows[kept], self.weights[kept] / self.weights[kept].sum())

    def set_probability(self, n_sets: list[int]) -> list[FloatArray]:
        """Share of every parent set of each child, (set,) each."""
        return [
            np.bincount(rows, self.weights, n).astype(np.float64)
            for rows, n in zip(self.rows.T, n_sets, strict=True)
        ]

    def in_place_of(self, drawn: GraphPool, exact: Sequence[FloatArray]) -> list[FloatArray]:
        """Probabilities of parent sets under this pool, only their difference being simulated.

        Args:
            drawn: Draws from a posterior, from which this pool was made.
            exact: Probability of every parent set of each child under that posterior.

        Returns:
            The same under this pool, (set,) each.
        """
        n_sets = [len(probability) for probability in exact]
        pairs = zip(self.set_probability(n_sets), drawn.set_probability(n_sets), strict=True)
        corrected = [
            (known + new - old).clip(min=0) for known, (new, old) in zip(exact, pairs, strict=True)
        ]
        return [probability / probability.sum() for probability in corrected]


@dataclass(frozen=True, eq=False)
class GraphPosterior:
    """A posterior over graphs, exact or by simulation.

    Attributes:
        log_evidence: Log sum over acyclic graphs of prior times evidence, in nats.
        components: Posterior probability of the components of the edge prior, (component,).
        set_probability: Posterior probability of every parent set of each child, (set,) each.
        sampler: Draws graphs.
        ess: Effective number of graphs that the answer rests on; infinity where it is exact.
        spread: Largest difference between Markov chains in an edge's probability; 0 without any.
    """

    log_evidence: float
    components: FloatArray
    set_probability: list[FloatArray]
    sampler: GraphSampler
    ess: float = np.inf
    spread: float = 0.0


def no_graph(children: Sequence[Child]) -> GraphPosterior:
    """The answer where no graph is possible."""
    pool = GraphPool(np.zeros((0, len(children)), dtype=np.int64), np.zeros(0))
    return GraphPosterior(-np.inf, np.zeros(0), [], pool)


def graphs_of(children: Sequence[Child], rows: IntArray) -> BoolArray:
    """Adjacency of graphs, (graph, child, parent), from rows of parent sets, (graph, child)."""
    return np.stack(
        [child.scores.sets.membership[own] for child, own in zip(children, rows.T, strict=True)],
        axis=1,
    )


def pool_chains(
    children: Sequence[Child],
    drawn: Sequence[IntArray],
    log_joint: Callable[[IntArray], FloatArray],
    graph_prior: GraphPrior,
) -> GraphPosterior:
    """What Markov chains over graphs say together.

    Graphs that are met again and again are weighted by their posterior, which is known up to one
    factor: chains that stay in places of unlike probability then do not count alike. Together they
    have the share of the draws that they make up; the others count as often as they are drawn.

    Args:
        children: The children with their parent sets.
        drawn: Rows of the parent sets of each chain's graphs, (draw, child) each.
        log_joint: Log prior plus log evidence of graphs given by such rows, (graph,).
        graph_prior: The edge prior.

    Returns:
        The posterior.
    """
    n_draws = [len(rows) for rows in drawn]
    stretch = np.concatenate(
        [k * _STRETCHES + np.arange(n) * _STRETCHES // n for k, n in enumerate(n_draws)]
    )
    rows, graph, counts = np.unique(
        np.concatenate(drawn), axis=0, return_inverse=True, return_counts=True
    )
    visits = np.unique(np.stack([graph.reshape(-1), stretch]), axis=1)
    known = np.bincount(visits[0], minlength=len(rows)) > 1
    joint = log_joint(rows)
    weights = counts / counts.sum()
    log_evidence = float(logsumexp(joint))
    if known.any():
        share, log_known = weights[known].sum(), float(logsumexp(joint[known]))
        weights[known] = share * np.exp(joint[known] - log_known)
        weights /= weights.sum()
        log_evidence = log_known - float(np.log(share))
    pool = GraphPool(rows, weights)
    shares = np.stack([graphs_of(children, own).mean(axis=0) for own in drawn])
    return GraphPosterior(
        log_evidence=log_evidence,
        components=graph_prior.components(graphs_of(children, rows), weights),
        set_probability=pool.set_probability([len(child.scores.sets) for child in children]),
        sampler=pool,
        ess=_effective_draws(shares, sum(n_draws)),
        spread=float(np.ptp(shares, axis=0).max()),
    )


def _effective_draws(shares: FloatArray, draws: int) -> float:
    """Independent draws that would differ as much as the chains do, shares (chain, edge...)."""
    if len(shares) < 2:
        return float(draws)
    mean = shares.mean(axis=0)
    variance = shares.var(axis=0, ddof=1).sum() / len(shares)
    expected = float((mean * (1 - mean)).sum())
    return float(min(draws, expected / variance)) if variance > 0 else float(draws)
