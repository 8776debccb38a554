"""Standardised columns have mean 0 and variance 1, and go back to the data's units."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pyrocrl.data.standardise import column_moments, standardise, unstandardise

SHAPES = st.tuples(st.integers(3, 12), st.integers(1, 4))
CELLS = st.floats(-1e3, 1e3) | st.just(np.nan)


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray:
    """Any table with gaps, of any unit, whose columns are neither constant nor empty."""
    values: np.ndarray = draw(arrays(np.float64, SHAPES, elements=CELLS))
    values[:2] = [[-1.0], [1.0]]
    shift = draw(st.floats(-1e3, 1e3))
    unit = 10.0 ** draw(st.integers(-200, 200))
    return (values + shift) * unit


@given(tables())
def test_mean_0_and_variance_1_over_the_observed_cells(values: np.ndarray) -> None:
    names = [f"c{i}" for i in range(values.shape[1])]
    scaled = standardise("labs", names, values, *column_moments("labs", names, values))
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(scaled), np.isnan(values))
    np.testing.assert_allclose(np.nanmean(scaled, axis=0, dtype=np.float64), 0.0, atol=1e-6)
    np.testing.assert_allclose(np.nanvar(scaled, axis=0, dtype=np.float64), 1.0, atol=1e-5)


@given(tables())
def test_round_trip(values: np.ndarray) -> None:
    names = [f"c{i}" for i in range(values.shape[1])]
    mean, std = column_moments("labs", names, values)
    back = unstandardise(standardise("labs", names, values, mean, std), mean, std)
    assert back.dtype == np.float64
    np.testing.assert_allclose((back - mean) / std, (values - mean) / std, rtol=1e-6, atol=1e-10)


def test_moments_ignore_missing_cells() -> None:
    values = np.array([[1.0, 10.0], [np.nan, 20.0], [3.0, np.nan], [5.0, 60.0]])
    mean, std = column_moments("labs", ["a", "b"], values)
    np.testing.assert_allclose(mean, [3.0, 30.0])
    np.testing.assert_allclose(std, [np.sqrt(8 / 3), np.sqrt(1400 / 3)])


def test_small_changes_of_a_large_number_are_no_constant() -> None:
    values = 1.6e18 + 1e9 * np.arange(5.0)[:, None]
    _, std = column_moments("labs", ["nanoseconds"], values)
    np.testing.assert_allclose(std, 1e9 * np.sqrt(2.0))
