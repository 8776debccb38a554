"""The simpler methods that discovery is compared with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score

from pyrocrl.baselines.training import Budget
from pyrocrl.data import MultimodalData
from pyrocrl.errors import ModelError
from pyrocrl.metrics import cubic_ridge
from pyrocrl.sharing.content_selection import select_content, sizes_of
from pyrocrl.sharing.contrastive import align_known
from pyrocrl.sharing.linear import generalised_cca
from pyrocrl.simulate import from_membership, shared_case


def test_linear_components_are_found_with_their_membership() -> None:
    rng = np.random.default_rng(203)
    everywhere, pair, *own = rng.normal(size=(5, 2000))
    seen = {"m1": [everywhere, pair, own[0]], "m2": [own[1], pair, everywhere]}
    seen["m3"] = [everywhere, own[2]]
    tables = {
        name: np.stack(latents, 1) @ rng.normal(size=(len(latents), 8))
        + 0.01 * rng.normal(size=(2000, 8))
        for name, latents in seen.items()
    }
    latents, membership = generalised_cca(MultimodalData(tables), {"m1": 3, "m2": 3, "m3": 2})
    assert sorted(membership.sum(axis=1)) == [2, 3]
    for name, row in membership.iterrows():
        wanted = everywhere if row.all() else pair
        assert abs(np.corrcoef(latents[name], wanted)[0, 1]) > 0.99


def test_a_modality_shares_no_more_components_than_it_has_latents() -> None:
    data, _ = shared_case("none", seed=200, n_subjects=2000, strength=0.01)
    _, membership = generalised_cca(data, {"m1": 1, "m2": 2})
    assert len(membership) == 1


def test_codes_of_a_known_shared_latent_find_it() -> None:
    data, truth = from_membership(
        {"m1": [1, 1, 0], "m2": [1, 0, 1]}, np.zeros((3, 3)), seed=204, n_subjects=2000
    )
    found = align_known(data, truth.membership, budget=Budget(steps=250))
    assert list(found) == ["m1+m2.z1"]
    assert abs(np.corrcoef(found.to_numpy()[:, 0], truth.latents["m1+m2.z1"])[0, 1]) > 0.9


def test_codes_that_sets_of_views_select_hold_what_these_share() -> None:
    membership = {"m1": [1, 1, 1, 0, 0], "m2": [1, 1, 0, 1, 0], "m3": [1, 0, 0, 0, 1]}
    data, truth = from_membership(membership, np.zeros((5, 5)), seed=205, n_subjects=2000)
    sizes = sizes_of(truth.membership)
    assert sizes == {("m1", "m2"): 2, ("m1", "m3"): 1, ("m2", "m3"): 1, ("m1", "m2", "m3"): 1}
    found = select_content(data, sizes, budget=Budget(steps=800))
    everywhere = found.filter(like="m1+m2+m3").to_numpy()
    assert everywhere.shape[1] == 1
    assert abs(np.corrcoef(everywhere[:, 0], truth.latents["m1+m2+m3.z1"])[0, 1]) > 0.9
    pair = truth.latents.filter(like="m1+m2").to_numpy()
    regression = cubic_ridge().fit(found[::2], pair[::2])
    assert r2_score(pair[1::2], regression.predict(found[1::2])) > 0.85


def test_sets_that_share_nothing_are_refused() -> None:
    data, _ = shared_case("a", n_subjects=50)
    with pytest.raises(ModelError, match="share a latent"):
        select_content(data, {("m1", "m2"): 0})
    with pytest.raises(ModelError, match="'x'"):
        select_content(data, {("m1", "x"): 1})


def test_what_cannot_be_aligned_is_refused() -> None:
    data, truth = shared_case("none", n_subjects=50)
    with pytest.raises(ModelError, match="nothing to align"):
        align_known(data, truth.membership)
    with pytest.raises(ModelError, match="'m2'"):
        align_known(data, pd.DataFrame({"m1": [True]}))
