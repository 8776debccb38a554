"""A saved fit comes back whole, without pickle; a damaged one is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyro
import pyro.distributions as dist
import pytest
import torch

import pyrocrl as crl
from pyrocrl.errors import SavedFitError

FILES = ["arrays.safetensors", "fit.json", "network.safetensors"]


def hierarchical(space: crl.GraphSpace) -> torch.Tensor:
    rate = pyro.sample("rate", dist.Beta(1.0, 4.0))
    adjacency: torch.Tensor = pyro.sample("adjacency", space.edges(rate))
    return adjacency


@pytest.fixture(scope="module")
def folder(fitted: crl.Posterior, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fitted.save(tmp_path_factory.mktemp("fits") / "made" / "fit")


def assert_same(one: crl.Posterior, other: crl.Posterior) -> None:
    pd.testing.assert_frame_equal(one.edge_probabilities(), other.edge_probabilities())
    pd.testing.assert_frame_equal(
        one.edge_table(), other.edge_table(), check_exact=False, rtol=1e-5
    )
    pd.testing.assert_frame_equal(one.restarts, other.restarts)
    pd.testing.assert_frame_equal(one.loadings(), other.loadings())
    pd.testing.assert_frame_equal(one.history, other.history)
    pd.testing.assert_frame_equal(one.stages, other.stages)
    pd.testing.assert_frame_equal(one.data_summary, other.data_summary)
    pd.testing.assert_series_equal(one.reliability(), other.reliability())
    assert one.settings == other.settings
    assert one.warnings == other.warnings
    assert one.latents().equals(other.latents())
    assert one.to_inference_data().posterior.adjacency.equals(
        other.to_inference_data().posterior.adjacency
    )


def test_everything_comes_back(
    fitted: crl.Posterior, folder: Path, small_data: crl.MultimodalData
) -> None:
    assert sorted(file.name for file in folder.iterdir()) == FILES
    loaded = crl.load(folder)
    assert_same(loaded, fitted)
    new = small_data.select(range(25))
    assert loaded.latents(new).equals(fitted.latents(new))
    assert crl.load(str(folder)).best == fitted.best


def test_a_fit_with_variables_and_a_program_comes_back(
    fitted_mixed: crl.Posterior, mixed_data: crl.MultimodalData, tmp_path: Path
) -> None:
    fitted_mixed.save(tmp_path)
    loaded = crl.load(tmp_path, edge_prior=hierarchical)
    assert_same(loaded, fitted_mixed)
    new = mixed_data.select(range(30, 60))
    assert loaded.latents(new).equals(fitted_mixed.latents(new))


def test_a_loaded_fit_can_be_saved_again(
    fitted: crl.Posterior, folder: Path, tmp_path: Path
) -> None:
    crl.load(folder).save(tmp_path)
    assert_same(crl.load(tmp_path), fitted)


def test_nothing_is_pickled_and_no_measurement_is_stored(
    folder: Path, small_data: crl.MultimodalData
) -> None:
    for file in folder.iterdir():
        # A pickle starts with its protocol; safetensors with a length, JSON with a brace.
        assert file.read_bytes()[:1] != b"\x80" or file.suffix == ".safetensors"
        assert b"numpy.core" not in file.read_bytes()
    from safetensors.numpy import load_file

    stored = [load_file(folder / name) for name in FILES if name.endswith(".safetensors")]
    cells = set(small_data.table("m1").values.flatten().tolist())
    for arrays in stored:
        for array in arrays.values():
            found = set(np.asarray(array, dtype=np.float64).ravel().tolist())
            # Two numbers in a million may be equal by chance.
            assert len(cells & found) < 0.01 * len(cells)


def test_loading_leaves_random_states_alone(folder: Path) -> None:
    before = torch.random.get_rng_state()
    crl.load(folder)
    assert torch.equal(before, torch.random.get_rng_state())
    assert len(pyro.get_param_store()) == 0


def test_code_must_be_given_again(fitted_mixed: crl.Posterior, tmp_path: Path) -> None:
    fitted_mixed.save(tmp_path)
    with pytest.raises(SavedFitError, match="edge prior hierarchical, which is code: give it as"):
        crl.load(tmp_path)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def garbage(file: Path) -> None:
    file.write_bytes(b"\x00\xff garbage" * 100)


def remove(file: Path) -> None:
    file.unlink()


def make_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("damage", [truncate, empty, garbage, remove, make_a_folder])
@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_named(
    folder: Path, tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    shutil.copytree(folder, tmp_path / "fit")
    damage(tmp_path / "fit" / name)
    with pytest.raises(SavedFitError, match=name):
        crl.load(tmp_path / "fit")


def without(key: str) -> Callable[[dict[str, Any]], Any]:
    return lambda stored: {k: v for k, v in stored.items() if k != key}


EDITS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a list": lambda stored: [stored],
    "another format": lambda stored: {**stored, "format": 99},
    "no settings": without("settings"),
    "no modalities": without("modalities"),
    "no restarts": without("restarts"),
    "fewer modalities": lambda stored: {**stored, "modalities": stored["modalities"][:1]},
    "other latents": lambda stored: {**stored, "settings": {**stored["settings"], "latents": 3}},
    "more restarts": lambda stored: {**stored, "settings": {**stored["settings"], "restarts": 7}},
    "no such mechanism": lambda stored: {
        **stored,
        "settings": {**stored["settings"], "mechanism": "quadratic"},
    },
    "another mechanism": lambda stored: {
        **stored,
        "settings": {**stored["settings"], "mechanism": "linear"},
    },
    "settings in words": lambda stored: {**stored, "settings": "default"},
    "unknown setting": lambda stored: {**stored, "settings": {**stored["settings"], "colour": 1}},
    "fewer subjects": lambda stored: {**stored, "subjects": stored["subjects"][:9]},
    "stages of another kind": lambda stored: {**stored, "stages": [{"stage": "edges"}]},
}


@pytest.mark.parametrize("edit", EDITS)
def test_edited_settings_are_an_error(folder: Path, tmp_path: Path, edit: str) -> None:
    shutil.copytree(folder, tmp_path / "fit")
    file = tmp_path / "fit" / "fit.json"
    file.write_text(json.dumps(EDITS[edit](json.loads(file.read_text()))))
    with pytest.raises(SavedFitError) as caught:
        crl.load(tmp_path / "fit")
    said = str(caught.value)
    assert "fit" in said
    assert len(said.splitlines()[0]) > 20


@pytest.mark.parametrize("name", ["arrays.safetensors", "network.safetensors"])
def test_files_of_another_fit_do_not_fit(
    folder: Path, fitted_mixed: crl.Posterior, tmp_path: Path, name: str
) -> None:
    shutil.copytree(folder, tmp_path / "fit")
    fitted_mixed.save(tmp_path / "other")
    shutil.copy(tmp_path / "other" / name, tmp_path / "fit" / name)
    with pytest.raises(SavedFitError, match=str(tmp_path / "fit")):
        crl.load(tmp_path / "fit")


def test_no_folder() -> None:
    with pytest.raises(SavedFitError, match=r"nowhere.*is missing.*posterior\.save"):
        crl.load("nowhere")
    with pytest.raises(SavedFitError, match="must name a folder, not None"):
        crl.load(None)  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_made(fitted: crl.Posterior, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(SavedFitError, match="taken"):
        fitted.save(tmp_path / "taken")
