"""Intervals of strengths hold the strength in the population."""

from __future__ import annotations

import numpy as np
import pytest

from pyrocrl.structure import EdgePriorMixture, KnownOrderPosterior


@pytest.mark.slow
@pytest.mark.parametrize("law", ["normal", "laplace"])
def test_intervals_of_strength_hold_the_truth_as_often_as_they_say(law: str):
    """Those that take the parents' values as they are hold it in .83 (normal), .67 (laplace)."""
    rng = np.random.default_rng(200)
    held = 0
    for _ in range(400):
        cause, noise = getattr(rng, law)(size=(2, 200))
        z = np.stack([cause, 1.5 * cause + noise], axis=1)
        prior = EdgePriorMixture.fixed(np.full((2, 2), 0.5))
        posterior = KnownOrderPosterior.fit(
            z, np.tri(2, k=-1, dtype=bool), prior, rope=0.0, nonlinear=False
        )
        drawn = posterior.sample(1000, rng).strength[:, 1, 0]
        low, high = np.quantile(drawn, [0.05, 0.95])
        held += low <= 0.5 * np.log(1 + 1.5**2) <= high
    assert 0.85 <= held / 400 <= 0.95
