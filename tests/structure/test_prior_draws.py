"""Where graphs and slopes are drawn from the prior, edges are there as often as is said."""

from __future__ import annotations

import numpy as np
import pytest

from pyrocrl.metrics import calibration
from pyrocrl.structure import EdgePriorMixture, KnownOrderPosterior

RATE = 0.3


@pytest.mark.slow
def test_edge_probabilities_are_calibrated_under_the_prior():
    rng = np.random.default_rng(200)
    allowed = np.tri(6, k=-1, dtype=bool)
    prior = EdgePriorMixture.fixed(np.full((6, 6), RATE))
    true, probability = [], []
    for _ in range(400):
        adjacency = allowed & (rng.random((6, 6)) < RATE)
        z = rng.normal(size=(int(rng.integers(100, 500)), 6))
        for child, parents in enumerate(adjacency):
            z[:, child] += z[:, parents] @ rng.normal(scale=2, size=parents.sum())
            z[:, child] /= z[:, child].std()
        posterior = KnownOrderPosterior.fit(z, allowed, prior, rope=0.0, nonlinear=False)
        true.append(adjacency[allowed])
        probability.append(posterior.probability[allowed])
    scores = calibration(np.concatenate(true), np.concatenate(probability))
    doubtful = scores.curve[scores.curve.probability.between(0.05, 0.95)]
    gap = (doubtful.probability - doubtful.share).abs()
    assert scores.ece <= 0.01
    assert (gap * doubtful.edges).sum() / doubtful.edges.sum() <= 0.06
