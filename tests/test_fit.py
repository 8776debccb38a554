"""From data to a posterior: reproducible, without global state, and it finds the truth."""

from __future__ import annotations

import random
import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyro
import pytest
import torch

import pyrocrl as crl
from pyrocrl.data import Batch
from pyrocrl.scm import LinearGaussian

SMALL: dict[str, Any] = {"latents": 2, "restarts": 2, "max_epochs": 3, "progress": False}


def assert_identical(one: crl.Posterior, other: crl.Posterior) -> None:
    pd.testing.assert_frame_equal(one.edge_table(), other.edge_table(), check_exact=True)
    pd.testing.assert_frame_equal(one.restarts, other.restarts, check_exact=True)
    pd.testing.assert_frame_equal(one.history, other.history, check_exact=True)
    assert one.latents().equals(other.latents())
    assert one.to_inference_data().posterior.equals(other.to_inference_data().posterior)
    for name, parameter in one.model.state_dict().items():
        assert torch.equal(parameter, other.model.state_dict()[name])


def test_one_seed_decides_everything(small_data: crl.MultimodalData) -> None:
    torch.manual_seed(1)
    first = crl.fit(small_data, **SMALL, seed=7)
    other = crl.fit(small_data, **SMALL, seed=8, mechanism="flow")
    torch.manual_seed(2)
    again = crl.fit(small_data, **SMALL, seed=7)
    assert_identical(first, again)
    assert not first.latents().equals(other.latents())


