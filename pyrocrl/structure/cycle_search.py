"""Walks over graphs that may have cycles: up to the best ones, then at random among the good.

Every parent set of every node is a bit mask, and a graph is a tuple of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from pyrocrl.structure._arrays import BoolArray

__all__ = ["Graph", "Moves", "climb", "strong_parts", "walk"]

Graph = tuple[int, ...]


def strong_parts(graph: Graph) -> list[tuple[int, ...]]:
    """The strongly connected parts of a graph: nodes that cause one another stand together.

    Args:
        graph: Parents of each node, as masks.

    Returns:
        The parts, each with its nodes in ascending order.

    Example:
        >>> strong_parts((0b010, 0b001, 0b001))  # 0 and 1 cause each other, 0 causes 2
        [(0, 1), (2,)]
    """
    above = [own | (1 << node) for node, own in enumerate(graph)]
    changed = True
    while changed:
        changed = False
        for node, own in enumerate(above):
            reach = own
            for other in range(len(graph)):
                if own >> other & 1:
                    reach |= above[other]
            if reach != own:
                above[node], changed = reach, True
    parts: dict[int, list[int]] = {}
    for node, own in enumerate(above):
        # Nodes with the same ancestors, themselves included, are one another's ancestors.
        parts.setdefault(own, []).append(node)
    return [tuple(part) for part in parts.values()]


def _rings(graph: Graph) -> list[tuple[int, ...]]:
    """Parts whose edges may run the other way round: three nodes or more."""
    return [part for part in strong_parts(graph) if len(part) > 2]


class Moves:
    """Small changes of a graph within what is allowed.

    Args:
        possible: Edges that may be, (child, parent).
        certain: Edges that must be, (child, parent).
        max_parents: Largest number of parents of each node.
    """

    def __init__(self, possible: BoolArray, certain: BoolArray, max_parents: list[int]) -> None:
        self._free = possible & ~certain
        self._max_parents = max_parents
        n_nodes = len(possible)
        self._pairs = [
            (a, b) for a in range(n_nodes) for b in range(a) if self._free[a, b] or self._free[b, a]
        ]
        self._children = np.flatnonzero(self._free.any(axis=1))

    def neighbours(self, graph: Graph) -> Iterator[Graph]:
        """All graphs that differ in the edges between two nodes, or by a cycle that runs back."""
        for pair in self._pairs:
            yield from self._of_pair(graph, *pair)
        for part in _rings(graph):
            turned = self._turned(graph, part)
            if turned is not None:
                yield turned

    def random_acyclic(self, always: BoolArray, rng: np.random.Generator) -> Graph:
        """A random graph whose edges agree with a random order, besides some that it must have.

        Args:
            always: Edges that it must have, (child, parent).
            rng: Source of randomness.

        Returns:
            The graph; acyclic if no cycle is required.
        """
        n_nodes = len(always)
        # Of the nodes that may come next, as far as required edges have an order, any one.
        place = np.empty(n_nodes, dtype=np.int64)
        waiting = list(range(n_nodes))
        for k in range(n_nodes):
            ready = [node for node in waiting if not always[node, waiting].any()] or waiting
            node = int(rng.choice(ready))
            waiting.remove(node)
            place[node] = k
        drawn = self._free & (place < place[:, None]) & (rng.random(always.shape) < 0.5)
        graph = []
        for node in range(n_nodes):
            parents = np.flatnonzero(drawn[node] & ~always[node])
            room = max(self._max_parents[node] - int(always[node].sum()), 0)
            chosen = always[node].copy()
            chosen[rng.permutation(parents)[:room]] = True
            graph.append(int((1 << np.flatnonzero(chosen)).sum()))
        return tuple(graph)

    def propose(self, graph: Graph, rng: np.random.Generator) -> Graph | None:
        """A random change, as probable as its reverse; None where the drawn one is not allowed.

        The edges between two nodes change, a parent gives way to another, or a cycle runs back.
        """
        if not self._pairs:
            return None
        kind = rng.random()
        if kind < 0.1:
            # The other way round a graph has the same rings: symmetric.
            rings = _rings(graph)
            return self._turned(graph, rings[int(rng.integers(len(rings)))]) if rings else None
        if kind < 0.7:
            pair = self._pairs[int(rng.integers(len(self._pairs)))]
            # Three other states of a pair, whether or not they are allowed: symmetric.
            options = list(self._of_pair(graph, *pair))
            k = int(rng.integers(3))
            return options[k] if k < len(options) else None
        child = int(rng.choice(self._children))
        free = np.flatnonzero(self._free[child]).tolist()
        present = [parent for parent in free if graph[child] >> parent & 1]
        absent = [parent for parent in free if not graph[child] >> parent & 1]
        if not present or not absent:
            return None
        leaving, coming = int(rng.choice(present)), int(rng.choice(absent))
        return _with(graph, child, graph[child] ^ (1 << leaving) ^ (1 << coming))

    def _of_pair(self, graph: Graph, a: int, b: int) -> Iterator[Graph]:
        into_a = [graph[a]] + [graph[a] ^ (1 << b)] * bool(self._free[a, b])
        into_b = [graph[b]] + [graph[b] ^ (1 << a)] * bool(self._free[b, a])
        for own_a in into_a:
            for own_b in into_b:
                new = _with(_with(graph, a, own_a), b, own_b)
                if new != graph and self._small(new, a) and self._small(new, b):
                    yield new

    def _turned(self, graph: Graph, part: tuple[int, ...]) -> Graph | None:
        """All edges inside a part turned; between its graphs lie many steps that score badly."""
        within = sum(1 << node for node in part)
        new = list(graph)
        for node in part:
            into = sum(1 << other for other in part if graph[other] >> node & 1)
            new[node] = graph[node] & ~within | into
            for other in part:
                if (graph[node] ^ new[node]) >> other & 1 and not self._free[node, other]:
                    return None
        turned = tuple(new)
        fits = turned != graph and all(self._small(turned, node) for node in part)
        return turned if fits else None

    def _small(self, graph: Graph, node: int) -> bool:
        return graph[node].bit_count() <= self._max_parents[node]


def climb(score: Callable[[Graph], float], moves: Moves, graph: Graph) -> Graph:
    """Go to the best neighbour until there is no better one.

    Args:
        score: Log posterior of a graph.
        moves: The changes.
        graph: Where to begin.

    Returns:
        A graph without a better neighbour.
    """
    height = score(graph)
    while True:
        scored = [(score(other), other) for other in moves.neighbours(graph)]
        best, other = max(scored, default=(-np.inf, graph))
        if best <= height:
            return graph
        height, graph = best, other


def walk(
    score: Callable[[Graph], float],
    moves: Moves,
    graph: Graph,
    steps: int,
    rng: np.random.Generator,
) -> list[Graph]:
    """Metropolis's walk.

    Args:
        score: Log posterior of a graph.
        moves: The changes.
        graph: Where to begin.
        steps: Number of proposals.
        rng: Source of randomness.

    Returns:
        The graph after every proposal.
    """
    height, visited = score(graph), []
    for _ in range(steps):
        other = moves.propose(graph, rng)
        if other is not None:
            there = score(other)
            if np.log(rng.random()) < there - height:
                graph, height = other, there
        visited.append(graph)
    return visited


def _with(graph: Graph, node: int, parents: int) -> Graph:
    return (*graph[:node], parents, *graph[node + 1 :])
