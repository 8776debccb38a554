"""Walks over graphs with cycles reach every allowed graph, and each as often as it should."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from pyrocrl.structure._arrays import BoolArray
from pyrocrl.structure.cycle_search import Graph, Moves, climb, strong_parts, walk


def every_edge(n_nodes: int) -> BoolArray:
    return ~np.eye(n_nodes, dtype=bool)


def moves(possible: BoolArray, most: int = 9, certain: BoolArray | None = None) -> Moves:
    certain = np.zeros_like(possible) if certain is None else certain
    return Moves(possible, certain, [most] * len(possible))


def all_graphs(n_nodes: int) -> list[Graph]:
    masks = [[m for m in range(1 << n_nodes) if not m >> k & 1] for k in range(n_nodes)]
    return list(itertools.product(*masks))


def as_matrix(graph: Graph) -> BoolArray:
    return (np.array(graph)[:, None] >> np.arange(len(graph)) & 1).astype(bool)


def test_strong_parts_are_those_of_mutual_reach() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        adjacency = (rng.random((5, 5)) < 0.3) & every_edge(5)
        graph = tuple(int(mask) for mask in adjacency @ (1 << np.arange(5)))
        reach = np.linalg.matrix_power(adjacency.astype(int) + np.eye(5, dtype=int), 5) > 0
        expected = {tuple(np.flatnonzero(row).tolist()) for row in reach & reach.T}
        assert set(strong_parts(graph)) == expected


def test_walks_visit_graphs_in_proportion_to_their_weight() -> None:
    graphs = all_graphs(3)
    heights = dict(zip(graphs, np.random.default_rng(0).normal(size=64), strict=True))
    visited = Counter(
        walk(heights.__getitem__, moves(every_edge(3)), graphs[0], 60_000, np.random.default_rng(1))
    )
    weights = np.exp(list(heights.values()))
    for graph, weight in zip(graphs, weights / weights.sum(), strict=True):
        assert visited[graph] / 60_000 == pytest.approx(weight, abs=0.012)


def test_walks_keep_to_what_is_allowed() -> None:
    possible, certain = every_edge(4), np.zeros((4, 4), dtype=bool)
    possible[0, 1] = False
    certain[1, 0] = certain[0, 2] = certain[2, 0] = True
    own = moves(possible, 2, certain)
    start = own.random_acyclic(certain, np.random.default_rng(0))
    for graph in set(walk(lambda _: 0.0, own, start, 3000, np.random.default_rng(0))):
        adjacency = as_matrix(graph)
        assert not (adjacency & ~possible).any()
        assert adjacency[certain].all()
        assert adjacency.sum(axis=1).max() <= 2


def test_random_graphs_are_acyclic_and_hold_what_they_must() -> None:
    always = np.zeros((5, 5), dtype=bool)
    always[0, 4] = always[4, 2] = True
    rng = np.random.default_rng(0)
    own = moves(every_edge(5), 3)
    drawn = {own.random_acyclic(always, rng) for _ in range(100)}
    assert len(drawn) > 50
    for graph in drawn:
        assert len(strong_parts(graph)) == 5
        assert as_matrix(graph)[always].all()
        assert as_matrix(graph).sum(axis=1).max() <= 3


def test_climbs_end_where_no_neighbour_is_better() -> None:
    heights = dict(zip(all_graphs(3), np.random.default_rng(0).normal(size=64), strict=True))
    own = moves(every_edge(3))
    top = climb(heights.__getitem__, own, (0, 0, 0))
    assert heights[top] > heights[(0, 0, 0)]
    assert all(heights[other] <= heights[top] for other in own.neighbours(top))
    # Three pairs of nodes with three other states each.
    assert len(set(own.neighbours(top))) == 9


RING, BACK = (0b0100, 0b0001, 0b0010, 0b0100), (0b0010, 0b0100, 0b0001, 0b0100)


def test_a_ring_and_the_same_ring_backwards_are_neighbours() -> None:
    own = moves(every_edge(4))
    assert BACK in set(own.neighbours(RING))
    assert RING in set(own.neighbours(BACK))
    certain = np.zeros((4, 4), dtype=bool)
    certain[0, 2] = True
    assert BACK not in set(moves(every_edge(4), certain=certain).neighbours(RING))


def test_turning_a_ring_is_as_probable_as_turning_it_back() -> None:
    rng, own = np.random.default_rng(0), moves(every_edge(4))
    there = sum(own.propose(RING, rng) == BACK for _ in range(4000))
    back = sum(own.propose(BACK, rng) == RING for _ in range(4000))
    assert there > 200
    assert abs(there - back) < 5 * (there + back) ** 0.5
