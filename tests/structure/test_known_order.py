"""With the order known, the posterior over graphs is exact and its draws agree with it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln, logsumexp

from pyrocrl.errors import ModelError
from pyrocrl.structure import EdgePriorMixture, KnownOrderPosterior, NodeBasis
from pyrocrl.structure._arrays import BoolArray, FloatArray


def full_order(n_nodes: int) -> BoolArray:
    """Every edge from an earlier node to a later one."""
    return np.tri(n_nodes, k=-1, dtype=bool)


def simulate(
    n_subjects: int,
    adjacency: BoolArray,
    seed: int,
    function: Callable[..., FloatArray] = np.tanh,
    slope: float = 1.0,
) -> FloatArray:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n_subjects, len(adjacency)))
    for child, parents in enumerate(adjacency):
        for parent in np.flatnonzero(parents):
            z[:, child] += slope * function(z[:, parent])
    return z


def random_adjacency(n_nodes: int, rate: float, seed: int) -> BoolArray:
    return (np.random.default_rng(seed).random((n_nodes, n_nodes)) < rate) & full_order(n_nodes)


def dense_log_evidence(
    z: FloatArray, child: int, parents: tuple[int, ...], nonlinear: bool
) -> float:
    """Evidence of a parent set through the child's own covariance over subjects."""
    y = (z[:, child] - z[:, child].mean()) / z[:, child].std()
    evidences = []
    for slab in (0.0, 0.1, 0.5) if nonlinear else (0.0,):
        covariance = np.eye(len(z))
        for parent in parents:
            features = NodeBasis.fit(z[:, parent]).transform(z[:, parent])
            covariance += 4.0 * np.outer(features[:, 0], features[:, 0])
            covariance += slab * features[:, 1:] @ features[:, 1:].T
        shape = 1 + len(z) / 2
        scale = 1 + 0.5 * y @ np.linalg.solve(covariance, y)
        evidences.append(
            gammaln(shape)
            - shape * np.log(scale)
            - 0.5 * np.linalg.slogdet(covariance)[1]
            - 0.5 * len(z) * np.log(2 * np.pi)
        )
    return float(logsumexp(evidences) - np.log(len(evidences)))


def enumerate_graphs(
    z: FloatArray, allowed: BoolArray, prior: EdgePriorMixture, nonlinear: bool
) -> tuple[FloatArray, float]:
    """Edge probabilities and log evidence, by visiting every graph under every component."""
    edges = np.argwhere(allowed)
    scores = {
        (child, parents): dense_log_evidence(z, child, parents, nonlinear)
        for child in range(len(allowed))
        for size in range(allowed[child].sum() + 1)
        for parents in itertools.combinations(np.flatnonzero(allowed[child]).tolist(), size)
    }
    graphs, log_joint = [], []
    log_weights = prior.log_weights - logsumexp(prior.log_weights)
    for bits in itertools.product([False, True], repeat=len(edges)):
        graph = np.zeros_like(allowed)
        graph[tuple(edges.T)] = bits
        score = sum(scores[c, tuple(np.flatnonzero(row).tolist())] for c, row in enumerate(graph))
        for log_weight, probabilities in zip(log_weights, prior.probabilities, strict=True):
            factor = np.prod(np.where(graph, probabilities, 1 - probabilities)[allowed])
            if factor > 0:
                graphs.append(graph)
                log_joint.append(log_weight + np.log(factor) + score)
    log_evidence = logsumexp(log_joint)
    return np.tensordot(np.exp(np.array(log_joint) - log_evidence), graphs, axes=1), log_evidence


@pytest.mark.parametrize("nonlinear", [False, True])
@pytest.mark.parametrize("n_nodes", [4, 5])
def test_inclusion_is_what_enumeration_of_all_graphs_gives(n_nodes: int, nonlinear: bool) -> None:
    z = simulate(40, random_adjacency(n_nodes, 0.5, seed=n_nodes), seed=1, slope=0.6)
    rng = np.random.default_rng(2)
    prior = EdgePriorMixture.fixed(rng.uniform(0.1, 0.6, (n_nodes, n_nodes)))
    posterior = KnownOrderPosterior.fit(z, full_order(n_nodes), prior, nonlinear=nonlinear)
    inclusion, log_evidence = enumerate_graphs(z, full_order(n_nodes), prior, nonlinear)
    np.testing.assert_allclose(posterior.inclusion, inclusion, atol=1e-9)
    np.testing.assert_allclose(posterior.log_evidence, log_evidence, atol=1e-7)
    assert ((inclusion > 0.05) & (inclusion < 0.95)).sum() >= 3


