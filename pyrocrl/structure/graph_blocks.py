"""Sums over acyclic graphs where a part of the order of causes is known.

Nodes that no possible edges lead between both ways, directly or through others, stand in different
blocks, and no cycle joins two blocks. So a graph is acyclic if it is within each block, and the sum
over graphs is a product of sums over blocks, in which a child's parents outside count as they come.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyrocrl.structure._arrays import BoolArray, FloatArray, IntArray
from pyrocrl.structure.dag_sum import DagSum, node_masks

__all__ = ["GraphSum", "blocks_of"]


def blocks_of(possible: BoolArray) -> list[IntArray]:
    """The sets of nodes within which possible edges may close a cycle.

    Args:
        possible: Edges that may be, (child, parent).

    Returns:
        The nodes of each block, ascending; every node stands in one.

    Example:
        >>> possible = np.array([[0, 1, 0], [1, 0, 0], [1, 1, 0]], dtype=bool)
        >>> [block.tolist() for block in blocks_of(possible)]
        [[0, 1], [2]]
    """
    from scipy.sparse.csgraph import connected_components

    count, label = connected_components(possible, directed=True, connection="strong")
    blocks = [np.flatnonzero(label == k) for k in range(count)]
    return sorted(blocks, key=lambda block: int(block[0]))


class GraphSum:
    """The distribution over acyclic graphs whose weight is a product over children.

    Args:
        membership: Which nodes every parent set of each child holds, (set, node) each.
        log_weights: Their log weights, (set,) each; minus infinity rules a set out.
        blocks: Nodes among which edges may close a cycle, see `blocks_of`.

    Example:
        >>> pair = np.array([[0, 0], [0, 1]], dtype=bool), np.array([[0, 0], [1, 0]], dtype=bool)
        >>> either_way = GraphSum(pair, [np.zeros(2), np.zeros(2)], [np.arange(2)])
        >>> either_way.set_probability()[0].round(3)
        array([0.667, 0.333])
    """

    def __init__(
        self,
        membership: Sequence[BoolArray],
        log_weights: Sequence[FloatArray],
        blocks: Sequence[IntArray],
    ) -> None:
        self._n_sets = [len(weights) for weights in log_weights]
        self._blocks = [
            _BlockSum(
                block, [membership[node] for node in block], [log_weights[node] for node in block]
            )
            for block in blocks
        ]

    @property
    def log_total(self) -> float:
        """Log sum of the weights of all graphs; minus infinity if there is none."""
        return float(sum(block.dags.log_total for block in self._blocks))

    def set_probability(self) -> list[FloatArray]:
        """Probability of every parent set of each child, (set,) each."""
        probability = [np.zeros(n) for n in self._n_sets]
        for block in self._blocks:
            for node, own in zip(block.nodes, block.set_probability(), strict=True):
                probability[node] = own
        return probability

    def sample(self, draws: int, rng: np.random.Generator) -> IntArray:
        """Draw graphs independently.

        Args:
            draws: Number of draws.
            rng: Source of randomness.

        Returns:
            Rows of the drawn parent sets among those of each child, (draw, child).
        """
        rows = np.zeros((draws, len(self._n_sets)), dtype=np.int64)
        for block in self._blocks:
            rows[:, block.nodes] = block.sample(draws, rng)
        return rows


class _BlockSum:
    """The sum over the graphs of one block; its nodes' parent sets are grouped by those within.

    Attributes:
        nodes: The nodes of the block.
        dags: The sum over the graphs within, each with all that parents outside may be.
    """

    def __init__(
        self, nodes: IntArray, membership: Sequence[BoolArray], log_weights: Sequence[FloatArray]
    ) -> None:
        self.nodes = nodes
        self._group: list[IntArray] = []
        self._log_share: list[FloatArray] = []
        masks, totals = [], []
        for held, weights in zip(membership, log_weights, strict=True):
            within, group = np.unique(node_masks(held[:, nodes]), return_inverse=True)
            total = np.full(len(within), -np.inf)
            np.logaddexp.at(total, group, weights)
            reachable = np.where(total > -np.inf, total, 0.0)
            self._group.append(group)
            self._log_share.append(weights - reachable[group])
            masks.append(within)
            totals.append(total)
        self.dags = DagSum(masks, totals)

    def set_probability(self) -> list[FloatArray]:
        return [
            probability[group] * np.exp(share)
            for probability, group, share in zip(
                self.dags.set_probability(), self._group, self._log_share, strict=True
            )
        ]

    def sample(self, draws: int, rng: np.random.Generator) -> IntArray:
        drawn = self.dags.sample(draws, rng)
        rows = np.empty_like(drawn)
        for k, (group, share) in enumerate(zip(self._group, self._log_share, strict=True)):
            for within in np.unique(drawn[:, k]):
                here, sets = np.flatnonzero(drawn[:, k] == within), np.flatnonzero(group == within)
                weights = np.exp(share[sets])
                rows[here, k] = rng.choice(sets, size=len(here), p=weights / weights.sum())
        return rows
