"""Mechanisms of a cycle are fitted with their Jacobian, and integrated out."""

from __future__ import annotations

import numpy as np
import pytest

from pyrocrl.structure import (
    GAUSSIAN,
    NOISE_LAWS,
    NodeBasis,
    NoiseLaw,
    NormalInverseGamma,
    local_scores,
    sufficient_statistics,
)
from pyrocrl.structure._arrays import FloatArray
from pyrocrl.structure.cycle_fit import fit_block
from pyrocrl.structure.cycle_jacobian import CycleData, Jacobian
from pyrocrl.structure.cycle_nodes import GaussianNode, LawNode, NodeTerm

PRIOR = NormalInverseGamma.equivalent()


def equilibrium(noise: FloatArray, slope: float = 0.56) -> FloatArray:
    """Two nodes that cause each other."""
    z = np.zeros_like(noise)
    for _ in range(200):
        z = slope * np.tanh(1.5 * z[:, ::-1]) + noise
    return z


def test_slopes_are_the_derivatives_of_the_features() -> None:
    values = 3 + 2 * np.random.default_rng(0).normal(size=200)
    basis = NodeBasis.fit(values)
    step = 1e-5 * basis.std
    numeric = (basis.transform(values + step) - basis.transform(values - step)) / 2e-5
    np.testing.assert_allclose(basis.slopes(values), numeric, atol=1e-8)


