"""The shape of a dependence tells directions only as far as fits differ by more than the unit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrocrl.structure import EdgePriorMixture, UnknownOrderPosterior
from pyrocrl.structure._arrays import BoolArray, FloatArray
from pyrocrl.structure.coarse_directions import equivalent_graphs

TENTH = EdgePriorMixture.fixed(np.full((2, 2), 0.1))
EITHER_WAY = ~np.eye(2, dtype=bool)


def independences(graph: BoolArray) -> tuple[bytes, frozenset[tuple[int, int, int]]]:
    """Skeleton and unshielded colliders."""
    skeleton = graph | graph.T
    colliders = frozenset(
        (one, child, other)
        for child in range(len(graph))
        for one, other in itertools.combinations(np.flatnonzero(graph[child]).tolist(), 2)
        if not skeleton[one, other]
    )
    return skeleton.tobytes(), colliders


def is_acyclic(graph: BoolArray) -> bool:
    return not np.linalg.matrix_power(graph.astype(int), len(graph)).any()


@given(n_nodes=st.integers(2, 4), seed=st.integers(0, 2**16), blocks=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_all_graphs_of_a_class_that_may_be_are_found(n_nodes: int, seed: int, blocks: int) -> None:
    rng = np.random.default_rng(seed)
    block = np.sort(rng.integers(blocks, size=n_nodes))
    possible = (block[None, :] <= block[:, None]) & ~np.eye(n_nodes, dtype=bool)
    order = rng.permutation(n_nodes)
    along = np.argsort(order)[None, :] < np.argsort(order)[:, None]
    graph = possible & along & (rng.random((n_nodes, n_nodes)) < 0.6)
    wanted = set()
    edges = np.argwhere(possible)
    for held in itertools.product([False, True], repeat=len(edges)):
        other = np.zeros_like(graph)
        other[tuple(edges.T)] = held
        if is_acyclic(other) and independences(other) == independences(graph):
            wanted.add(other.tobytes())
    found = equivalent_graphs(graph, possible)
    assert np.array_equal(found[0], graph)
    assert {own.tobytes() for own in found} == wanted
    assert len(found) == len(wanted)


def bent(n_subjects: int, bend: float) -> FloatArray:
    cause, noise = np.random.default_rng(0).normal(size=(2, n_subjects))
    return np.stack([cause, cause + bend * cause**2 + 0.7 * noise], axis=1)


def forward(z: FloatArray, unit: float) -> float:
    posterior = UnknownOrderPosterior.fit(z, EITHER_WAY, TENTH, shape_unit=unit)
    assert posterior.probability.sum() == pytest.approx(1, abs=1e-3)
    return float(posterior.probability[1, 0])


def test_a_slight_bend_does_not_become_certain_with_many_subjects() -> None:
    few, many = bent(2_000, 0.08), bent(20_000, 0.08)
    assert forward(many, 0.0) > 0.999
    assert 0.5 < forward(few, 0.02) < 0.8
    assert 0.5 < forward(many, 0.02) < 0.8


def test_a_strong_bend_is_as_good_as_certain() -> None:
    assert forward(bent(2_000, 1.0), 0.02) > 0.99


def test_what_dependences_alone_tell_stays() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(3_000, 3))
    z[:, 1] += z[:, 0] + z[:, 2]
    allowed, prior = ~np.eye(3, dtype=bool), EdgePriorMixture.fixed(np.full((3, 3), 0.1))
    posterior = UnknownOrderPosterior.fit(z, allowed, prior, shape_unit=0.5)
    assert posterior.probability[1, [0, 2]] == pytest.approx(1, abs=1e-2)


def test_draws_agree_with_probabilities() -> None:
    posterior = UnknownOrderPosterior.fit(bent(3_000, 0.1), EITHER_WAY, TENTH, shape_unit=0.02)
    drawn = posterior.sample(4_000, np.random.default_rng(1)).adjacency.mean(axis=0)
    assert drawn == pytest.approx(posterior.probability, abs=0.03)
