"""What ArviZ is given besides the draws: coherent groups, and a comparison that finds the truth."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import pyrocrl as crl
from pyrocrl.errors import DataError, ModelError
from pyrocrl.posterior.inference_data import import_arviz, own_edges

az = import_arviz()
QUICK = {"subjects": 12, "draws": 5, "particles": 4}


@pytest.fixture(scope="module")
def judged(fitted: crl.Posterior, small_data: crl.MultimodalData) -> Any:
    return fitted.to_inference_data(small_data, **QUICK)


def test_groups_have_the_sizes_that_were_asked_for(
    judged: Any, fitted: crl.Posterior, small_data: crl.MultimodalData
) -> None:
    chains = int((fitted.restarts.weight > 0).sum())
    assert dict(judged.posterior.sizes) == {"chain": chains, "draw": 5, "child": 4, "parent": 4}
    assert dict(judged.prior.sizes) == dict(judged.posterior.sizes)
    for group in (judged.prior_predictive, judged.posterior_predictive):
        assert list(group) == ["m1", "m2"]
        assert group.m1.dims == ("chain", "draw", "new_subject", "m1_column")
        assert group.m1.shape == (chains, 5, 12, small_data["m1"].width)
        assert list(group.m1_column.values) == list(small_data.table("m1").columns)
        assert group.chain.values.tolist() == judged.posterior.chain.values.tolist()
        assert np.isfinite(group.m2).all()
    assert list(judged.log_likelihood) == ["joint", "m1", "m2"]
    assert judged.log_likelihood.joint.dims == ("chain", "draw", "subject")
    assert judged.log_likelihood.joint.shape == (1, 5, 12)
    assert np.isfinite(judged.log_likelihood.joint).all()


def test_only_subjects_that_were_held_out_are_judged(
    judged: Any, fitted: crl.Posterior, small_data: crl.MultimodalData
) -> None:
    from pyrocrl.training import hold_out

    _, held_out = hold_out(small_data, np.random.default_rng(fitted.fit_settings.seed))
    subjects = judged.log_likelihood.subject.values.tolist()
    assert set(subjects) <= set(held_out.subjects)
    assert judged.observed_data.subject.values.tolist() == subjects
    expected = small_data.frame("m2").loc[subjects]
    np.testing.assert_allclose(judged.observed_data.m2, expected, rtol=1e-6)


def test_the_same_question_has_the_same_answer(
    judged: Any, fitted: crl.Posterior, small_data: crl.MultimodalData, tmp_path: Path
) -> None:
    before = torch.random.get_rng_state()
    loaded = crl.load(fitted.save(tmp_path / "fit"))
    again = loaded.to_inference_data(small_data, **QUICK)
    assert torch.equal(before, torch.random.get_rng_state())
    for group in ("prior_predictive", "posterior_predictive", "log_likelihood"):
        for name, values in judged[group].items():
            np.testing.assert_allclose(again[group][name], values, rtol=1e-4, atol=1e-4)
    file = again.to_netcdf(str(tmp_path / "draws.nc"))
    assert set(az.from_netcdf(file).groups()) == set(judged.groups())


def test_without_data_and_subjects_nothing_is_drawn_anew(fitted: crl.Posterior) -> None:
    groups = fitted.to_inference_data().groups()
    assert set(groups) == {"posterior", "sample_stats", "constant_data"}
    more = set(fitted.to_inference_data(subjects=3, draws=4).groups()) - set(groups)
    assert more == {"prior", "prior_predictive", "posterior_predictive"}


def test_variables_missing_cells_and_programs(
    fitted_mixed: crl.Posterior, mixed_data: crl.MultimodalData
) -> None:
    found = fitted_mixed.to_inference_data(mixed_data, **QUICK)
    assert list(found.log_likelihood) == ["joint", "labs", "person", "scan"]
    assert np.isfinite(found.log_likelihood.to_dataarray()).all()
    assert found.posterior_predictive.person.sizes["person_column"] == 2
    assert found.prior.adjacency.sel(child="person.age", parent="labs.z1").all()
    assert not found.prior.adjacency.sel(child="scan.z1", parent="person.ill").any()


def test_new_subjects_need_labels_of_their_own(
    fitted: crl.Posterior, small_data: crl.MultimodalData
) -> None:
    with pytest.raises(DataError, match="some of these subjects were fitted"):
        fitted.to_inference_data(small_data.select(range(50)), **QUICK)
    frames = {name: small_data.frame(name).iloc[:30] for name in small_data.names}
    labels = pd.Index([f"new{i}" for i in range(30)])
    new = {name: frame.set_index(labels) for name, frame in frames.items()}
    found = fitted.to_inference_data(new, subjects=30, draws=4, particles=2)
    assert found.log_likelihood.subject.values.tolist() == list(labels)


@pytest.mark.parametrize("name", ["subjects", "draws", "particles"])
@pytest.mark.parametrize("number", [0, -1, 2.5, True])
def test_numbers_are_checked(fitted: crl.Posterior, name: str, number: float) -> None:
    with pytest.raises(ModelError, match=f"{name} must be a whole number, at least 1"):
        fitted.to_inference_data(**{name: number})  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_comparison_ranks_the_true_model_first() -> None:
    data, _ = crl.simulate.numerical_case(1, seed=200, n_subjects=500)
    fits = {
        name: crl.fit(data, latents=latents, restarts=2, max_epochs=40, progress=False)
        for name, latents in {"two latents": 2, "one latent": 1}.items()
    }
    judged = {name: posterior.to_inference_data(data) for name, posterior in fits.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # pandas does not like how ArviZ builds the table.
        warnings.filterwarnings("ignore", "The inplace keyword", DeprecationWarning)
        for found in judged.values():
            loo = az.loo(found, var_name="joint", pointwise=True)
            assert float(loo.pareto_k.max()) < loo.good_k
        table = az.compare(judged, var_name="joint")
    assert table.index[0] == "two latents"
    assert table.elpd_diff["one latent"] > 2 * table.dse["one latent"]
    assert table.weight["two latents"] > 0.7


def test_edges_against_the_order_of_the_networks_are_turned(
    small_data: crl.MultimodalData,
) -> None:
    posterior = crl.fit(small_data, order="learned", restarts=1, max_epochs=2, progress=False)
    drawn = posterior.draws.adjacency[0]
    own = posterior.alignment.permutation[0]
    turned = own_edges(posterior, posterior.draws.adjacency)[:, 0][:, own[:, None], own[None, :]]
    np.testing.assert_array_equal(turned | turned.swapaxes(1, 2), drawn | drawn.swapaxes(1, 2))
    at_hand = posterior.model.edges_at_hand()[0, 0].numpy() > 0
    along = np.asarray(posterior.alignment.edges(at_hand, 0), dtype=bool)
    assert not turned[:, ~along].any()
    np.testing.assert_array_equal(turned[:, along][drawn[:, along]], True)