def test_mixture_prior_is_what_enumeration_of_all_graphs_gives() -> None:
    z = simulate(40, random_adjacency(4, 0.5, seed=4), seed=1, slope=0.6)
    rates = np.array([0.02, 0.3, 0.7])
    probabilities = np.tile(rates[:, None, None], (1, 4, 4))
    probabilities[0, 2, 1] = 0.0
    probabilities[1, 3, 0] = 1.0
    probabilities[:, 3, 2] = 1.0
    probabilities[:, 1, 0] = 0.0
    prior = EdgePriorMixture(probabilities, np.log([0.5, 0.3, 0.2]) + 7.0)
    posterior = KnownOrderPosterior.fit(z, full_order(4), prior)
    inclusion, log_evidence = enumerate_graphs(z, full_order(4), prior, nonlinear=True)
    np.testing.assert_allclose(posterior.inclusion, inclusion, atol=1e-9)
    np.testing.assert_allclose(posterior.log_evidence, log_evidence, atol=1e-7)
    assert 1 < posterior.prior_ess < 3


def test_edges_outside_the_order_play_no_part() -> None:
    z = simulate(60, full_order(3), seed=0)
    posteriors = [
        KnownOrderPosterior.fit(
            z, full_order(3), EdgePriorMixture.fixed(np.where(full_order(3), 0.3, outside))
        )
        for outside in (0.0, 0.9, 1.0)
    ]
    for posterior in posteriors:
        assert not posterior.inclusion[~full_order(3)].any()
        assert posterior.log_evidence == pytest.approx(posteriors[0].log_evidence)


def test_components_that_the_data_contradict_lose_their_weight() -> None:
    z = simulate(500, full_order(3), seed=0)
    probabilities = np.stack([np.full((3, 3), 0.5), np.zeros((3, 3))])
    posterior = KnownOrderPosterior.fit(
        z, full_order(3), EdgePriorMixture(probabilities, np.zeros(2))
    )
    assert posterior.prior_ess == pytest.approx(1.0)
    assert posterior.probability[full_order(3)].min() > 0.99


def test_required_and_forbidden_edges_are_certain() -> None:
    z = np.random.default_rng(0).normal(size=(400, 3))
    z[:, 2] += z[:, 1]
    probabilities = np.full((3, 3), 0.2)
    probabilities[2, 0] = 1.0
    probabilities[2, 1] = 0.0
    posterior = KnownOrderPosterior.fit(z, full_order(3), EdgePriorMixture.fixed(probabilities))
    assert posterior.probability[2, 0] == posterior.inclusion[2, 0] == 1.0
    assert posterior.probability[2, 1] == posterior.inclusion[2, 1] == 0.0
    drawn = posterior.sample(200, np.random.default_rng(1))
    assert drawn.adjacency[:, 2, 0].all()
    assert not drawn.adjacency[:, 2, 1].any()
    assert (drawn.strength[:, 2, 0] > 0).all()


@pytest.mark.parametrize("nonlinear", [False, True])
def test_without_a_rope_probability_is_inclusion(nonlinear: bool) -> None:
    z = simulate(80, random_adjacency(5, 0.4, seed=0), seed=0)
    prior = EdgePriorMixture.fixed(np.full((5, 5), 0.3))
    posterior = KnownOrderPosterior.fit(z, full_order(5), prior, rope=0.0, nonlinear=nonlinear)
    np.testing.assert_array_equal(posterior.probability, posterior.inclusion)
    drawn = posterior.sample(20, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn.adjacency, drawn.strength > 0)


