"""Images and series are drawn from latents that stay, not from noises that know the latents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import pyrocrl as crl
from pyrocrl.data import Series
from pyrocrl.modality import SteadyEncoder
from pyrocrl.training import History
from pyrocrl.training.drawing import fit_decoders, keep_latents
from pyrocrl.training.progress import Silence


def bumps(subjects: int = 400) -> tuple[crl.MultimodalData, np.ndarray]:
    """A bump on a line at a place that a table's column is moved by; its height is noise."""
    rng = np.random.default_rng(0)
    place = rng.normal(size=subjects)
    height = 1 + rng.random(subjects)
    times = np.linspace(-2, 2, 48)
    curves = height[:, None] * np.exp(-((times - 0.6 * place[:, None]) ** 2) / 0.1)
    table = np.tanh(np.outer(place, rng.uniform(0.5, 1.5, 4)))
    table += 0.2 * rng.normal(size=table.shape)
    data = crl.MultimodalData(
        {"curve": Series(curves[:, :, None], channels="height"), "table": pd.DataFrame(table)}
    )
    return data, place


@pytest.fixture(scope="module")
def fitted() -> tuple[crl.Posterior, crl.MultimodalData, np.ndarray]:
    data, place = bumps()
    return crl.fit(data, latents=1, restarts=1, max_epochs=250, progress=False), data, place


def test_latents_stay_as_they_were_found() -> None:
    data, _ = bumps(200)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = crl.MultimodalSCM(data, latents=1, noise=2, chains=2)
        guide = crl.AmortizedGuide(model, data)
        with torch.no_grad():
            before = guide.encode(data.batch())
        fit_decoders(model, guide, data, History(), Silence(), max_epochs=5)
        with torch.no_grad():
            after = guide.encode(data.batch())
    assert torch.equal(before.loc, after.loc)
    assert not torch.equal(before.eta["curve"][0], after.eta["curve"][0])


def test_tables_are_left_alone(small_data: crl.MultimodalData) -> None:
    model = crl.MultimodalSCM(small_data, latents=2)
    guide = crl.AmortizedGuide(model, small_data)
    assert keep_latents(model, guide, small_data) == {}
    history = History()
    fit_decoders(model, guide, small_data, history, Silence())
    assert history.records == []


def test_a_latent_is_seen_in_what_is_drawn(
    fitted: tuple[crl.Posterior, crl.MultimodalData, np.ndarray],
) -> None:
    posterior, _, place = fitted
    sign = np.sign(np.corrcoef(posterior.latents().sel(latent="curve.z1"), place)[0, 1])
    drawn = posterior.traversal("curve.z1").squeeze("channel")
    peaks = sign * np.asarray(drawn).argmax(1)
    assert (np.diff(peaks) >= 0).all()
    assert peaks[-1] - peaks[0] > 10


def test_what_is_seen_determines_the_latent(
    fitted: tuple[crl.Posterior, crl.MultimodalData, np.ndarray],
) -> None:
    posterior, _, _ = fitted
    assert posterior.reliability()["curve.z1"] > 0.8


def test_a_saved_fit_draws_the_same(
    fitted: tuple[crl.Posterior, crl.MultimodalData, np.ndarray], tmp_path: Path
) -> None:
    posterior, data, _ = fitted
    again = crl.load(posterior.save(tmp_path / "fit"))
    assert isinstance(again.guide.encoders["curve"], SteadyEncoder)
    assert np.array_equal(again.traversal("curve.z1"), posterior.traversal("curve.z1"))
    with torch.no_grad():
        batch = data.batch(slice(0, 20))
        one, other = posterior.guide.encode(batch), again.guide.encode(batch)
    assert torch.equal(one.eta["curve"][0], other.eta["curve"][0])
