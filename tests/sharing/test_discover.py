"""Discovery of shared latents on known truth, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import pyrocrl as crl
from pyrocrl.errors import DataError, ModelError
from pyrocrl.report.graph import GraphPicture
from pyrocrl.report.story import latent_stories
from pyrocrl.sharing import SharedLatents, discover
from pyrocrl.simulate import SharedTruth, from_membership, shared_case


@pytest.fixture(scope="module")
def fitted() -> tuple[SharedLatents, crl.MultimodalData, SharedTruth]:
    data, truth = shared_case("a", seed=201, n_subjects=3000)
    return discover(data, latents=3, progress=False), data, truth


def test_one_shared_latent_is_found_where_it_is(fitted: Any) -> None:
    found, _, truth = fitted
    assert found.names == ("m1+m2.z1",)
    pd.testing.assert_frame_equal(
        found.membership(), truth.membership.rename_axis(columns="modality")
    )
    assert (found.membership_probabilities().to_numpy() > 0.9).all()
    z = found.latents().to_numpy()[:, 0]
    assert abs(np.corrcoef(z, truth.latents["m1+m2.z1"])[0, 1]) > 0.97
    assert "m1+m2.z1: P = " in repr(found)


def test_what_was_judged_and_refused_stands_in_the_table(fitted: Any) -> None:
    found, _, _ = fitted
    refused = found.table[found.table["latent"] == ""]
    assert len(refused) == 1
    assert float(refused["probability"].iloc[0]) < 0.5
    # The edges between the modalities have noise of strength .5.
    assert 0.3 < float(refused["noise"].iloc[0]) < 0.8


def test_other_subjects_can_be_encoded_and_each_modality_has_its_opinion(fitted: Any) -> None:
    found, data, _ = fitted
    few = data.select(range(40, 60))
    np.testing.assert_allclose(
        found.latents(few).to_numpy(), found.latents().to_numpy()[40:60], atol=1e-5
    )
    opinions = found.opinions(few)
    assert opinions["mean"].dims == ("subject", "latent", "modality")
    means = opinions["mean"].to_numpy()[:, 0]
    assert np.corrcoef(means.T)[0, 1] > 0.97
    assert (opinions["deviation"].to_numpy() > 0).all()


def test_draws_follow_the_probabilities(fitted: Any) -> None:
    found, _, _ = fitted
    drawn = found.to_inference_data(draws=400, seed=1).posterior["membership"]
    assert drawn.dims == ("chain", "draw", "latent", "modality")
    wanted = found.membership_probabilities().loc["m1+m2.z1", "m2"]
    assert abs(float(drawn.sel(modality="m2").mean()) - wanted) < 0.05
    assert float(drawn.sel(modality="m1").mean()) == 1.0
    assert len(found.plot_membership().texts) == 2


def test_the_seed_decides_and_the_random_state_is_left_alone(fitted: Any) -> None:
    _, data, _ = fitted
    state = torch.get_rng_state()
    one, other = (discover(data, 2, seed=3, progress=False, max_epochs=4) for _ in range(2))
    pd.testing.assert_frame_equal(one.table, other.table)
    assert torch.equal(state, torch.get_rng_state())


def test_a_prior_can_rule_sharing_out(fitted: Any) -> None:
    _, data, _ = fitted
    pairs = pd.DataFrame(0.0, index=list(data.names), columns=list(data.names))
    for prior in (0.0, pairs, lambda members: 0.0):
        found = discover(data, 3, prior=prior, progress=False, max_epochs=1)
        assert found.names == ()
        assert found.table.empty
        assert found.membership().sum().tolist() == [3, 3]
        assert found.latents().shape == (3000, 0)
    with pytest.raises(ModelError, match="no latent was found"):
        found.to_inference_data()


def test_membership_can_be_given_or_partly_given(fitted: Any) -> None:
    _, data, truth = fitted
    for known in (truth.membership, {("m2", "m1"): 1}):
        found = discover(data, 3, membership=known, progress=False, max_epochs=1)
        assert found.names == ("m1+m2.z1",)
        assert found.table["probability"].tolist() == [1.0]
    nothing = discover(data, 3, membership={("m1", "m2"): 0}, progress=False, max_epochs=1)
    assert nothing.names == ()


def test_three_modalities_share_in_different_ways() -> None:
    """One latent seen by all and one by a pair, no edges."""
    seen = {"x": [1, 1, 0, 0, 0], "y": [1, 1, 0, 1, 0], "z": [1, 0, 0, 0, 1]}
    seen["x"][2] = 1
    data, truth = from_membership(seen, np.zeros((5, 5)), seed=202, n_subjects=3000, columns=8)
    found = discover(data, {"x": 3, "y": 3, "z": 2}, progress=False)
    assert sorted(found.names) == ["x+y+z.z1", "x+y.z1"]
    correlation = np.corrcoef(found.latents().to_numpy().T, truth.latents.to_numpy().T)
    for name in found.names:
        own = correlation[found.names.index(name), 2 + list(truth.latents).index(name)]
        assert abs(own) > 0.95


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"latents": 0}, ModelError, "latents"),
        ({"latents": {"m1": 2}}, ModelError, "'m2' is missing"),
        ({"prior": 1.2}, ModelError, "prior"),
        ({"prior": pd.DataFrame({"m1": [1.0]}, ["m1"])}, ModelError, "'m2' is missing"),
        ({"seed": -1}, ModelError, "seed"),
        ({"membership": {("m1",): 1}}, ModelError, "no set of two modalities"),
        ({"membership": {("m1", "m2"): 3}}, ModelError, "'m1' shares 3 latents"),
        ({"membership": pd.DataFrame({"m1": [1]})}, ModelError, "membership must have"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(
    arguments: Any, error: type[Exception], message: str
) -> None:
    data, _ = shared_case("none", n_subjects=300)
    with pytest.raises(error, match=message):
        discover(data, **arguments, progress=False)


def test_data_that_cannot_be_used_are_refused() -> None:
    data, _ = shared_case("none", n_subjects=300)
    frames = {name: data.frame(name) for name in data.names}
    with pytest.raises(DataError, match="2 to 6 modalities"):
        discover({"m1": frames["m1"]}, progress=False)
    gaps = {**frames, "m2": frames["m2"].drop(index=frames["m2"].index[:2])}
    gaps["m2"] = gaps["m2"].reindex(frames["m2"].index)
    with pytest.raises(DataError, match="2 subjects lack modality 'm2'"):
        discover(gaps, progress=False)
    with pytest.raises(DataError, match="too few subjects"):
        discover(data.select(range(50)), progress=False)
    with pytest.raises(DataError, match="'age' holds Variables"):
        discover({**frames, "age": crl.Variables(frames["m1"][["x1"]])}, progress=False)


def test_shared_latents_join_the_measurements_as_variables(fitted: Any) -> None:
    found, data, _ = fitted
    joined = found.joined(data)
    assert joined.names == ("m1+m2", "m1", "m2")
    assert joined["m1+m2"].seen_by == ("m1", "m2")
    assert found.own == {"m1": 2, "m2": 2}
    fit = crl.fit(data, sharing=found, restarts=2, max_epochs=3, progress=False)
    assert list(fit.edge_probabilities()) == ["m1+m2.z1", "m1.z1", "m1.z2", "m2.z1", "m2.z2"]
    assert fit.latents(found.joined(data.select(range(5)))).shape == (5, 4)


def test_a_posterior_knows_who_sees_its_latents(fitted: Any, tmp_path: Path) -> None:
    found, data, _ = fitted
    posterior = crl.fit(data, sharing=found, restarts=2, max_epochs=3, progress=False)
    loaded = crl.load(posterior.save(tmp_path / "fit"))
    shared = found.membership_probabilities()
    for answer in (posterior, loaded):
        membership = answer.membership()
        pd.testing.assert_frame_equal(membership.loc[shared.index], shared)
        own = membership.drop(index=shared.index)
        assert own.loc["m1.z2"].tolist() == [1.0, 0.0]
        assert len(own) == 4
        assert all(answer.nodes.is_latent)
        loadings = answer.loadings()
        seen = loadings[loadings.latent == "m1+m2.z1"]
        assert seen.own.all()
        assert set(loadings.modality) == {"m1", "m2"}
        drawn = answer.to_inference_data().posterior.membership
        assert drawn.dims == ("chain", "draw", "latent", "modality")
        assert float(drawn.sel(modality="m1").min()) == 1
        expected = float(shared.loc["m1+m2.z1", "m2"])
        assert abs(float(drawn.sel(modality="m2").mean()) - expected) < 0.05
    picture = GraphPicture.of(posterior)
    assert picture.nodes["m1+m2.z1"].latent
    assert picture.nodes["m1+m2.z1"].subtitle.startswith("shared, ")
    story = next(s for s in latent_stories(posterior) if s.name == "m1+m2.z1")
    assert story.seen_by.startswith("m1 and m2, with probability ")
    assert all(column.startswith(("m1.", "m2.")) for column, _ in story.high_with + story.low_with)
    assert "Seen by" in posterior.report(tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("order", ["modality", "learned", "cyclic"])
@pytest.mark.parametrize(
    ("membership", "own"),
    [
        ({"m1": [1, 1], "m2": [1, 1]}, {"m1": 0, "m2": 0}),
        ({"m1": [1, 1, 0], "m2": [1, 1, 1]}, {"m1": 0, "m2": 1}),
    ],
)
def test_modalities_may_have_no_latents_but_shared_ones(
    membership: dict[str, list[int]], own: dict[str, int], order: str, tmp_path: Path
) -> None:
    data, truth = from_membership(membership, seed=1, n_subjects=400)
    most = {str(name): int(count) for name, count in truth.membership.sum().items()}
    found = discover(data, most, membership=truth.membership, max_epochs=2, progress=False)
    assert found.own == own
    posterior = crl.fit(data, sharing=found, restarts=2, max_epochs=2, order=order, progress=False)
    assert len(posterior.nodes) == len(truth.membership)
    assert set(posterior.loadings().modality) == {"m1", "m2"}
    assert "Seen by" in posterior.report(tmp_path / "report.html").read_text(encoding="utf-8")
    tables = {"m1": data.frame("m1").iloc[:5] * np.nan, "m2": data.frame("m2").iloc[:5]}
    shared = found.joined(data.select(range(5))).frame("m1+m2")
    imputed = posterior.impute({"m1+m2": shared, **tables}, draws=3)
    assert imputed.draws["m1"].shape == (3, 5, data["m1"].width)


def test_a_fit_without_sharing_has_its_own_latents_only(small_data: crl.MultimodalData) -> None:
    posterior = crl.fit(small_data, latents=1, restarts=1, max_epochs=1, progress=False)
    membership = posterior.membership()
    assert (membership.sum(axis=1) == 1).all()
    assert "membership" not in posterior.to_inference_data().posterior
