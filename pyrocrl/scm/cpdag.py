"""What dependences alone tell of directions: the Markov equivalence class of a graph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["compelled_edges", "has_path"]

BoolArray = npt.NDArray[np.bool_]


def compelled_edges(adjacency: BoolArray, known: BoolArray | None = None) -> BoolArray:
    """Edges that point the same way in every graph of the Markov equivalence class.

    Graphs of a class have the same edges but for their directions, and imply the same
    independences: straight lines with Gaussian noise cannot tell them apart.

    Args:
        adjacency: Acyclic graphs, (..., child, parent).
        known: Directions that background knowledge states, (child, parent): the class then holds
            only graphs that agree with them. None for none.

    Returns:
        (..., child, parent), True for the compelled edges of each graph; its other edges are
        reversible.

    Source: Meek (1995), Causal inference and causal explanation with background knowledge: from
    the edges of unshielded colliders on, his four rules.

    Example:
        >>> chain, collider = np.zeros((2, 3, 3), dtype=bool)
        >>> chain[1, 0] = chain[2, 1] = collider[2, 0] = collider[2, 1] = True
        >>> compelled_edges(np.stack([chain, collider])).sum(axis=(1, 2))
        array([0, 2])
    """
    edges = np.asarray(adjacency, dtype=np.bool_)
    if edges.ndim > 2:
        unique, which = np.unique(edges.reshape(-1, *edges.shape[-2:]), axis=0, return_inverse=True)
        found = np.stack([compelled_edges(graph, known) for graph in unique])
        return np.asarray(found[which.reshape(-1)].reshape(edges.shape))
    apart = ~(edges | edges.T | np.eye(len(edges), dtype=np.bool_))
    # Two parents that are not adjacent compel both of their edges.
    compelled = edges & _any(edges, apart)
    if known is not None:
        compelled |= edges & known
    while True:
        more = compelled | (edges & _implied(edges, compelled, apart))
        if (more == compelled).all():
            return compelled
        compelled = more


def has_path(adjacency: BoolArray) -> BoolArray:
    """Whether a directed path leads from one node to another.

    Args:
        adjacency: Graphs, with cycles or without, (..., child, parent).

    Returns:
        (..., descendant, ancestor); a node is its own ancestor only on a cycle.

    Example:
        >>> chain = np.zeros((3, 3), dtype=bool)
        >>> chain[1, 0] = chain[2, 1] = True
        >>> has_path(chain).astype(int)
        array([[0, 0, 0],
               [1, 0, 0],
               [1, 1, 0]])
    """
    path = np.asarray(adjacency, dtype=np.bool_)
    # Every squaring doubles the length of the paths that are covered.
    for _ in range(int(np.ceil(np.log2(max(2, path.shape[-1]))))):
        counts = path.astype(np.float32)
        path = path | (counts @ counts > 0)
    return path


def _any(first: BoolArray, second: BoolArray) -> BoolArray:
    """Whether some node k has first[i, k] and second[k, j]: (i, j)."""
    return np.asarray(first.astype(np.float32) @ second.astype(np.float32) > 0)


def _implied(edges: BoolArray, compelled: BoolArray, apart: BoolArray) -> BoolArray:
    """Directions that follow from the compelled ones, of edges as they stand, (child, parent)."""
    open_ends = (edges & ~compelled) | (edges & ~compelled).T
    adjacent = edges | edges.T
    # Rule 1: a cause of the parent that is apart from the child would make a new collider.
    implied = _any(compelled, apart).T
    # Rule 2: parent -> k -> child; the other way round there would be a cycle.
    implied |= _any(compelled, compelled)
    for parent in range(len(edges)):
        beside = open_ends[parent]
        # Rule 3: two causes of the child, apart, both open towards the parent.
        into = compelled & beside
        implied[:, parent] |= (_any(into, apart) & into).any(axis=1)
        # Rule 4: the parent is open towards i, i -> k -> child, i apart from the child.
        start = compelled[:, beside].astype(np.float32)
        by_way = (compelled & adjacent[parent]).astype(np.float32) @ start > 0
        implied[:, parent] |= (by_way & apart[:, beside]).any(axis=1)
    return implied
