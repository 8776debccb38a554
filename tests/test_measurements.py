"""One fit of every kind of table, counts and subjects who lack a modality, from data to report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pyrocrl as crl
from pyrocrl.data import MixedModality


@pytest.fixture(scope="module")
def data() -> crl.MultimodalData:
    """Mixed columns, counts that a fifth lack, numbers."""
    mixed, truth = crl.simulate.measured_case("mixed", seed=200, n_subjects=240, columns=9)
    first = mixed["m1"]
    assert isinstance(first, MixedModality)
    rng = np.random.default_rng(0)
    rates = np.exp(truth.latents[["m2.z1", "m2.z2", "m1.z1"]].to_numpy())
    genes = pd.DataFrame(rng.poisson(5 * rates), columns=["a", "b", "c"])
    table = crl.Table(
        first.frame(mixed.subjects),
        {column: own for column, own in zip(first.columns, first.likelihoods, strict=True)},
    )
    second = crl.Counts(genes[genes.index % 5 > 0])
    return crl.MultimodalData({"mixed": table, "genes": second}, align="union")


@pytest.fixture(scope="module")
def posterior(data: crl.MultimodalData) -> crl.Posterior:
    return crl.fit(data, latents={"mixed": 2, "genes": 1}, restarts=2, max_epochs=6, progress=False)


def test_incomplete_subjects_have_latents_too(
    posterior: crl.Posterior, data: crl.MultimodalData
) -> None:
    assert posterior.latents().shape == (240, 3)
    assert bool(np.isfinite(posterior.latents().to_numpy()).all())
    spread = posterior.latent_deviations["genes.z1"]
    assert any("192 of 240 subjects" in words for words in posterior.warnings)
    assert spread[::5].mean() != spread[1::5].mean()


def test_it_comes_back_and_imputes_the_same(
    posterior: crl.Posterior, data: crl.MultimodalData, tmp_path: Path
) -> None:
    loaded = crl.load(posterior.save(tmp_path / "fit"))
    assert loaded.latents(data).equals(posterior.latents(data))
    one, other = (p.impute(data, draws=3) for p in (posterior, posterior))
    pd.testing.assert_frame_equal(one.table(), other.table())
    assert list(one.draws) == ["genes"]
    counts = one.draws["genes"].to_numpy()
    assert bool((counts >= 0).all() and (counts == np.round(counts)).all())
    assert loaded.impute(data, draws=3).frame("genes").shape == (240, 3)


def test_report_and_predictions_know_every_kind(
    posterior: crl.Posterior, data: crl.MultimodalData, tmp_path: Path
) -> None:
    text = posterior.report(tmp_path / "report.html").read_text()
    assert "genes.z1" in text
    inference_data = posterior.to_inference_data(data, subjects=10, draws=4, particles=5)
    drawn = inference_data.posterior_predictive
    assert set(np.unique(drawn["mixed"][..., 3])) <= {0.0, 1.0}
    assert bool(np.isfinite(inference_data.log_likelihood["joint"]).all())
