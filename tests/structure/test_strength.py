"""The strength of an edge is judged as the posterior of its mechanism demands."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma, ncx2

from pyrocrl.errors import ModelError
from pyrocrl.structure import (
    NodeBasis,
    StrengthTail,
    local_scores,
    parent_strengths,
    sufficient_statistics,
)
from pyrocrl.structure.scores import ADDITIVE


@pytest.mark.parametrize("n_features", [1, 6])
@pytest.mark.parametrize("rope", [0.002, 0.02, 0.5])
@pytest.mark.parametrize("n_subjects", [20, 300, 20_000])
def test_tail_integrates_over_the_noise_variance(
    n_subjects: int, rope: float, n_features: int
) -> None:
    shape = 1 + n_subjects / 2
    tail = StrengthTail(n_subjects, shape, rope)
    threshold = n_subjects * np.expm1(2 * rope)
    noncentrality = threshold * np.array([0.1, 0.5, 0.9, 1.0, 1.3, 3.0])
    posterior = gamma(shape, scale=1 / shape)
    low, high = posterior.ppf([1e-12, 1 - 1e-12])
    expected = [
        quad(
            lambda g, c=c: posterior.pdf(g) * ncx2.sf(threshold, n_features, c * g),
            low,
            high,
            epsabs=1e-9,
        )[0]
        for c in noncentrality
    ]
    np.testing.assert_allclose(tail(noncentrality, n_features), expected, atol=1e-6)
    np.testing.assert_allclose(tail.exact(noncentrality, n_features), expected, atol=1e-6)


def test_tail_is_zero_and_one_far_from_the_rope() -> None:
    tail = StrengthTail(10_000, 5001.0, 0.02)
    np.testing.assert_allclose(tail(np.array([0.0, 1e9]), 3), [0.0, 1.0], atol=1e-12)


@pytest.mark.parametrize("rope", [1e-300, 1e-12, 1e-4, 5.0, 50.0, 1e6])
@pytest.mark.parametrize("n_subjects", [2, 50, 1_000_000])
def test_tail_holds_for_odd_ropes(n_subjects: int, rope: float) -> None:
    tail = StrengthTail(n_subjects, 1 + n_subjects / 2, rope)
    probability = tail(np.array([0.0, 1.0, 100.0, 1e5, 1e9]), 2)
    assert ((probability >= 0) & (probability <= 1)).all()
    assert (np.diff(probability) >= -1e-6).all()


@pytest.mark.parametrize("rope", [-1e-9, np.nan, np.inf])
def test_a_rope_that_is_none_is_refused(rope: float) -> None:
    with pytest.raises(ModelError, match="rope"):
        StrengthTail(100, 51.0, rope)


def test_strength_is_that_of_mechanisms_drawn_from_their_posterior() -> None:
    rng = np.random.default_rng(0)
    n = 150
    z = rng.normal(size=(n, 3))
    z[:, 1] += 0.5 * z[:, 0]
    z[:, 2] += 0.4 * np.tanh(2 * z[:, 0]) + 0.4 * z[:, 1] ** 2
    statistics = sufficient_statistics(z)
    scored = local_scores(statistics, 2, [0, 1])
    rope = 0.05
    strengths = parent_strengths(scored, statistics, ADDITIVE, StrengthTail(n, 1 + n / 2, rope))
    both = len(scored.sets) - 1
    assert (strengths.judged_in[both, :2] == both).all()

    features = np.concatenate(
        [NodeBasis.fit(z[:, node]).transform(z[:, node]) for node in (0, 1)], axis=1
    )
    y = (z[:, 2] - z[:, 2].mean()) / z[:, 2].std()
    expected = np.zeros(2)
    for slab, weight in zip(ADDITIVE.smooth, scored.slab_probability[both], strict=True):
        used = np.arange(12) if slab else np.array([0, 6])
        variances = np.where(used % 6 == 0, ADDITIVE.linear, slab or 1.0)
        precision = features[:, used].T @ features[:, used] + np.diag(1 / variances)
        mean = np.linalg.solve(precision, features[:, used].T @ y)
        scale = 1 + 0.5 * (y @ y - mean @ precision @ mean)
        noise_precision = rng.gamma(1 + n / 2, 1 / scale, size=40_000)
        noise = rng.multivariate_normal(np.zeros(len(used)), np.linalg.inv(precision), 40_000)
        w = mean + noise / np.sqrt(noise_precision)[:, None]
        for parent, own in enumerate(np.split(np.arange(len(used)), 2)):
            own_precision = np.linalg.inv(np.linalg.inv(precision)[np.ix_(own, own)])
            explained = np.einsum("df,fg,dg->d", w[:, own], own_precision, w[:, own])
            strength = 0.5 * np.log1p(explained * noise_precision / n)
            expected[parent] += weight * (strength > rope).mean()
    np.testing.assert_allclose(strengths.probability[both, :2], expected, atol=0.01)
    assert ((expected > 0.5) & (expected < 0.999)).any()


def test_the_weaker_of_two_redundant_parents_leaves_first() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(1000, 3))
    z[:, 1] = z[:, 0] + 0.1 * z[:, 1]
    z[:, 2] += z[:, 0]
    statistics = sufficient_statistics(z)
    scored = local_scores(statistics, 2, [0, 1])
    strengths = parent_strengths(scored, statistics, ADDITIVE, StrengthTail(1000, 501.0, 0.05))
    alone, both = 1, 3
    np.testing.assert_array_equal(scored.sets.membership[alone], [True, False, False])
    assert strengths.judged_in[both].tolist() == [alone, both, -1]
    assert strengths.probability[both, 0] > 0.99
    assert strengths.probability[both, 1] < 0.05


def test_required_parents_never_leave() -> None:
    z = np.random.default_rng(0).normal(size=(1000, 3))
    statistics = sufficient_statistics(z)
    scored = local_scores(statistics, 2, [0, 1], required=[0])
    strengths = parent_strengths(scored, statistics, ADDITIVE, StrengthTail(1000, 501.0, 0.05))
    assert (strengths.probability[:, 0] == 1).all()
    # Node 1 is noise: it leaves, and the required parent is drawn in the set without it.
    assert strengths.judged_in.tolist() == [[0, -1, -1], [0, 1, -1]]
