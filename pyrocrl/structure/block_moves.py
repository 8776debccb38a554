"""Redraw the parent sets of a few nodes together, from their posterior given the other nodes'.

Given the parents of all other nodes, what a parent set of a node of the block does to the graph
is which nodes of the block it comes after: those that it holds, or that lead to one that it holds
by way of other nodes. The graph is acyclic where these relations within the block are. So the sets
of every node fall into a few groups, one for each subset of the block, and the acyclic graphs over
the block, few enough to list, are drawn by the total weights of their groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np

from pyrocrl.structure._arrays import FloatArray, IntArray

__all__ = ["block_graphs", "draw_blocks", "draw_together", "reached"]


@cache
def block_graphs(size: int) -> IntArray:
    """The acyclic graphs over a few nodes, as the parent masks of each node, (graph, node).

    Example:
        >>> [len(block_graphs(size)) for size in (1, 2, 3, 4)]
        [1, 3, 25, 543]
    """
    others = [[m for m in range(1 << size) if not m >> node & 1] for node in range(size)]
    return np.array([masks for masks in product(*others) if _is_acyclic(masks)], dtype=np.int64)


def draw_blocks(affinity: FloatArray, blocks: int, size: int, rng: np.random.Generator) -> IntArray:
    """Choose the nodes that are redrawn together, by chance but nodes of one neighbourhood mostly.

    Args:
        affinity: How much every two nodes have to do with each other, (node, node), symmetric and
            positive outside the diagonal.
        blocks: Number of blocks.
        size: Nodes of each.
        rng: Source of randomness.

    Returns:
        Nodes, different ones, (block, size).

    Example:
        >>> affinity = np.array([[0, 1, 0.01], [1, 0, 0.01], [0.01, 0.01, 0]])
        >>> pairs = draw_blocks(affinity, 1000, 2, np.random.default_rng(0))
        >>> bool((np.sort(pairs) == [0, 1]).all(axis=1).mean() > 0.6)
        True
    """
    chosen = rng.integers(len(affinity), size=(blocks, 1))
    for _ in range(size - 1):
        weight = affinity[chosen].sum(axis=1)
        np.put_along_axis(weight, chosen, 0.0, axis=1)
        cumulative = weight.cumsum(axis=1)
        point = rng.random((blocks, 1)) * cumulative[:, -1:]
        chosen = np.concatenate([chosen, (cumulative <= point).sum(axis=1, keepdims=True)], axis=1)
    return chosen


def reached(node: int, parents: Sequence[int], block: int) -> int:
    """A node and all that it leads to without passing another node of the block, as a mask.

    Args:
        node: The node.
        parents: Parents of every node as a mask.
        block: The nodes of the block as a mask; their parents do not matter.

    Example:
        >>> reached(0, [0, 0b001, 0b010], block=0b001)
        7
        >>> reached(0, [0, 0b001, 0b010], block=0b011)
        1
    """
    found, before = 1 << node, 0
    while found != before:
        before = found
        for child, own in enumerate(parents):
            if own & found and not block >> child & 1:
                found |= 1 << child
    return found


def draw_together(
    masks: Sequence[IntArray],
    log_weights: Sequence[FloatArray],
    below: IntArray,
    rng: np.random.Generator,
) -> IntArray:
    """Draw parent sets for the nodes of a block such that no cycle is closed, in several chains.

    Args:
        masks: Parent sets of every node of the block, (set,) each.
        log_weights: Their log weights, (chain, set) each; in every chain some must fit together.
        below: What every node of the block leads to, see `reached`, (chain, node).
        rng: Source of randomness.

    Returns:
        Place of the drawn set of every node, (chain, node).

    Example:
        >>> empty_or_other = np.array([0, 2]), np.array([0, 1])
        >>> weights = np.array([[0.0, 9.0]]), np.array([[0.0, 9.0]])
        >>> drawn = draw_together(
        ...     empty_or_other, weights, np.array([[1, 2]]), np.random.default_rng(0)
        ... )
        >>> sorted(drawn[0].tolist())
        [0, 1]
    """
    n_chains, size = below.shape
    n_groups = n_chains << size
    first = (np.arange(n_chains) << size)[:, None]
    graphs = block_graphs(size)
    log_joint = np.zeros((n_chains, len(graphs)))
    groups, shares = [], []
    for node, (own, log_weight) in enumerate(zip(masks, log_weights, strict=True)):
        group = np.repeat(first, len(own), axis=1)
        for other in range(size):
            group += ((own & below[:, other, None]) != 0) << other
        best = np.full(n_groups, -np.inf)
        np.maximum.at(best, group.reshape(-1), log_weight.reshape(-1))
        best[best == -np.inf] = 0.0
        share = np.exp(log_weight - best[group])
        total = np.bincount(group.reshape(-1), share.reshape(-1), n_groups)
        with np.errstate(divide="ignore"):
            log_total = (best + np.log(total)).reshape(n_chains, -1)
        log_joint += log_total[:, graphs[:, node]]
        groups.append(group)
        shares.append(share)
    chosen = graphs[_choose(np.exp(log_joint - log_joint.max(axis=1, keepdims=True)), rng)]
    wanted = (chosen + first)[:, :, None]
    drawn = [
        _choose(np.where(group == wanted[:, node], share, 0.0), rng)
        for node, (group, share) in enumerate(zip(groups, shares, strict=True))
    ]
    return np.stack(drawn, axis=1)


def _choose(weights: FloatArray, rng: np.random.Generator) -> IntArray:
    """A column for each row, with probability in proportion to the weights."""
    cumulative = weights.cumsum(axis=1)
    # Below the total in floating point too, so that no column without weight is chosen.
    point = rng.random((len(weights), 1)) * cumulative[:, -1:] * (1 - 1e-12)
    return np.asarray((cumulative <= point).sum(axis=1))


def _is_acyclic(masks: Sequence[int]) -> bool:
    left = set(range(len(masks)))
    while left:
        waiting = sum(1 << node for node in left)
        roots = {node for node in left if not masks[node] & waiting}
        if not roots:
            return False
        left -= roots
    return True
