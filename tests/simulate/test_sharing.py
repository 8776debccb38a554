"""Simulated sharing: every modality measures the latents that it is said to see, and no others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrocrl.errors import ModelError
from pyrocrl.simulate import from_membership, multiview_case, shared_case
from pyrocrl.simulate.sharing_graphs import PATTERNS

SEED = 200


def explained(columns: Any, values: Any) -> float:
    """Share of the variance of `values` that quadratic regression on `columns` explains."""
    pairs = [columns[:, [i]] * columns[:, i:] for i in range(columns.shape[1])]
    basis = np.hstack([np.ones((len(columns), 1)), columns, *pairs])
    fitted = basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    return float(1 - (values - fitted).var() / values.var())


def test_a_modality_tells_the_latents_it_sees_and_only_these() -> None:
    seen = {"m1": [1, 1, 0], "m2": [1, 0, 1]}
    data, truth = from_membership(seen, np.zeros((3, 3)), seed=SEED, n_subjects=5000)
    for latent, row in truth.membership.iterrows():
        for modality, sees in row.items():
            share = explained(data[modality].measured(), truth.latents[latent].to_numpy())
            assert share > 0.9 if sees else share < 0.1, (latent, modality)


@pytest.mark.parametrize("case", sorted(PATTERNS))
def test_edges_run_from_shared_to_less_shared_latents(case: str) -> None:
    data, truth = shared_case(case, seed=SEED, n_subjects=20)
    seen = truth.membership.to_numpy()
    assert list(truth.membership.columns) == list(data.names)
    assert tuple(truth.latents) == tuple(truth.membership.index) == tuple(truth.adjacency.index)
    for child, parent in np.argwhere(truth.adjacency.to_numpy()):
        assert seen[child].sum() <= seen[parent].sum()
        if seen[parent].sum() > 1:
            assert (seen[parent] >= seen[child]).all()


@pytest.mark.parametrize("noise", ["gaussian", "laplace"])
def test_strength_is_the_noise_beside_what_parents_do(noise: Any) -> None:
    edge = [[0, 0], [1, 0]]
    seen = pd.DataFrame({"m1": [True, False], "m2": [False, True]})
    for strength in (0.1, 0.8):
        _, truth = from_membership(
            seen, edge, seed=SEED, n_subjects=20_000, noise=noise, strength=strength
        )
        z = truth.latents.to_numpy()
        bins = np.array_split(z[np.argsort(z[:, 0]), 1], 400)
        residual = np.mean([part.var() for part in bins])
        assert np.isclose(residual, strength**2 / (1 + strength**2), rtol=0.15)


def test_the_multiview_setting_has_four_views_of_five_latents() -> None:
    data, truth = multiview_case(seed=SEED, n_subjects=4000)
    assert [table.shape[0] for table in data] == [5] * 4
    assert truth.membership.sum(axis=0).tolist() == [5] * 4
    assert truth.membership.all(axis=1).sum() == 2
    assert np.abs(np.corrcoef(truth.latents.T)[np.triu_indices(6, 1)]).max() < 0.08
    _, dependent = multiview_case(seed=SEED, n_subjects=4000, dependent=True)
    assert np.abs(np.corrcoef(dependent.latents.T)[np.triu_indices(6, 1)]).max() > 0.2


def test_the_seed_decides() -> None:
    first, second, other = (shared_case("b", seed=seed, n_subjects=30)[1] for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.latents, second.latents)
    assert not first.latents.equals(other.latents)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"membership": {"m1": [1, 0], "m2": [1, 0]}}, "every latent must be seen"),
        ({"membership": {"m1": [1, 1], "m2": [0, 0]}}, "'m2' sees no latent"),
        ({"membership": {"m1": [1, 1], "m2": [1, 0]}, "strength": 0}, "strength"),
        ({"membership": {"m1": [1, 1], "m2": [1, 0]}, "columns": 2}, "columns must be at least 3"),
        ({"membership": {"m1": [1, 1]}, "adjacency": [[0, 1], [1, 0]]}, "acyclic"),
        ({"membership": {"m1": [1, 1]}, "adjacency": [[0]]}, "each of the 2 latents"),
    ],
)
def test_what_cannot_be_simulated_is_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        from_membership(**arguments, n_subjects=10)
    with pytest.raises(ModelError, match="case"):
        shared_case("z")