def test_a_fit_leaves_no_trace(small_data: crl.MultimodalData) -> None:
    torch.manual_seed(3)
    random.seed(3)
    states = (
        torch.random.get_rng_state(),
        np.random.get_state()[1].copy(),  # type: ignore[index]  # noqa: NPY002
        random.getstate(),
    )
    dtype, validation = torch.get_default_dtype(), pyro.settings.get("validate_distributions_pyro")
    before = {name: small_data.frame(name) for name in small_data.names}
    crl.fit(small_data, **SMALL)
    assert torch.equal(states[0], torch.random.get_rng_state())
    assert np.array_equal(states[1], np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002
    assert states[2] == random.getstate()
    assert len(pyro.get_param_store()) == 0
    assert torch.get_default_dtype() == dtype
    assert pyro.settings.get("validate_distributions_pyro") == validation
    assert torch.is_grad_enabled()
    for name, frame in before.items():
        pd.testing.assert_frame_equal(frame, small_data.frame(name))


def test_a_mapping_of_tables_is_data(mixed_tables: dict[str, pd.DataFrame]) -> None:
    tables = {**mixed_tables, "person": crl.Variables(mixed_tables["person"])}
    options = {**SMALL, "latents": 1}
    assert_identical(crl.fit(tables, **options), crl.fit(crl.MultimodalData(tables), **options))


@pytest.mark.parametrize("mechanism", ["linear", "additive", "flow", LinearGaussian])
def test_mechanisms(small_data: crl.MultimodalData, mechanism: Any) -> None:
    posterior = crl.fit(small_data, **SMALL, mechanism=mechanism)
    assert np.isfinite(posterior.edge_probabilities()).all(axis=None)
    assert np.isfinite(posterior.restarts.held_out_elbo).all()
    name = mechanism if isinstance(mechanism, str) else "LinearGaussian"
    assert posterior.settings["mechanism"] == name


@pytest.mark.parametrize("prior", [crl.SpikeAndSlab(0.3), crl.LaplaceEdges(0.5)])
def test_priors(small_data: crl.MultimodalData, prior: Any) -> None:
    posterior = crl.fit(small_data, **SMALL, edge_prior=prior)
    assert posterior.settings["edge prior"] == repr(prior)
    assert np.isfinite(posterior.edge_probabilities()).all(axis=None)


def test_a_prior_that_excludes_edges_excludes_them(small_data: crl.MultimodalData) -> None:
    posterior = crl.fit(small_data, **SMALL, edge_prior=crl.SpikeAndSlab(0.0))
    assert (posterior.edge_probabilities() == 0).all(axis=None)
    assert not posterior.draws.adjacency.any()


def test_a_wider_rope_keeps_fewer_edges(small_data: crl.MultimodalData) -> None:
    narrow, wide = (crl.fit(small_data, **SMALL, rope=rope) for rope in (0.0, 0.5))
    p, q = narrow.edge_probabilities(), wide.edge_probabilities()
    assert p.to_numpy().sum() > q.to_numpy().sum() + 0.5


def test_variables_alone_need_no_latents() -> None:
    rng = np.random.default_rng(200)
    age = rng.normal(size=400)
    grip = pd.DataFrame({"left": -0.8 * age + 0.5 * rng.normal(size=400)})
    grip["unrelated"] = rng.normal(size=400)
    data = {"person": crl.Variables(pd.DataFrame({"age": age})), "grip": crl.Variables(grip)}
    posterior = crl.fit(data, restarts=2, max_epochs=3, progress=False)
    p = posterior.edge_probabilities()
    assert p.loc["grip.left", "person.age"] > 0.99
    assert p.loc["grip.unrelated", "person.age"] < 0.2
    assert posterior.latents().shape == (400, 0)
    effect = posterior.edge_table().set_index(["parent", "child"]).effect
    assert effect["person.age", "grip.left"] == pytest.approx(-0.85, abs=0.06)


def test_subjects_may_lack_whole_modalities(mixed_tables: dict[str, pd.DataFrame]) -> None:
    data = crl.MultimodalData(
        {"labs": mixed_tables["labs"].iloc[:220], "scan": mixed_tables["scan"].iloc[60:]},
        align="union",
    )
    posterior = crl.fit(data, **SMALL)
    latents = posterior.latents()
    assert latents.sizes["subject"] == 300
    assert np.isfinite(latents).all()
    # What the others tell of a modality that is missing differs from subject to subject.
    without = latents.sel(latent=["scan.z1", "scan.z2"])[:60]
    assert (without.std("subject") > 0).all()
    assert any("160 of 300 subjects" in said for said in posterior.warnings)


def test_one_epoch_and_one_restart(small_data: crl.MultimodalData) -> None:
    posterior = crl.fit(small_data, latents=2, restarts=1, max_epochs=1, progress=False)
    assert posterior.restarts.weight.tolist() == [1.0]
    assert any("only one restart" in said for said in posterior.warnings)


def test_ctrl_c_returns_what_was_found(
    small_data: crl.MultimodalData, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode, seen = crl.AmortizedGuide.encode, []

    def until(self: crl.AmortizedGuide, batch: Batch) -> Any:
        seen.append(batch.size)
        if len(seen) == 6:
            raise KeyboardInterrupt
        return encode(self, batch)

    monkeypatch.setattr(crl.AmortizedGuide, "encode", until)
    posterior = crl.fit(small_data, **SMALL)
    assert any("interrupted" in said for said in posterior.warnings)
    assert "interrupted by the user" in posterior.stages.reason.iloc[-1]
    assert np.isfinite(posterior.edge_probabilities()).all(axis=None)
    assert posterior.edge_table().variational.isna().all()
    assert len(posterior.to_inference_data().posterior.draw) > 100


def test_own_model_and_guide(small_data: crl.MultimodalData) -> None:
    class MyGuide(crl.AmortizedGuide):
        pass

    def my_model(data: crl.MultimodalData, chains: int) -> crl.MultimodalSCM:
        return crl.MultimodalSCM(data, latents=1, mechanism="linear", chains=chains)

    posterior = crl.fit(
        small_data, model=my_model, guide=MyGuide, restarts=2, max_epochs=3, progress=False
    )
    assert posterior.nodes.names == ("m1.z1", "m2.z1")
    assert isinstance(posterior.guide, MyGuide)


def test_own_model_and_guide_come_back(small_data: crl.MultimodalData, tmp_path: Any) -> None:
    def my_model(data: crl.MultimodalData, chains: int) -> crl.MultimodalSCM:
        return crl.MultimodalSCM(data, latents=1, hidden=8, chains=chains)

    posterior = crl.fit(small_data, model=my_model, restarts=2, max_epochs=3, progress=False)
    loaded = crl.load(posterior.save(tmp_path), model=my_model)
    assert loaded.latents(small_data).equals(posterior.latents(small_data))
    with pytest.raises(crl.SavedFitError, match="model=..."):
        crl.load(tmp_path)
    with pytest.raises(crl.SavedFitError, match="do not fit together"):
        crl.load(tmp_path, model=partial(crl.MultimodalSCM, latents=2))


def test_settings_are_those_of_the_users_model(
    small_data: crl.MultimodalData, tmp_path: Any
) -> None:
    def my_model(data: crl.MultimodalData, chains: int) -> crl.MultimodalSCM:
        knowledge = crl.BackgroundKnowledge(forbidden=[("m1.z1", "m2.z1")])
        prior = crl.SpikeAndSlab(0.3)
        return crl.MultimodalSCM(
            data, 1, 2, prior, mechanism="linear", knowledge=knowledge, chains=chains
        )

    posterior = crl.fit(small_data, model=my_model, restarts=2, max_epochs=2, progress=False)
    said = posterior.settings
    assert said["latents"] == "m1 1, m2 1"
    assert said["noise"] == "m1 2, m2 2"
    assert said["mechanism"] == "linear"
    assert "0.3" in str(said["edge prior"])
    assert "m1.z1 -> m2.z1" in str(said["background knowledge"])
    assert crl.load(posterior.save(tmp_path), model=my_model).settings == said


def test_latents_are_standardised(fitted: crl.Posterior) -> None:
    latents = fitted.latents()
    np.testing.assert_allclose(latents.mean("subject"), 0, atol=1e-6)
    np.testing.assert_allclose(latents.std("subject"), 1, atol=1e-6)


def modules_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_importing_costs_next_to_nothing() -> None:
    heavy = {"arviz", "matplotlib", "networkx", "numpy", "pandas", "pyro", "rich", "scipy"}
    heavy |= {"sklearn", "torch", "typer", "xarray"}
    assert not modules_after("import pyrocrl") & heavy


def test_fitting_imports_only_what_it_uses() -> None:
    late = {"arviz", "matplotlib", "sklearn", "typer", "rich"}
    assert not modules_after("from pyrocrl import MultimodalData, fit, Posterior") & late


def test_every_public_name_is_there() -> None:
    for name in crl.__all__:
        assert getattr(crl, name) is not None
        assert name in dir(crl)
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        crl.fitt  # noqa: B018


@pytest.mark.slow
def test_the_truth_is_recovered() -> None:
    data, truth = crl.simulate.numerical_case(1, seed=200, n_subjects=3000)
    posterior = crl.fit(data, latents=2, restarts=4, progress=False)
    estimated, groups = posterior.latents().to_numpy(), truth.groups
    assert crl.metrics.mcc(truth.latents, estimated, groups) > 0.95
    assert crl.metrics.r2(truth.latents, estimated, groups) > 0.95
    strength = crl.metrics.absolute_correlations(truth.latents, estimated)
    match = crl.metrics.match_within_groups(strength, groups)
    found = (posterior.edge_probabilities().to_numpy() > 0.5)[np.ix_(match, match)]
    assert crl.metrics.shd(truth.adjacency, found, groups) == 0
    gates = posterior.edge_table().set_index(["parent", "child"])
    assert gates.variational[gates.probability > 0.99].min() > 0.5