def test_significant_but_negligible_edges_are_none() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(10_000, 2))
    z[:, 1] += 0.1 * z[:, 0]
    prior = EdgePriorMixture.fixed(np.full((2, 2), 0.5))
    posterior = KnownOrderPosterior.fit(z, full_order(2), prior, rope=0.02)
    assert posterior.inclusion[1, 0] > 0.99
    assert posterior.probability[1, 0] < 1e-6
    assert KnownOrderPosterior.fit(z, full_order(2), prior, rope=0.002).probability[1, 0] > 0.99


@pytest.mark.parametrize("n_subjects", [30, 150, 3000])
def test_draws_agree_with_probabilities(n_subjects: int) -> None:
    z = simulate(n_subjects, random_adjacency(6, 0.5, seed=3), seed=3, slope=0.4)
    prior = EdgePriorMixture(
        np.stack([np.full((6, 6), 0.1), np.full((6, 6), 0.6)]), np.array([0.0, 1.0])
    )
    posterior = KnownOrderPosterior.fit(z, full_order(6), prior, rope=0.03)
    drawn = posterior.sample(4000, np.random.default_rng(0))
    assert drawn.adjacency.shape == drawn.strength.shape == drawn.effect.shape == (4000, 6, 6)
    standard_error = np.sqrt(posterior.probability * (1 - posterior.probability) / 4000)
    error = np.abs(drawn.adjacency.mean(axis=0) - posterior.probability)
    assert (error <= 4.5 * standard_error + 1e-3).all()
    assert (drawn.strength[drawn.adjacency] > 0.03).all()
    assert not drawn.strength[~drawn.adjacency].any()
    assert not drawn.effect[~drawn.adjacency].any()


def test_components_are_shared_by_the_children_of_a_draw() -> None:
    z = np.random.default_rng(0).normal(size=(30, 4))
    probabilities = np.stack([np.zeros((4, 4)), np.ones((4, 4))])
    posterior = KnownOrderPosterior.fit(
        z, full_order(4), EdgePriorMixture(probabilities, np.array([0.0, 12.0])), rope=0.0
    )
    assert 0.05 < posterior.inclusion[1, 0] < 0.95
    drawn = posterior.sample(300, np.random.default_rng(0)).adjacency
    assert set(drawn.sum(axis=(1, 2))) == {0, 6}


def test_draws_recover_slopes_and_strengths() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(5000, 3))
    z[:, 2] += 1.0 * z[:, 0] - 0.5 * z[:, 1]
    posterior = KnownOrderPosterior.fit(
        z, full_order(3), EdgePriorMixture.fixed(np.full((3, 3), 0.3))
    )
    drawn = posterior.sample(500, rng)
    np.testing.assert_allclose(
        drawn.effect.mean(axis=0)[2, :2], np.array([1.0, -0.5]) / 1.5, atol=0.03
    )
    np.testing.assert_allclose(
        drawn.strength.mean(axis=0)[2, :2], [0.5 * np.log(2.0), 0.5 * np.log(1.25)], atol=0.03
    )


def test_draws_are_decided_by_the_generator() -> None:
    z = simulate(50, random_adjacency(4, 0.5, seed=0), seed=0)
    prior = EdgePriorMixture.fixed(np.full((4, 4), 0.3))
    posterior = KnownOrderPosterior.fit(z, full_order(4), prior)
    first, again, other = (posterior.sample(50, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.strength, again.strength)
    assert (first.strength != other.strength).any()


def test_one_of_two_redundant_parents_stays() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2000, 3))
    z[:, 1] = z[:, 0] + 0.05 * z[:, 1]
    z[:, 2] += z[:, 0]
    probabilities = np.full((3, 3), 0.999)
    posterior = KnownOrderPosterior.fit(z, full_order(3), EdgePriorMixture.fixed(probabilities))
    assert posterior.inclusion[2, :2].min() > 0.5
    drawn = posterior.sample(500, rng)
    assert (drawn.adjacency[:, 2].sum(axis=1) == 1).mean() > 0.98
    assert posterior.probability[2].sum() == pytest.approx(1.0, abs=0.05)


