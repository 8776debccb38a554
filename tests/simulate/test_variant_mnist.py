"""Variant MNIST: the images show what the latents say, and the latents follow the graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from pyrocrl.diagnose import identifiability
from pyrocrl.errors import DataError, ModelError
from pyrocrl.simulate.painting import Placement, paint
from pyrocrl.simulate.variant_mnist import (
    COLOURS,
    LOOKS,
    SETTINGS,
    Colour,
    Setting,
    variant_mnist,
    variant_mnist_images,
)

SEED = 200


def centroid(images: np.ndarray, axis: str) -> np.ndarray:
    """Centre of brightness in pixels, (image,)."""
    ink = images.astype(float).sum(axis=1)
    along = ink.sum(axis=1 if axis == "right" else 2)
    return np.asarray(along @ np.arange(along.shape[1]) / along.sum(axis=1))


def brightest(images: np.ndarray) -> np.ndarray:
    return np.asarray(images.reshape(len(images), -1).max(axis=1) / 255)


@pytest.mark.parametrize("setting", SETTINGS)
def test_images_are_bytes_and_latents_standardised(mnist_folder: Path, setting: Setting) -> None:
    images, truth = variant_mnist_images(mnist_folder, seed=SEED, n_subjects=300, setting=setting)

    assert images["digit"].shape == (300, 3, 28, 28)
    assert images["garment"].shape == (300, 1, 28, 28)
    assert images["digit"].dtype == images["garment"].dtype == np.uint8
    assert truth.groups == ("digit", "digit", "garment", "garment")
    np.testing.assert_allclose(truth.latents.mean(), 0, atol=1e-9)
    np.testing.assert_allclose(truth.latents.std(ddof=0), 1)
    assert truth.adjacency.to_numpy().sum() == 3


def test_positions_and_shades_are_seen(mnist_folder: Path) -> None:
    images, truth = variant_mnist_images(mnist_folder, seed=SEED, n_subjects=500)
    z = truth.latents

    assert spearmanr(centroid(images["digit"], "right"), z["digit.z1"])[0] > 0.97
    assert spearmanr(brightest(images["digit"]), z["digit.z2"])[0] < -0.99
    assert spearmanr(centroid(images["garment"], "down"), z["garment.z1"])[0] < -0.97
    assert spearmanr(brightest(images["garment"]), z["garment.z2"])[0] > 0.99


def test_classes_are_deciles_of_their_latents(mnist_folder: Path) -> None:
    _, truth = variant_mnist_images(mnist_folder, seed=SEED, n_subjects=500, setting="identity")

    assert spearmanr(truth.noise["digit.eta1"], truth.latents["digit.z2"])[0] > 0.98
    assert spearmanr(truth.noise["garment.eta1"], truth.latents["garment.z2"])[0] > 0.98


def test_otherwise_class_and_colour_are_noise(mnist_folder: Path) -> None:
    _, truth = variant_mnist_images(mnist_folder, seed=SEED, n_subjects=5000)

    both = np.corrcoef(truth.latents.to_numpy().T, truth.noise.to_numpy().T)[:4, 4:]
    assert np.abs(both).max() < 0.06
    assert set(truth.noise["digit.eta2"]) == {0.0, 1.0, 2.0}


@pytest.mark.parametrize(("colour", "channel"), [("red", 0), ("green", 1), ("blue", 2)])
def test_all_digits_may_have_one_colour(mnist_folder: Path, colour: Colour, channel: int) -> None:
    images, _ = variant_mnist_images(mnist_folder, seed=SEED, n_subjects=50, colour=colour)

    seen = images["digit"].reshape(50, 3, -1).max(axis=2)
    assert (seen[:, channel] > 0).all()
    assert (np.delete(seen, channel, axis=1) == 0).all()


@pytest.mark.parametrize("colour", COLOURS)
def test_data_of_one_colour_have_its_channel_alone(mnist_folder: Path, colour: Colour) -> None:
    data, _ = variant_mnist(mnist_folder, seed=SEED, n_subjects=50, colour=colour)
    images, _ = variant_mnist_images(mnist_folder, seed=SEED, n_subjects=50, colour=colour)

    assert data["digit"].to_json()["channels"] == [colour]
    lit = images["digit"][:, [COLOURS.index(colour)]]
    np.testing.assert_allclose(data["digit"].measured(), lit, atol=1e-3)


def test_the_data_are_the_images(mnist_folder: Path) -> None:
    data, truth = variant_mnist(mnist_folder, seed=SEED, n_subjects=50, setting="rotation")
    images, same = variant_mnist_images(mnist_folder, seed=SEED, n_subjects=50, setting="rotation")

    assert data.names == ("digit", "garment")
    assert truth.latents.equals(same.latents)
    for name, pixels in images.items():
        np.testing.assert_allclose(data[name].measured(), pixels, atol=1e-3)


def test_larger_images_show_the_same(mnist_folder: Path) -> None:
    small, _ = variant_mnist_images(mnist_folder, seed=SEED, n_subjects=100)
    large, _ = variant_mnist_images(mnist_folder, seed=SEED, n_subjects=100, size=128)

    assert large["digit"].shape == (100, 3, 128, 128)
    in_pixels = centroid(large["digit"], "right") * 28 / 128
    np.testing.assert_allclose(in_pixels, centroid(small["digit"], "right"), atol=0.6)


def test_theory_grants_what_the_settings_promise() -> None:
    granted = {
        name: identifiability(look.adjacency, ["digit"] * 2 + ["garment"] * 2).granted.sum()
        for name, look in LOOKS.items()
    }

    assert granted == {"paper": 2, "granted": 4, "rotation": 4, "identity": 4}


def test_the_seed_decides_everything(mnist_folder: Path) -> None:
    first, again, other = (
        variant_mnist_images(mnist_folder, seed=seed, n_subjects=40)[0]["digit"]
        for seed in (SEED, SEED, SEED + 1)
    )

    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_turn_is_against_the_clock() -> None:
    picture = np.zeros((1, 9, 9), dtype=np.uint8)
    picture[0, 4, 4:] = 255
    still = np.zeros(1)

    turned = paint(picture, Placement(still, still, still + 90, 1.0, np.ones((1, 1))), 9)

    assert turned[0, 0, :5, 4].min() > 200
    assert turned[0, 0, 5:].max() < 60


def test_what_cannot_be_used_is_refused(mnist_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="setting must be one of"):
        variant_mnist_images(mnist_folder, setting="cubist")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="colour must be one of"):
        variant_mnist_images(mnist_folder, colour="mauve")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="at least 1"):
        variant_mnist_images(mnist_folder, n_subjects=0)
    with pytest.raises(DataError, match="there is no folder"):
        variant_mnist_images(tmp_path / "nowhere")
