"""The benchmark on images runs every method on the same images, goes on, and writes its page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pyrocrl.baselines import BASELINES
from pyrocrl.baselines.autoencoder import BetaVAE
from pyrocrl.baselines.causal_vae import CausalVAE
from pyrocrl.baselines.contrastive import ContrastiveLearning
from pyrocrl.baselines.training import Budget
from pyrocrl.benchmark import variant_mnist
from pyrocrl.benchmark.variant_mnist import IMAGE_METHODS, image_settings, run_variant_mnist
from pyrocrl.errors import ConfigError


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few small images and short fits."""

    def settings(folder: Path) -> dict[str, variant_mnist.ImageSetting]:
        return {
            name: replace(
                setting,
                keywords={**setting.keywords, "n_subjects": 60, "size": 12},
                fit={"restarts": 1, "max_epochs": 2},
            )
            for name, setting in image_settings(folder).items()
        }

    monkeypatch.setattr(variant_mnist, "image_settings", settings)
    short = Budget(steps=4, batch=20, hidden=8)
    for baseline in (ContrastiveLearning(budget=short), BetaVAE(budget=short)):
        monkeypatch.setitem(BASELINES, baseline.name, baseline)
    monkeypatch.setitem(BASELINES, "causal-vae", CausalVAE(budget=short))


@pytest.mark.usefixtures("small")
def test_all_methods_are_run_once_and_shown(mnist_folder: Path, tmp_path: Path) -> None:
    said: list[str] = []
    methods = [name for name in IMAGE_METHODS if name != "mcl"]

    page = run_variant_mnist(mnist_folder, ["granted"], [200], methods, tmp_path, say=said.append)
    run_variant_mnist(mnist_folder, ["granted"], [200], IMAGE_METHODS, tmp_path, say=said.append)

    assert [line.split()[4] for line in said] == [*(f"{name}:" for name in methods), "mcl:"]
    assert not [line for line in said if "failed" in line]
    assert page is not None
    text = page.read_text()
    for method in IMAGE_METHODS:
        assert f"| granted | {method} | 1 |" in text
    assert "digit.z1" in text
    assert "| granted | SHD | at most 0 |" in text
    assert "| paper | height found (garment.z1) | at least 0.97 | - | 0 | - |" in text
    assert str(mnist_folder) not in (tmp_path / "variant_mnist.csv").read_text()


def test_what_is_unknown_is_refused(mnist_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no setting 'cubist'; there are 'paper'"):
        run_variant_mnist(mnist_folder, ["cubist"], [200], ["mcl"], tmp_path)
    with pytest.raises(ConfigError, match="there is no method 'pca'"):
        run_variant_mnist(mnist_folder, ["paper"], [200], ["pca"], tmp_path)
