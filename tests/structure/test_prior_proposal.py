"""Components drawn near the posterior stand for the same prior as plain draws, only better."""

from __future__ import annotations

import numpy as np
import pyro.distributions as dist
import pytest
import torch
from scipy import stats

import pyrocrl as crl
from pyrocrl.posterior.collapse import collapse
from pyrocrl.scm import BackgroundKnowledge, Nodes
from pyrocrl.structure import EdgePriorMixture, KnownOrderPosterior
from pyrocrl.structure.prior_proposal import mixture_near
from pyrocrl.structure.program_prior import independent_edge_mixture

NODES = Nodes(
    tuple(f"{m}.z{i}" for m in "abc" for i in (1, 2)), ("a", "a", "b", "b", "c", "c"), (True,) * 6
)
SPACE = BackgroundKnowledge().graph_space(NODES)


def measurements() -> np.ndarray:
    """Every a acts on every b, and nothing on c: rates far from what most priors expect."""
    rng = np.random.default_rng(210)
    z = rng.normal(size=(250, 6))
    z[:, 2:4] += 0.6 * z[:, :2] @ np.array([[1.0, -1.0], [1.0, 1.0]])
    z[:, 4] += 0.18 * z[:, 2]
    return z


def fitted(mixture: EdgePriorMixture) -> KnownOrderPosterior:
    return KnownOrderPosterior.fit(measurements(), SPACE.allowed, mixture, nonlinear=False)


def test_it_agrees_with_a_grid_over_the_rate() -> None:
    grid = stats.beta(1, 60).ppf((np.arange(40_000) + 0.5) / 40_000)
    allowed = SPACE.allowed.astype(float)
    exact = fitted(EdgePriorMixture(grid[:, None, None] * allowed, np.zeros(len(grid))))
    prior = crl.SpikeAndSlab(dist.Beta(1.0, 60.0))
    near = fitted(mixture_near(prior, SPACE, exact.inclusion, seed=211))
    np.testing.assert_allclose(near.inclusion, exact.inclusion, atol=0.01)
    assert near.log_evidence == pytest.approx(exact.log_evidence, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("prior", [crl.HierarchicalEdges(), crl.ScaleFree(0.15)], ids=repr)
def test_it_agrees_with_many_plain_draws(prior: crl.EdgePrior) -> None:
    plain = fitted(independent_edge_mixture(prior, SPACE, draws=200_000, seed=212))
    few = fitted(independent_edge_mixture(prior, SPACE, seed=213))
    near = fitted(mixture_near(prior, SPACE, few.inclusion, draws=20_000, seed=214))
    assert plain.prior_ess > 1000
    assert near.prior_ess > 10 * few.prior_ess
    np.testing.assert_allclose(near.inclusion, plain.inclusion, atol=0.015)
    assert near.log_evidence == pytest.approx(plain.log_evidence, abs=0.1)


def test_it_is_the_prior_wherever_it_looks() -> None:
    prior = crl.HierarchicalEdges(dist.Beta(2.0, 6.0))
    for inclusion in (np.zeros((6, 6)), SPACE.allowed.astype(float)):
        mixture = mixture_near(prior, SPACE, inclusion, seed=215)
        mean = np.tensordot(np.exp(mixture.log_weights), mixture.probabilities, 1)
        np.testing.assert_allclose(mean, 0.25 * SPACE.allowed, atol=0.03)
        both = (mixture.probabilities[:, 2, 0] * mixture.probabilities[:, 3, 1]).T
        plain = independent_edge_mixture(prior, SPACE, draws=20_000, seed=216).probabilities
        expected = (plain[:, 2, 0] * plain[:, 3, 1]).mean()
        assert np.exp(mixture.log_weights) @ both == pytest.approx(expected, abs=0.02)


def test_it_leaves_the_random_state_alone_and_comes_back_the_same() -> None:
    before = torch.random.get_rng_state()
    prior, inclusion = crl.ScaleFree(0.1), np.full((6, 6), 0.2)
    one = mixture_near(prior, SPACE, inclusion, draws=200, seed=217)
    other = mixture_near(prior, SPACE, inclusion, draws=200, seed=217)
    assert torch.equal(before, torch.random.get_rng_state())
    np.testing.assert_array_equal(one.probabilities, other.probabilities)
    np.testing.assert_array_equal(one.log_weights, other.log_weights)


def test_the_reported_posterior_uses_it_where_plain_draws_are_few() -> None:
    prior = crl.SpikeAndSlab(dist.Beta(1.0, 400.0))
    z = measurements()
    plain = fitted(independent_edge_mixture(prior, SPACE))
    reported = collapse(z[None], SPACE, prior, rope=0.02, nonlinear=False, seed=0)
    assert plain.prior_ess < 200 < reported.prior_ess
