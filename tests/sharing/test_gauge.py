"""Of the functions that carry a latent, the reported one is normal and owes nothing to others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrocrl.sharing.gauge import Gauge

ALONE = np.zeros((4000, 0))


def standardised(values: np.ndarray) -> np.ndarray:
    return np.asarray((values - values.mean()) / values.std())


def nearness(one: np.ndarray, other: np.ndarray) -> float:
    return abs(float(np.corrcoef(one, other)[0, 1]))


BENDS = {
    "straight": lambda z: z,
    "bounded": lambda z: np.tanh(0.7 * z),
    "skewed": lambda z: np.exp(0.4 * z),
    "steep at the ends": lambda z: np.sinh(z),
}


@pytest.mark.parametrize("name", BENDS)
def test_a_normal_latent_comes_back_however_it_was_bent(name: str) -> None:
    z = np.random.default_rng(0).normal(size=4000)
    agreed = standardised(BENDS[name](z))
    reported = Gauge.of(agreed, ALONE)(agreed, ALONE)
    assert nearness(z, reported) > 0.99
    assert abs(reported.mean()) < 0.01
    assert abs(reported.std() - 1) < 0.01


def test_a_spread_that_differs_with_other_latents_is_evened_out() -> None:
    z, w, v = np.random.default_rng(1).normal(size=(3, 4000))
    beside = np.stack([w, v], 1)
    agreed = standardised(z * (1 + 0.5 * np.tanh(w) - 0.3 * np.tanh(v)))
    reported = Gauge.of(agreed, beside)(agreed, beside)
    assert nearness(z, agreed) < 0.95
    assert nearness(z, reported) > 0.99
    assert nearness(np.abs(reported), w) < 0.1


def test_two_groups_stay_two_groups() -> None:
    rng = np.random.default_rng(2)
    group = np.sign(rng.normal(size=4000))
    agreed = standardised(group + 0.1 * rng.normal(size=4000))
    reported = Gauge.of(agreed, ALONE)(agreed, ALONE)
    assert nearness(group, reported) > 0.95


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-6, 6), min_size=2, max_size=20, unique=True), st.floats(-4, 4))
def test_it_is_a_bijection_whose_slope_is_told(values: list[float], other: float) -> None:
    z, w = np.random.default_rng(3).normal(size=(2, 500))
    gauge = Gauge.of(standardised(z + 0.3 * z**3), w[:, None])
    new = np.sort(values)
    beside = np.full((len(new), 1), other)
    reported = gauge(new, beside)
    assert np.isfinite(reported).all()
    assert (np.diff(reported)[np.diff(new) > 1e-6] > 0).all()
    step = 1e-5
    slope = (gauge(new + step, beside) - gauge(new - step, beside)) / (2 * step)
    np.testing.assert_allclose(gauge.steepness(new, beside), slope, rtol=1e-3)


def test_values_that_are_all_alike_do_not_stop_it() -> None:
    agreed = np.zeros(4000)
    agreed[:100] = 1.0
    agreed = standardised(agreed)
    assert np.isfinite(Gauge.of(agreed, ALONE)(agreed, ALONE)).all()
