"""The evidence of a parent set is the density of the child's values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_t

from pyrocrl.errors import ModelError
from pyrocrl.structure import NodeBasis, local_scores, scores, sufficient_statistics
from pyrocrl.structure._arrays import FloatArray
from pyrocrl.structure.scores import ADDITIVE, LINEAR, NormalInverseGamma


@pytest.fixture
def z() -> FloatArray:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(50, 4))
    z[:, 3] += np.tanh(z[:, 0]) + z[:, 1] ** 2
    z[:, 2] = z[:, 2] > 0
    return z


@pytest.mark.parametrize("child", [0, 2, 3])
@pytest.mark.parametrize(
    "prior",
    [
        LINEAR,
        ADDITIVE,
        ADDITIVE.with_slab((0.5, 2.0)),
        NormalInverseGamma(2.0, (0.0, 0.7), shape=2.5, scale=0.4),
    ],
)
def test_evidence_is_the_density_of_a_multivariate_t(
    z: FloatArray, child: int, prior: NormalInverseGamma
) -> None:
    statistics = sufficient_statistics(z)
    others = [node for node in range(4) if node != child]
    scored = local_scores(statistics, child, others, prior=prior)
    features = [NodeBasis.fit(column).transform(column) for column in z.T]
    for k, slab in enumerate(prior.slabs):
        for row, members in enumerate(scored.sets.membership):
            covariance = np.eye(len(z))
            for node in np.flatnonzero(members):
                variances = np.array([slab.linear] + [slab.smooth] * 5)
                covariance += features[node] * variances @ features[node].T
            expected = multivariate_t.logpdf(
                features[child][:, 0],
                shape=covariance * prior.scale / prior.shape,
                df=2 * prior.shape,
            )
            assert scored.by_slab[row, k] == pytest.approx(expected, abs=1e-8)


def test_a_slab_of_several_widths_is_their_average(z: FloatArray) -> None:
    statistics = sufficient_statistics(z)
    each = [
        np.exp(local_scores(statistics, 3, [0, 1], prior=LINEAR.with_slab(width)).log_evidence)
        for width in (0.5, 2.0)
    ]
    both = local_scores(statistics, 3, [0, 1], prior=LINEAR.with_slab((0.5, 2.0)))
    np.testing.assert_allclose(np.exp(both.log_evidence), np.mean(each, axis=0))


@pytest.mark.parametrize("slab", [0.0, -1.0, np.inf, (), (1.0, np.nan)])
def test_a_slab_that_is_none_is_refused(slab: float | tuple[float, ...]) -> None:
    with pytest.raises(ModelError, match="slab must be a positive standard deviation"):
        LINEAR.with_slab(slab)


def test_evidence_averages_over_slabs(z: FloatArray) -> None:
    scored = local_scores(sufficient_statistics(z), 3, [0, 1])
    np.testing.assert_allclose(np.exp(scored.log_evidence), np.exp(scored.by_slab).mean(axis=1))
    np.testing.assert_allclose(scored.slab_probability.sum(axis=1), 1.0)
    # The child's bend in node 1 must speak against a linear mechanism.
    assert scored.slab_probability[-1, 0] < 0.01


def test_required_parents_are_in_every_set(z: FloatArray) -> None:
    statistics = sufficient_statistics(z)
    everything = local_scores(statistics, 3, [0, 1, 2])
    some = local_scores(statistics, 3, [0, 1, 2], required=[1])
    chosen = everything.sets.membership[:, 1]
    np.testing.assert_array_equal(some.sets.membership, everything.sets.membership[chosen])
    np.testing.assert_allclose(some.log_evidence, everything.log_evidence[chosen])


def test_scores_do_not_depend_on_the_blocks(z: FloatArray, monkeypatch: pytest.MonkeyPatch) -> None:
    statistics = sufficient_statistics(z)
    whole = local_scores(statistics, 3, [0, 1, 2])
    monkeypatch.setattr(scores, "_FLOATS_PER_BLOCK", 1)
    np.testing.assert_allclose(
        local_scores(statistics, 3, [0, 1, 2]).log_evidence, whole.log_evidence, rtol=1e-12
    )


def test_copies_of_a_node_can_be_scored(z: FloatArray) -> None:
    copies = np.concatenate([z, z[:, :1], z[:, 3:]], axis=1)
    scored = local_scores(sufficient_statistics(copies), 3, [0, 1, 2, 4, 5])
    assert np.isfinite(scored.log_evidence).all()
    best = scored.sets.membership[scored.log_evidence.argmax()]
    np.testing.assert_array_equal(np.flatnonzero(best), [5])
