"""Cycles are found where they are, and not where they are not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pyrocrl.errors import ModelError
from pyrocrl.structure import CyclicPosterior, EdgePriorMixture, UnknownOrderPosterior
from pyrocrl.structure._arrays import BoolArray, FloatArray


def every_edge(n_nodes: int) -> BoolArray:
    return ~np.eye(n_nodes, dtype=bool)


def graph(n_nodes: int, *edges: tuple[int, int]) -> BoolArray:
    """A graph from (parent, child) pairs."""
    adjacency = np.zeros((n_nodes, n_nodes), dtype=bool)
    for parent, child in edges:
        adjacency[child, parent] = True
    return adjacency


PAIRS = graph(4, (0, 1), (1, 0), (2, 3), (3, 2))
GRAPHS = {
    "two pairs": PAIRS,
    "pairs, one above the other": PAIRS | graph(4, (0, 2)),
    "a pair with effects": graph(4, (0, 1), (1, 0), (0, 2), (1, 3)),
    "three in a ring, and an effect": graph(4, (0, 1), (1, 2), (2, 0), (2, 3)),
}


def simulate(
    adjacency: BoolArray,
    n_subjects: int,
    seed: int,
    noise: str = "normal",
    function: Callable[[FloatArray], FloatArray] = np.tanh,
) -> FloatArray:
    """The equilibrium of z = sum of +-slope tanh(1.5 z) + noise, a contraction."""
    rng = np.random.default_rng(seed)
    n_nodes = len(adjacency)
    order = rng.permutation(n_nodes)
    adjacency = adjacency[np.ix_(order, order)]
    noises = getattr(rng, noise)(size=(n_subjects, n_nodes))
    noises = noises / noises.std(axis=0)
    signs = rng.choice([-1, 1], size=n_nodes)
    slopes = rng.uniform(0.5, 0.65, adjacency.shape) * np.outer(signs, signs) * adjacency
    z = np.zeros_like(noises)
    for _ in range(300):
        z = function(1.5 * z) @ slopes.T + noises
    # Back to the graph's own order of nodes.
    back: FloatArray = z[:, np.argsort(order)]
    return back


def fit(z: FloatArray, rate: float = 0.1, **options: Any) -> CyclicPosterior:
    n_nodes = z.shape[1]
    prior = EdgePriorMixture.fixed(np.full((n_nodes, n_nodes), rate))
    return CyclicPosterior.fit(z, every_edge(n_nodes), prior, **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "noise"),
    [
        ("two pairs", "normal"),
        ("two pairs", "laplace"),
        ("pairs, one above the other", "normal"),
        ("a pair with effects", "laplace"),
        ("three in a ring, and an effect", "laplace"),
    ],
)
def test_cycles_are_found(name: str, noise: str) -> None:
    distances = []
    for seed in range(300, 303):
        z = simulate(GRAPHS[name], 3000, seed, noise)
        distances.append(((fit(z).probability > 0.5) != GRAPHS[name]).sum())
    assert sorted(distances)[1] == 0
    assert max(distances) <= 2


@pytest.mark.parametrize("name", GRAPHS)
def test_cycles_of_one_sample_are_found_in_time(name: str) -> None:
    z = simulate(GRAPHS[name], 10_000, 310)
    start = time.perf_counter()
    posterior = fit(z)
    assert time.perf_counter() - start < 20
    np.testing.assert_array_equal(posterior.probability > 0.5, GRAPHS[name])
    assert posterior.n_subjects == 2000


@pytest.mark.parametrize("noise", ["normal", "laplace"])
def test_acyclic_graphs_are_answered_as_without_cycles(noise: str) -> None:
    adjacency = graph(4, (0, 1), (1, 2), (0, 3), (2, 3))
    z = simulate(adjacency, 2000, 300, noise)
    prior = EdgePriorMixture.fixed(np.full((4, 4), 0.1))
    acyclic = UnknownOrderPosterior.fit(z, every_edge(4), prior)
    posterior = fit(z)
    np.testing.assert_array_equal(posterior.probability > 0.5, adjacency)
    np.testing.assert_allclose(posterior.inclusion, acyclic.inclusion, atol=0.05)


def test_without_cycles_in_allowed_the_sum_over_graphs_is_met() -> None:
    # Few subjects and edges of middling probability.
    z = simulate(graph(3, (0, 1), (0, 2)), 40, 300)
    allowed = np.tri(3, k=-1, dtype=bool)
    prior = EdgePriorMixture(
        np.stack([np.full((3, 3), 0.2), np.full((3, 3), 0.6)]), np.array([0.0, 0.5])
    )
    exact = UnknownOrderPosterior.fit(z, allowed, prior, nonlinear=False)
    posterior = CyclicPosterior.fit(z, allowed, prior, nonlinear=False)
    np.testing.assert_allclose(posterior.inclusion, exact.inclusion, atol=0.01)
    np.testing.assert_allclose(posterior.probability, exact.probability, atol=0.01)
    assert posterior.log_evidence == pytest.approx(exact.log_evidence, abs=0.05)
    assert posterior.prior_ess == pytest.approx(exact.prior_ess, rel=0.02)


def test_straight_lines_with_gaussian_noise_show_no_cycle() -> None:
    rng = np.random.default_rng(300)
    z = rng.normal(size=(1000, 2)) @ np.linalg.inv(np.array([[1.0, -0.6], [-0.6, 1.0]]))
    inclusion = fit(z).inclusion
    assert inclusion[0, 1] + inclusion[1, 0] > 0.99
    assert min(inclusion[0, 1], inclusion[1, 0]) < 0.7


def test_draws_agree_with_probabilities() -> None:
    z = simulate(GRAPHS["a pair with effects"], 300, 300)
    posterior = fit(z, rope=0.05)
    drawn = posterior.sample(2000, np.random.default_rng(0))
    assert drawn.adjacency.shape == drawn.strength.shape == drawn.effect.shape == (2000, 4, 4)
    np.testing.assert_allclose(drawn.adjacency.mean(axis=0), posterior.probability, atol=0.05)
    assert (drawn.strength[drawn.adjacency] > 0.05).all()
    assert not drawn.strength[~drawn.adjacency].any()
    assert not drawn.effect[~drawn.adjacency].any()
    again = posterior.sample(2000, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn.strength, again.strength)


def test_the_strength_of_an_edge_is_what_is_lost_without_it() -> None:
    z = simulate(graph(2, (0, 1), (1, 0)), 2000, 300)
    posterior = fit(z)
    strength = posterior.sample(500, np.random.default_rng(0)).strength.mean(axis=0)
    prior = EdgePriorMixture.fixed(np.full((2, 2), 0.1))
    for child, parent in ((0, 1), (1, 0)):
        other = np.zeros((2, 2), dtype=bool)
        other[parent, child] = True
        without = CyclicPosterior.fit(z, other, prior, required=other)
        lost = (posterior.log_evidence - without.log_evidence) / 2000
        # Evidence pays some nats for the edge's weights besides.
        assert strength[child, parent] == pytest.approx(lost, abs=0.012)
        assert strength[child, parent] > 0.02


def test_weak_edges_of_a_cycle_are_none() -> None:
    z = simulate(graph(2, (0, 1), (1, 0)), 2000, 300)
    posterior = fit(z, rope=0.3)
    assert posterior.inclusion[every_edge(2)].min() > 0.99
    # What both edges tell, one of them tells nearly as well, and it is stronger than either.
    assert (posterior.probability > 0.5).sum() <= 1


def test_required_and_forbidden_edges_are_certain() -> None:
    z = simulate(GRAPHS["two pairs"], 500, 300)
    rates = np.full((4, 4), 0.1)
    rates[0, 1] = 0.0
    required = np.zeros((4, 4), dtype=bool)
    required[0, 2] = required[2, 0] = True
    posterior = CyclicPosterior.fit(
        z, every_edge(4), EdgePriorMixture.fixed(rates), required=required
    )
    np.testing.assert_allclose(posterior.probability[required], 1.0)
    assert posterior.inclusion[0, 1] == 0.0
    drawn = posterior.sample(50, np.random.default_rng(0))
    assert drawn.adjacency[:, required].all()
    assert (drawn.strength[:, required] > 0).all()


def test_edges_that_are_all_certain_are_judged_by_the_rope() -> None:
    z = simulate(graph(3, (0, 1), (1, 0)), 2000, 300)
    posterior = CyclicPosterior.fit(
        z,
        every_edge(3),
        EdgePriorMixture.fixed(np.ones((3, 3))),
        required=np.zeros((3, 3), dtype=bool),
    )
    assert posterior.inclusion[every_edge(3)].min() > 0.999
    np.testing.assert_array_equal(posterior.probability > 0.5, graph(3, (0, 1), (1, 0)))


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 0, 1)])
def test_renaming_the_nodes_renames_the_answer(order: tuple[int, ...]) -> None:
    z = simulate(graph(3, (0, 1), (1, 0), (1, 2)), 600, 300)
    posterior, permuted = fit(z), fit(z[:, order])
    expected = posterior.inclusion[np.ix_(order, order)]
    np.testing.assert_allclose(permuted.inclusion, expected, atol=0.1)
    np.testing.assert_array_equal(permuted.inclusion > 0.5, expected > 0.5)


good_z = np.random.default_rng(0).normal(size=(20, 3))
half = EdgePriorMixture.fixed(np.full((3, 3), 0.5))


@pytest.mark.parametrize(
    ("z", "prior", "options", "message"),
    [
        (good_z[:, 0], half, {}, "shape"),
        (good_z * [1, np.nan, 1], half, {}, "node 1"),
        (np.random.default_rng(0).normal(size=(20, 11)), half, {}, "up to 10 nodes"),
        (good_z, EdgePriorMixture.fixed(np.eye(2)), {}, "edge prior is over 2"),
        (good_z, half, {"rope": -0.1}, "rope"),
        (good_z, half, {"max_parents": -1}, "max_parents"),
        (good_z, EdgePriorMixture.fixed(np.ones((3, 3))), {"max_parents": 1}, "required"),
    ],
)
def test_bad_input_is_named(
    z: FloatArray, prior: EdgePriorMixture, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        CyclicPosterior.fit(z, every_edge(3), prior, **options)
