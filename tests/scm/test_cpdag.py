"""Compelled edges are those that every graph of the class has; paths are those of the graph."""

from __future__ import annotations

from itertools import product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrocrl.scm.cpdag import compelled_edges, has_path

NODES = 4


def is_acyclic(adjacency: np.ndarray) -> bool:
    return bool(nx.is_directed_acyclic_graph(nx.DiGraph(adjacency.T.astype(int))))


def pattern(adjacency: np.ndarray) -> bytes:
    """Adjacencies and unshielded colliders: what graphs of a class share (Verma and Pearl)."""
    skeleton = adjacency | adjacency.T
    colliders = adjacency[:, :, None] & adjacency[:, None, :] & ~skeleton[None]
    colliders &= ~np.eye(len(adjacency), dtype=bool)[None]
    return bytes(skeleton.tobytes() + colliders.tobytes())


@pytest.fixture(scope="module")
def classes() -> dict[bytes, np.ndarray]:
    """Every acyclic graph of four nodes, by its class."""
    pairs = [(i, j) for i in range(NODES) for j in range(i)]
    found: dict[bytes, list[np.ndarray]] = {}
    for ways in product(range(3), repeat=len(pairs)):
        adjacency = np.zeros((NODES, NODES), dtype=bool)
        for (i, j), way in zip(pairs, ways, strict=True):
            adjacency[i, j], adjacency[j, i] = way == 1, way == 2
        if is_acyclic(adjacency):
            found.setdefault(pattern(adjacency), []).append(adjacency)
    return {key: np.stack(graphs) for key, graphs in found.items()}


def test_there_are_as_many_classes_as_are_known(classes: dict[bytes, np.ndarray]) -> None:
    # Gillispie and Perlman (2001): 543 graphs of four nodes make 185 classes.
    assert len(classes) == 185
    assert sum(map(len, classes.values())) == 543


def test_compelled_edges_are_those_that_the_whole_class_has(
    classes: dict[bytes, np.ndarray],
) -> None:
    for graphs in classes.values():
        shared = graphs.all(axis=0)
        assert (compelled_edges(graphs) == shared).all()


def test_knowledge_narrows_the_class(classes: dict[bytes, np.ndarray]) -> None:
    rng = np.random.default_rng(200)
    narrowed = 0
    for graphs in classes.values():
        for graph in graphs:
            known = graph & (rng.random(graph.shape) < 0.4)
            agreeing = graphs[(graphs | ~known).all(axis=(1, 2))]
            assert (compelled_edges(graph, known) == agreeing.all(axis=0)).all()
            narrowed += len(agreeing) < len(graphs)
    assert narrowed > 100


@given(st.integers(0, 2**30 - 1), st.booleans())
def test_paths_are_those_of_the_graph(bits: int, acyclic: bool) -> None:
    edges = np.array([(bits >> k) & 1 for k in range(30)], dtype=bool)
    adjacency = np.zeros((6, 6), dtype=bool)
    adjacency[~np.eye(6, dtype=bool)] = edges
    if acyclic:
        adjacency = np.tril(adjacency, -1)
    graph = nx.DiGraph(adjacency.T.astype(int))
    expected = np.zeros((6, 6), dtype=bool)
    for parent in range(6):
        for child in graph[parent]:
            expected[[child, *nx.descendants(graph, child)], parent] = True
    assert (has_path(adjacency) == expected).all()
    assert (has_path(np.stack([adjacency, adjacency]))[1] == expected).all()