def test_bent_mechanisms_need_the_smooth_features() -> None:
    z = simulate(500, full_order(2), seed=0, function=np.square)
    prior = EdgePriorMixture.fixed(np.full((2, 2), 0.1))
    bent = KnownOrderPosterior.fit(z, full_order(2), prior)
    straight = KnownOrderPosterior.fit(z, full_order(2), prior, nonlinear=False)
    assert bent.probability[1, 0] > 0.999
    assert bent.log_evidence > straight.log_evidence + 50


def test_binary_parents_are_scored_as_straight_lines() -> None:
    rng = np.random.default_rng(0)
    treated = rng.integers(2, size=600).astype(float)
    z = np.stack([treated, rng.normal(size=600), treated + rng.normal(size=600)], axis=1)
    prior = EdgePriorMixture.fixed(np.full((3, 3), 0.1))
    bent, straight = (
        KnownOrderPosterior.fit(z, full_order(3), prior, nonlinear=nonlinear)
        for nonlinear in (True, False)
    )
    assert bent.probability[2, 0] > 0.99
    assert bent.probability[2, 1] < 0.05
    # A binary node's only feature is its value, so its own edge cannot depend on the setting.
    assert bent.inclusion[1, 0] == pytest.approx(straight.inclusion[1, 0], abs=1e-12)
    drawn = bent.sample(2000, rng)
    np.testing.assert_allclose(drawn.adjacency.mean(axis=0), bent.probability, atol=0.03)


def test_parent_sets_are_limited_in_size_and_this_is_said() -> None:
    z = simulate(200, random_adjacency(17, 0.1, seed=0), seed=0)
    prior = EdgePriorMixture.fixed(np.full((17, 17), 0.1))
    posterior = KnownOrderPosterior.fit(z, full_order(17), prior, nonlinear=False)
    assert posterior.capped == {15: 7, 16: 6}
    few = KnownOrderPosterior.fit(z, full_order(17), prior, nonlinear=False, max_parents=2)
    assert few.capped == dict.fromkeys(range(3, 17), 2)
    assert few.sample(50, np.random.default_rng(0)).adjacency.sum(axis=2).max() <= 2


@pytest.mark.parametrize("n_subjects", [100, 1000])
def test_null_edges_are_improbable_and_strong_edges_probable(n_subjects: int) -> None:
    null, strong = [], []
    for seed in range(20):
        adjacency = random_adjacency(5, 0.3, seed)
        z = simulate(n_subjects, adjacency, seed, slope=1.5)
        prior = EdgePriorMixture.fixed(np.full((5, 5), 0.3))
        probability = KnownOrderPosterior.fit(z, full_order(5), prior).probability
        null.append(probability[full_order(5) & ~adjacency])
        strong.append(probability[adjacency])
    assert np.concatenate(null).mean() < 0.06
    assert np.concatenate(strong).mean() > 0.95


seeds = st.integers(0, 10_000)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=seeds, order=st.permutations(range(4)))
def test_renaming_the_nodes_renames_the_answer(seed: int, order: list[int]) -> None:
    z = simulate(60, random_adjacency(4, 0.5, seed), seed, slope=0.7)
    rates = np.random.default_rng(seed).uniform(0.05, 0.8, (2, 4, 4))
    posterior = KnownOrderPosterior.fit(z, full_order(4), EdgePriorMixture(rates, np.zeros(2)))
    permuted = KnownOrderPosterior.fit(
        z[:, order],
        full_order(4)[np.ix_(order, order)],
        EdgePriorMixture(rates[:, order][:, :, order], np.zeros(2)),
    )
    for name in ("inclusion", "probability"):
        expected = getattr(posterior, name)[np.ix_(order, order)]
        np.testing.assert_allclose(getattr(permuted, name), expected, atol=1e-8)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    seed=seeds,
    shift=st.floats(-100, 100),
    scale=st.floats(1e-3, 1e3),
    sign=st.sampled_from([-1.0, 1.0]),
)
def test_units_and_signs_do_not_matter(seed: int, shift: float, scale: float, sign: float) -> None:
    z = simulate(60, random_adjacency(4, 0.5, seed), seed, slope=0.7)
    prior = EdgePriorMixture.fixed(np.full((4, 4), 0.3))
    moved = z.copy()
    moved[:, 1] = sign * scale * z[:, 1] + shift
    posterior = KnownOrderPosterior.fit(z, full_order(4), prior)
    other = KnownOrderPosterior.fit(moved, full_order(4), prior)
    np.testing.assert_allclose(other.inclusion, posterior.inclusion, atol=1e-5)
    np.testing.assert_allclose(other.probability, posterior.probability, atol=1e-5)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=seeds, rope=st.floats(0, 0.5), n_subjects=st.integers(5, 60))