def numeric_derivatives(term: NodeTerm, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    step = 1e-4
    moves = step * np.eye(len(weights))
    gradient = [(term.value(weights + m) - term.value(weights - m)) / (2 * step) for m in moves]
    curvature = [
        (term.derivatives(weights + m)[0] - term.derivatives(weights - m)[0]) / (2 * step)
        for m in moves
    ]
    return np.array(gradient), -np.array(curvature)


@pytest.mark.parametrize("law", [None, *NOISE_LAWS[1:]])
def test_derivatives_of_a_node_are_right(law: NoiseLaw | None) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 3))
    target = features @ np.array([0.5, -0.2, 0.1]) + rng.normal(size=60)
    node = GaussianNode(target, features, np.array([0.25, 2.0, 2.0]), 1, PRIOR)
    term = node if law is None else LawNode(node, law, 1.1)
    weights = np.array([0.3, 0.1, -0.2])
    gradient, curvature = numeric_derivatives(term, weights)
    found = term.derivatives(weights)
    np.testing.assert_allclose(found[0], gradient, atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(found[1], curvature, atol=1e-2, rtol=1e-3)


def test_derivatives_of_the_jacobian_are_right() -> None:
    rng = np.random.default_rng(0)
    data = CycleData.of(rng.normal(size=(80, 4)), 2)
    edges = ((0, 1), (1, 0), (1, 2), (2, 0), (0, 3))
    jacobian = Jacobian(data, [0, 1, 2], edges, 3)
    weights = 0.1 * rng.normal(size=15)
    step = 1e-5
    moves = step * np.eye(15)
    gradient, curvature = jacobian.derivatives(jacobian.log_det(weights)[2], 15)
    numeric = [
        (jacobian.log_det(weights + m)[1] - jacobian.log_det(weights - m)[1]) / (2 * step)
        for m in moves
    ]
    np.testing.assert_allclose(gradient, numeric, atol=1e-5)
    steps = [
        jacobian.derivatives(jacobian.log_det(weights + m)[2], 15)[0]
        - jacobian.derivatives(jacobian.log_det(weights - m)[2], 15)[0]
        for m in moves
    ]
    np.testing.assert_allclose(curvature, -np.array(steps) / (2 * step), atol=1e-4)
    assert not gradient[12:].any()


def test_log_det_is_that_of_the_jacobian() -> None:
    rng = np.random.default_rng(0)
    data = CycleData.of(rng.normal(size=(30, 2)), 0)
    jacobian = Jacobian(data, [0, 1], ((0, 1), (1, 0)), 1)
    plain, _, _ = jacobian.log_det(np.array([0.5, 0.6]))
    assert plain == pytest.approx(30 * np.log(1 - 0.3))
    assert jacobian.log_det(np.array([2.0, 0.6]))[1] == -np.inf


@pytest.mark.parametrize("parents", [(), (0,), (0, 1)])
def test_a_node_without_cycles_has_the_evidence_of_its_parent_set(parents: tuple[int, ...]) -> None:
    rng = np.random.default_rng(300)
    z = rng.normal(size=(2000, 3))
    z[:, 2] += np.tanh(z[:, 0])
    scores = local_scores(sufficient_statistics(z), 2, [0, 1], prior=PRIOR)
    row = scores.sets.membership[:, :2].tolist().index([0 in parents, 1 in parents])
    fit = fit_block(CycleData.of(z, 5), ((2, parents),), PRIOR)
    by_slab = dict(zip(PRIOR.smooth, scores.by_slab[row], strict=True))
    for slab, own in zip(sorted(PRIOR.smooth, reverse=True), fit.slabs, strict=True):
        assert own.log_evidence == pytest.approx(by_slab[slab], abs=0.1)


def test_evidence_of_a_cycle_is_the_integral_over_its_weights() -> None:
    # Two straight lines: few enough weights for a grid.
    z = equilibrium(np.random.default_rng(300).laplace(size=(40, 2)))
    prior = NormalInverseGamma.equivalent(smooth=(0.0,))
    data = CycleData.of(z, 0)
    fit = fit_block(data, ((0, (1,)), (1, (0,))), prior).slabs[0]
    x = data.features[:, :, 0]
    grid = np.linspace(-0.99, 0.99, 400)
    a, b = np.meshgrid(grid, grid, indexing="ij")

    def node(target: FloatArray, parent: FloatArray, weight: FloatArray) -> FloatArray:
        own = GaussianNode(target, parent[:, None], np.array([0.25]), 1, prior)
        value = np.array([own.value(np.array([w])) for w in grid])
        return own.constant + value[np.searchsorted(grid, weight)]

    log_joint = node(x[:, 0], x[:, 1], a) + node(x[:, 1], x[:, 0], b) + 40 * np.log(1 - a * b)
    highest = log_joint.max()
    integral = highest + np.log(np.exp(log_joint - highest).sum() * (grid[1] - grid[0]) ** 2)
    assert fit.log_evidence == pytest.approx(integral, abs=0.5)


def test_a_cycle_is_told_from_either_direction() -> None:
    z = equilibrium(np.random.default_rng(300).normal(size=(1000, 2)))
    data = CycleData.of(z, 8)
    both = fit_block(data, ((0, (1,)), (1, (0,))), PRIOR).log_evidence
    alone = [fit_block(data, ((k, ()),), PRIOR).log_evidence for k in (0, 1)]
    caused = [fit_block(data, ((k, (1 - k,)),), PRIOR).log_evidence for k in (0, 1)]
    assert both > max(alone[0] + caused[1], alone[1] + caused[0]) + 10


def test_mechanisms_of_a_cycle_are_recovered() -> None:
    z = equilibrium(np.random.default_rng(300).normal(size=(5000, 2)))
    data = CycleData.of(z, 8)
    fit = fit_block(data, ((0, (1,)), (1, (0,))), PRIOR)
    slab = fit.slabs[int(fit.slab_probability.argmax())]
    for k, (child, parent) in enumerate(fit.edges):
        found = data.features[:, parent] @ slab.weights[k * 9 : (k + 1) * 9]
        true = 0.56 * np.tanh(1.5 * z[:, parent]) / z[:, child].std()
        assert np.corrcoef(found, true)[0, 1] > 0.99
        assert found.std() == pytest.approx(true.std(), rel=0.15)


def test_weights_are_fitted_under_the_law_of_the_noise() -> None:
    z = equilibrium(np.random.default_rng(300).laplace(size=(3000, 2)))
    data = CycleData.of(z, 8)
    block = ((0, (1,)), (1, (0,)))
    flexible, gaussian = (fit_block(data, block, PRIOR, laws) for laws in (NOISE_LAWS, (GAUSSIAN,)))
    assert all(law.power == 1.0 for law in flexible.slabs[0].laws)
    assert flexible.log_evidence > gaussian.log_evidence + 100
    error = []
    for fit in (flexible, gaussian):
        slab = fit.slabs[int(fit.slab_probability.argmax())]
        found = data.features[:, 1, : slab.n_features] @ slab.weights[: slab.n_features]
        true = 0.56 * np.tanh(1.5 * z[:, 1]) / z[:, 0].std()
        error.append(np.square(found - true + true.mean() - found.mean()).mean() / true.var())
    assert error[0] < 0.05
    assert error[0] < error[1]
