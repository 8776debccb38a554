"""The benchmark of sharing: rows, the page, and what it goes on with."""

from __future__ import annotations

import pandas as pd
import pytest

import pyrocrl as crl
from pyrocrl.benchmark.sharing import measure as measured
from pyrocrl.benchmark.sharing import run as running
from pyrocrl.benchmark.sharing.page import render_sharing
from pyrocrl.benchmark.sharing.settings import SHARING_SETTINGS, SharingSetting
from pyrocrl.errors import ConfigError
from pyrocrl.simulate import shared_case

TINY = SharingSetting("tiny", lambda seed: shared_case("a", seed=seed, n_subjects=600), 0, "none")


def test_a_row_says_how_near_a_method_came() -> None:
    row = measured.measure("two", TINY, 205, "generalised CCA")
    assert row["true"] == "m1+m2:1"
    assert row["exact"] == int(row["found"] == row["true"])
    assert row["mcc"] >= row["worst"] > 0.5
    assert row["version"] == crl.__version__
    assert set(row) <= set(measured.COLUMNS)


def test_the_command_goes_on_where_the_file_ends(tmp_path, monkeypatch) -> None:
    calls = []

    def fake(name: str, setting: SharingSetting, seed: int, method: str) -> dict[str, object]:
        calls.append((name, seed, method))
        return {
            **{"setting": name, "seed": seed, "method": method, "exact": 1, "mcc": 0.98},
            **{"worst": 0.97 - 0.01 * seed, "version": "1"},
            **{"probabilities": "0.9700 0.0200", "answers": "1 0", "cpu_seconds": 3.0},
        }

    monkeypatch.setattr(running, "measure", fake)
    for seeds in ([0], [0, 1]):
        page = running.run_sharing(
            seeds, tmp_path, settings=["two"], methods=["pyrocrl"], say=lambda line: None
        )
    assert calls == [("two", 0, "pyrocrl"), ("two", 1, "pyrocrl")]
    assert page is not None
    text = page.read_text()
    assert "| pyrocrl | 2 | 2 of 2 | 0.980 | 0.960 |" in text
    assert "| two | 4 | 0.025 |" in text


def test_methods_that_do_not_apply_are_left_out_of_the_page() -> None:
    three = SharingSetting("x", lambda seed: shared_case("b", n_subjects=60), 0, "none")
    row = measured.measure("three", three, 0, "mcl")
    assert "two modalities, not 3" in row["error"]
    rows = pd.DataFrame([row]).reindex(columns=list(measured.COLUMNS))
    assert "mcl |" not in render_sharing(rows)


def test_wrong_certainty_is_counted() -> None:
    rows = pd.DataFrame([dict.fromkeys(measured.COLUMNS)])
    rows["setting"], rows["method"], rows["seed"] = "nothing", "pyrocrl", 0
    rows["probabilities"], rows["answers"] = "0.99 0.5", "0 0"
    assert render_sharing(rows).rstrip().endswith("| 1 |")


def test_every_setting_can_be_drawn() -> None:
    for setting in SHARING_SETTINGS.values():
        assert setting.about
        assert setting.target


def test_unknown_names_are_refused(tmp_path) -> None:
    with pytest.raises(ConfigError, match="setting 'x'"):
        running.run_sharing([0], tmp_path, settings=["x"])
    with pytest.raises(ConfigError, match="method 'x'"):
        running.run_sharing([0], tmp_path, methods=["x"])