def test_probability_never_exceeds_inclusion(seed: int, rope: float, n_subjects: int) -> None:
    z = simulate(n_subjects, random_adjacency(4, 0.5, seed), seed)
    prior = EdgePriorMixture.fixed(np.full((4, 4), 0.5))
    posterior = KnownOrderPosterior.fit(z, full_order(4), prior, rope=rope)
    assert (posterior.probability >= 0).all()
    assert (posterior.probability <= posterior.inclusion + 1e-12).all()
    assert (posterior.inclusion <= 1).all()


def test_twelve_nodes_and_ten_thousand_subjects_take_seconds() -> None:
    z = simulate(10_000, random_adjacency(12, 0.3, seed=0), seed=0)
    prior = EdgePriorMixture.fixed(np.full((12, 12), 0.1))
    start = time.perf_counter()
    KnownOrderPosterior.fit(z, full_order(12), prior)
    assert time.perf_counter() - start < 5


good_z = np.random.default_rng(0).normal(size=(20, 3))
half = EdgePriorMixture.fixed(np.full((3, 3), 0.5))


@pytest.mark.parametrize(
    ("z", "allowed", "prior", "options", "message"),
    [
        (good_z[:, 0], full_order(3), half, {}, "shape"),
        (good_z[:1], full_order(3), half, {}, "two subjects"),
        (np.where(np.eye(20, 3, -2) > 0, np.nan, good_z), full_order(3), half, {}, "node 0"),
        (good_z * [1, np.inf, 1], full_order(3), half, {}, "node 1"),
        (good_z * [1, 1, 0] + 3, full_order(3), half, {}, "node 2 .* same value"),
        (good_z, full_order(4), half, {}, "allowed must have shape"),
        (good_z, np.eye(3, dtype=bool), half, {}, "cycle"),
        (good_z, ~np.eye(3, dtype=bool), half, {}, "cycle"),
        (good_z, full_order(3), EdgePriorMixture.fixed(np.eye(2)), {}, "edge prior is over 2"),
        (good_z, full_order(3), half, {"rope": -0.1}, "rope"),
        (good_z, full_order(3), half, {"rope": np.nan}, "rope"),
        (good_z, full_order(3), half, {"rope": np.inf}, "rope"),
        (good_z, full_order(3), half, {"max_parents": -1}, "max_parents"),
        (good_z, full_order(3), half, {"max_parents": 1.5}, "max_parents"),
        (
            good_z,
            full_order(3),
            EdgePriorMixture.fixed(np.ones((3, 3))),
            {"max_parents": 1},
            "2 parents are required",
        ),
        (
            good_z,
            full_order(3),
            EdgePriorMixture(np.stack([np.eye(3)[[0, 1, 0]], np.eye(3)[[0, 1, 1]]]), np.zeros(2)),
            {"max_parents": 0},
            "no graph",
        ),
    ],
)
def test_bad_input_is_named(
    z: FloatArray,
    allowed: BoolArray,
    prior: EdgePriorMixture,
    options: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(ModelError, match=message):
        KnownOrderPosterior.fit(z, allowed, prior, **options)


@pytest.mark.parametrize("draws", [0, -1, 2.5])
def test_the_number_of_draws_is_checked(draws: Any) -> None:
    posterior = KnownOrderPosterior.fit(good_z, full_order(3), half)
    with pytest.raises(ModelError, match="draws"):
        posterior.sample(draws, np.random.default_rng(0))
