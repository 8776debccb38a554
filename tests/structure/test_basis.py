"""Features are a straight line and bends free of it, however the values are spread."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pyrocrl.errors import ModelError
from pyrocrl.structure import NodeBasis, basis, sufficient_statistics
from pyrocrl.structure._arrays import FloatArray


@pytest.mark.parametrize("draw", ["normal", "exponential", "standard_cauchy", "uniform"])
def test_features_are_centred_and_free_of_linear_trend(draw: str) -> None:
    values = getattr(np.random.default_rng(0), draw)(size=400)
    features = NodeBasis.fit(values).transform(values)
    products = features.T @ features / 400
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-7)
    assert products[0, 0] == pytest.approx(1)
    np.testing.assert_allclose(products[0, 1:], 0, atol=1e-7)


def test_smooth_features_make_functions_of_about_unit_variance() -> None:
    values = np.random.default_rng(0).normal(size=1000)
    features = NodeBasis.fit(values).transform(values)[:, 1:]
    assert 0.9 < (features**2).mean(axis=0).sum() <= 1 + 1e-9


@pytest.mark.parametrize("function", [np.square, np.tanh, np.abs, np.sin])
def test_smooth_features_span_smooth_functions(
    function: Callable[[FloatArray], FloatArray],
) -> None:
    values = np.random.default_rng(0).normal(size=1000)
    features = NodeBasis.fit(values).transform(values)
    target = function(values) - function(values).mean()
    residual = target - features @ np.linalg.lstsq(features, target, rcond=None)[0]
    assert residual.var() < 0.05 * target.var()


@pytest.mark.parametrize("levels", [2, 3, 4, 5])
def test_few_values_support_few_features(levels: int) -> None:
    values = np.random.default_rng(0).integers(levels, size=500) * 7.0
    node = NodeBasis.fit(values)
    features = node.transform(values)
    assert node.active.sum() == levels - 1
    assert not features[:, ~node.active].any()
    assert np.linalg.matrix_rank(features) == levels - 1


def test_mostly_zero_values_have_finite_features() -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(500) < 0.97, 0.0, rng.exponential(size=500))
    features = NodeBasis.fit(values).transform(values)
    assert np.isfinite(features).all()
    assert (features**2).mean(axis=0)[1:].sum() <= 1 + 1e-6


def test_new_values_get_the_same_features() -> None:
    values = np.random.default_rng(0).normal(size=300)
    node = NodeBasis.fit(values)
    np.testing.assert_allclose(node.transform(values[:7]), node.transform(values)[:7])


@pytest.mark.parametrize("constant", [0.0, 5.0, 0.1, 1e12])
def test_constant_nodes_are_refused(constant: float) -> None:
    with pytest.raises(ModelError, match="constant"):
        NodeBasis.fit(np.full(30, constant))


def test_sums_do_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    z = np.random.default_rng(0).normal(size=(100, 3))
    whole = sufficient_statistics(z)
    monkeypatch.setattr(basis, "_ROWS_PER_BLOCK", 7)
    np.testing.assert_allclose(sufficient_statistics(z).gram, whole.gram, atol=1e-9)
