"""Fits of images and series: missing ones, own networks, saved fits, reports, traversals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import pyrocrl as crl

COUNT = 90


@pytest.fixture(scope="module")
def measured(mnist_folder: Path) -> dict[str, Any]:
    """Images, a variable, and series that end early; ten subjects lack their image."""
    images, truth = crl.simulate.variant_mnist_images(
        mnist_folder, seed=200, n_subjects=COUNT, size=16
    )
    rng = np.random.default_rng(200)
    z = truth.latents.to_numpy()
    times = np.linspace(0.0, 24.0, 7)
    curves = [
        z[k, 0] + z[k, 2] * np.sin(times[:length] / 4) + 0.2 * rng.normal(size=length)
        for k, length in enumerate(rng.integers(3, 8, COUNT))
    ]
    return {
        "digit": crl.Image(images["digit"][10:], subjects=range(10, COUNT)),
        "person": crl.Variables(pd.DataFrame({"age": z[:, 1]})),
        "pulse": crl.Series(
            curves, times=[times[: len(own)] for own in curves], subjects=range(COUNT)
        ),
    }


def own_networks() -> crl.Networks:
    return crl.Networks(
        encoder=lambda outputs: nn.Sequential(nn.Flatten(), nn.Linear(768, outputs)),
        decoder=lambda inputs: nn.Sequential(nn.Linear(inputs, 768), nn.Unflatten(1, (3, 16, 16))),
    )


def fitted_with(measured: dict[str, Any], **networks: Any) -> crl.Posterior:
    data = crl.MultimodalData(measured, align="union")
    return crl.fit(data, latents=1, networks=networks, restarts=2, max_epochs=6, progress=False)


@pytest.fixture(scope="module")
def posterior(measured: dict[str, Any]) -> crl.Posterior:
    return fitted_with(measured)


def test_everybody_has_latents(posterior: crl.Posterior) -> None:
    latents = posterior.latents()
    assert latents.shape == (COUNT, 2)
    assert bool(np.isfinite(latents).all())


@pytest.mark.parametrize(
    "networks",
    [{}, {"digit": "residual", "pulse": "recurrent"}, {"digit": own_networks()}],
    ids=["default", "by name", "own"],
)
def test_a_saved_fit_says_the_same(
    measured: dict[str, Any], tmp_path: Path, networks: dict[str, Any]
) -> None:
    posterior = fitted_with(measured, **networks)
    again = crl.load(posterior.save(tmp_path / "fit"), networks=networks)

    new = {**measured, "digit": crl.Image(np.full((COUNT, 3, 16, 16), 7, np.uint8))}
    new["digit"].subjects = range(COUNT)
    np.testing.assert_array_equal(again.latents(new), posterior.latents(new))
    pd.testing.assert_frame_equal(again.edge_table(), posterior.edge_table())
    sizes = [file.stat().st_size for file in (tmp_path / "fit").iterdir()]
    assert sum(sizes) < 20e6


def test_networks_of_ones_own_are_asked_for(measured: dict[str, Any], tmp_path: Path) -> None:
    fitted_with(measured, digit=own_networks()).save(tmp_path / "fit")
    with pytest.raises(crl.SavedFitError, match=r"networks=\{'digit': crl\.Networks"):
        crl.load(tmp_path / "fit")


def test_the_seed_decides_everything(measured: dict[str, Any], posterior: crl.Posterior) -> None:
    before = torch.random.get_rng_state()
    assert fitted_with(measured).edge_table().equals(posterior.edge_table())
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_report_shows_what_latents_do(posterior: crl.Posterior, tmp_path: Path) -> None:
    page = posterior.report(tmp_path / "report.html").read_text(encoding="utf-8")

    assert "What digit.z1 does to its modality" in page
    assert "What pulse.z1 does to its modality" in page
    assert "centre" in page


def test_predictions_have_the_shape_of_the_measurements(
    measured: dict[str, Any], posterior: crl.Posterior
) -> None:
    data = crl.MultimodalData(measured, align="union")
    found = posterior.to_inference_data(data, subjects=5, draws=4, particles=3)

    assert found.posterior_predictive["digit"].shape[3:] == (3, 16, 16)
    assert found.posterior_predictive["pulse"].shape[3:] == (7, 1)
    assert bool(np.isfinite(found.log_likelihood["joint"]).all())


def test_a_traversal_moves_one_latent_alone(posterior: crl.Posterior) -> None:
    sweep = posterior.traversal("digit.z1", [-1.0, 0.0, 2.0])

    assert sweep.dims == ("value", "channel", "row", "column")
    assert sweep.coords["channel"].values.tolist() == ["red", "green", "blue"]
    assert np.abs(sweep[0] - sweep[2]).max() > 0
    middle = posterior.traversal("digit.z1", [0.0])[0]
    np.testing.assert_allclose(middle, sweep[1], atol=1e-3)
    curves = posterior.traversal("pulse.z1")
    assert (curves.sizes["value"], curves.sizes["time"]) == (7, 7)


def test_a_traversal_is_what_the_model_decodes(small_data: crl.MultimodalData) -> None:
    posterior = crl.fit(small_data, latents=2, restarts=1, max_epochs=3, progress=False)
    moved = posterior.traversal("m2.z1", [-1.0, 1.0]).to_numpy()

    # The model's own coordinates of subjects with these aligned latents.
    alignment, nodes = posterior.alignment, posterior.nodes
    own = np.tile(alignment.centre[0], (2, 1))
    place = alignment.permutation[0][nodes.names.index("m2.z1")]
    unit = alignment.unit[0] * alignment.sign[0]
    own[:, place] += np.array([-1.0, 1.0]) * unit[nodes.names.index("m2.z1")]
    recovered = alignment.values(own, 0)[:, nodes.names.index("m2.z1")]
    if (alignment.permutation[0] == np.arange(len(nodes))).all():
        np.testing.assert_allclose(recovered, [-1.0, 1.0])
        y = posterior.model.unmixing.mix(torch.from_numpy(own).float()[None])
        decoder = posterior.model.decoders["m2"]
        cells = posterior.template["m2"].unmeasured(2).cells()
        decoded = decoder(y[..., nodes.slice_of("m2")], torch.zeros(1, 2, 1), cells).mean[0]
        expected = posterior.template["m2"].unstandardise(decoded)
        np.testing.assert_allclose(moved, expected, rtol=1e-4)
    assert np.abs(moved[0] - moved[1]).max() > 0


def test_traversals_can_be_drawn(posterior: crl.Posterior, fitted: crl.Posterior) -> None:
    import matplotlib.pyplot as plt

    assert posterior.plot_traversal("digit.z1").images
    assert len(posterior.plot_traversal("pulse.z1").lines) == 7
    assert len(fitted.plot_traversal("m1.z2").lines) == 7
    plt.close("all")
    with pytest.raises(crl.ModelError, match="there is no latent 'digit.z9'; there are"):
        posterior.traversal("digit.z9")
    with pytest.raises(crl.ModelError, match="finite"):
        posterior.traversal("digit.z1", [np.nan])


def test_latents_of_images_are_not_counted(measured: dict[str, Any]) -> None:
    data = crl.MultimodalData(measured, align="union")
    with pytest.raises(crl.ModelError, match="'digit' cannot be counted, only those of tables"):
        crl.select_latents(data, progress=False)
