"""The posterior over all acyclic graphs by summing over them, for up to twelve nodes a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from pyrocrl.structure._arrays import BoolArray, FloatArray, IntArray
from pyrocrl.structure.children import Child
from pyrocrl.structure.edge_prior import EdgePriorMixture
from pyrocrl.structure.graph_blocks import GraphSum, blocks_of
from pyrocrl.structure.graph_posterior import GraphPool, GraphPosterior, graphs_of, no_graph
from pyrocrl.structure.graph_prior import GraphPrior
from pyrocrl.structure.prior_clusters import cluster_components

__all__ = ["DagMixture", "sum_graphs"]

# Steps of the sums over graphs, and the largest number of sums.
_STEPS = 1 << 25
_MAX_SUMS = 16
_POOL = 10_000
_NEGLIGIBLE = 1e-9


@dataclass(frozen=True, eq=False)
class DagMixture:
    """A mixture of distributions over graphs.

    Attributes:
        sums: The components.
        weights: Their probabilities, (component,).
    """

    sums: Sequence[GraphSum]
    weights: FloatArray

    def set_probability(self) -> list[FloatArray]:
        """Probability of every parent set of each child, (set,) each."""
        total: list[FloatArray] = []
        for dags, weight in zip(self.sums, self.weights, strict=True):
            if weight > 0:
                own = [weight * probability for probability in dags.set_probability()]
                total = [a + b for a, b in zip(total, own, strict=True)] if total else own
        return total

    def sample(self, draws: int, rng: np.random.Generator) -> IntArray:
        """Rows of the drawn parent sets among those of each child, (draw, child)."""
        counts = rng.multinomial(draws, self.weights)
        rows = [
            dags.sample(int(n), rng) for dags, n in zip(self.sums, counts, strict=True) if n > 0
        ]
        return rng.permutation(np.concatenate(rows))


def sum_graphs(
    children: Sequence[Child],
    prior: EdgePriorMixture,
    possible: BoolArray,
    rng: np.random.Generator,
) -> GraphPosterior:
    """Sum over all acyclic graphs.

    Every component of the prior takes a sum of its own. Where there are more components than can
    be afforded, like ones are merged into their mean; graphs are drawn from the sums over these,
    and what they tell is put right by weights, prior over merged prior.

    Args:
        children: The children with their parent sets.
        prior: The edge prior.
        possible: Edges that matter, (child, parent).
        rng: Source of randomness, where weights are needed.

    Returns:
        The posterior; its log evidence is minus infinity if no graph is possible.
    """
    blocks = blocks_of(possible)
    n_sums = max(1, min(_MAX_SUMS, _STEPS >> (2 * max(map(len, blocks)))))
    clusters = cluster_components(prior, possible, n_sums)
    merged = clusters.prior
    sets = [child.scores.sets.membership for child in children]
    sums, log_joint = [], np.empty(len(merged.log_weights))
    for k, probabilities in enumerate(merged.probabilities):
        rows = [child.log_posterior(probabilities[[child.scores.child]])[0] for child in children]
        sums.append(GraphSum(sets, rows, blocks))
        log_joint[k] = merged.log_weights[k] + sums[-1].log_total
    log_evidence = float(logsumexp(log_joint))
    if log_evidence == -np.inf:
        return no_graph(children)

    weights = np.exp(log_joint - log_evidence)
    weights = np.where(weights > _NEGLIGIBLE, weights, 0.0)
    weights /= weights.sum()
    mixture = DagMixture(sums, weights)
    set_probability = mixture.set_probability()
    if clusters.exact:
        components = weights[clusters.label] * clusters.share
        return GraphPosterior(log_evidence, components, set_probability, mixture)
    exact = GraphPosterior(log_evidence, weights, set_probability, mixture)
    return _put_right(exact, merged, prior, children, possible, rng)


def _put_right(
    merged_posterior: GraphPosterior,
    merged: EdgePriorMixture,
    prior: EdgePriorMixture,
    children: Sequence[Child],
    possible: BoolArray,
    rng: np.random.Generator,
) -> GraphPosterior:
    """The posterior under a prior, from the exact one under a prior that is close to it."""
    drawn = merged_posterior.sampler.sample(_POOL, rng)
    rows, counts = np.unique(drawn, axis=0, return_counts=True)
    adjacency = graphs_of(children, rows)
    target = GraphPrior(prior, possible)
    log_ratio = target.log_probability(adjacency)
    log_ratio -= GraphPrior(merged, possible).log_probability(adjacency)
    unweighted = GraphPool(rows, counts / counts.sum())
    ratio = np.exp(log_ratio - log_ratio.max()) * unweighted.weights
    pool = GraphPool(rows, ratio / ratio.sum())
    # Equal graphs share their weight: the effective number is that of draws.
    per_draw = np.repeat(pool.weights / counts, counts)
    return GraphPosterior(
        log_evidence=merged_posterior.log_evidence + float(np.log(ratio.sum()) + log_ratio.max()),
        components=target.components(adjacency, pool.weights),
        set_probability=pool.in_place_of(unweighted, merged_posterior.set_probability),
        sampler=pool,
        ess=float(1 / (per_draw**2).sum()),
    )
