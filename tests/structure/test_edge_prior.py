"""An edge prior is a distribution over parent sets."""

from __future__ import annotations

import numpy as np
import pytest

from pyrocrl.errors import PriorError
from pyrocrl.structure import EdgePriorMixture, ParentSets
from pyrocrl.structure._arrays import FloatArray
from pyrocrl.structure.edge_prior import log_prior


@pytest.mark.parametrize(
    ("probabilities", "log_weights", "message"),
    [
        (np.full((3, 3), 0.5), np.zeros(3), "shape"),
        (np.full((1, 3, 2), 0.5), np.zeros(1), "shape"),
        (np.full((2, 3, 3), 0.5), np.zeros(1), "2 components"),
        (np.full((0, 3, 3), 0.5), np.zeros(0), "0 components"),
        (np.full((1, 3, 3), 1.5), np.zeros(1), "between 0 and 1"),
        (np.full((1, 3, 3), np.nan), np.zeros(1), "between 0 and 1"),
        (np.full((1, 3, 3), 0.5), np.array([np.nan]), "log_weights"),
        (np.full((1, 3, 3), 0.5), np.array([-np.inf]), "log_weights"),
        (np.full((2, 3, 3), 0.5), np.array([0.0, np.inf]), "log_weights"),
    ],
)
def test_what_is_no_prior_is_refused(
    probabilities: FloatArray, log_weights: FloatArray, message: str
) -> None:
    with pytest.raises(PriorError, match=message):
        EdgePriorMixture(probabilities, log_weights)


def test_prior_of_all_parent_sets_sums_to_one() -> None:
    sets = ParentSets.enumerate(5, [0, 1, 3, 4])
    probabilities = np.random.default_rng(0).random((7, 5))
    probabilities[:, 2] = 0.0
    probabilities[1, 0] = 1.0
    probabilities[2, 3] = 0.0
    prior = np.exp(log_prior(sets, probabilities))
    np.testing.assert_allclose(prior.sum(axis=1), 1.0)
    np.testing.assert_allclose(prior @ sets.membership, probabilities)
