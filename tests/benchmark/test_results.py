"""The file of results holds whole rows, the latest of each, and says what it lacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyrocrl.benchmark import SETTINGS, Results
from pyrocrl.benchmark.results import COLUMNS, key_of
from pyrocrl.errors import ConfigError

MadeUp = Callable[..., dict[str, Any]]
CASE = SETTINGS["case1-expand"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "identification.csv"


def test_rows_come_back_as_they_were(path: Path, made_up: MadeUp) -> None:
    results = Results(path)
    row = made_up("case1-expand", 3, mcc=np.float64(0.987654321), mcc_not_granted=float("nan"))
    results.add(row)

    (read,) = Results(path).frame().to_dict("records")

    assert read["mcc"] == pytest.approx(0.987654, abs=1e-9)
    assert np.isnan(read["mcc_not_granted"])
    assert read["edges"] == row["edges"]
    assert read["inner"] == np.False_
    assert list(Results(path).frame()) == list(COLUMNS)
    assert Results(path).keys() == {key_of(CASE, 3, "pyrocrl")}


def test_a_fingerprint_that_looks_like_a_number_stays_text(path: Path, made_up: MadeUp) -> None:
    results = Results(path)
    results.add(made_up("case1-expand", 0, fingerprint="0012345678"))
    assert {key[3] for key in Results(path).keys(failed=True)} == {"0012345678"}


def test_what_was_written_in_part_is_dropped(path: Path, made_up: MadeUp) -> None:
    results = Results(path)
    results.add(made_up("case1-expand", 0))
    with path.open("a") as file:
        file.write("case1-expand,1,pyrocrl,0.9")

    assert Results(path).keys() == {key_of(CASE, 0, "pyrocrl")}
    Results(path).add(made_up("case1-expand", 1))
    assert len(Results(path).keys()) == 2


def test_a_later_row_takes_the_place_of_an_earlier_one(path: Path, made_up: MadeUp) -> None:
    results = Results(path)
    for mcc in (0.1, 0.2):
        results.add(made_up("case1-expand", 0, mcc=mcc))
    results.reload()

    assert results.frame().mcc.tolist() == [0.2]
    assert len(path.read_text().splitlines()) == 2


def test_rows_of_a_changed_setting_do_not_count(path: Path, made_up: MadeUp) -> None:
    results = Results(path)
    results.add(made_up("case1-expand", 0))
    results.add(made_up("case1-expand", 0, "pca"))
    results.reload()
    changed = replace(CASE, fit={"restarts": 2})

    assert results.frame([changed]).method.tolist() == ["pca"]
    assert key_of(changed, 0, "pyrocrl") not in results.keys(failed=True)


def test_failures_may_be_left_out(path: Path, made_up: MadeUp) -> None:
    results = Results(path)
    results.add(made_up("case1-expand", 0, error="ModelError: no"))
    results.add(made_up("case1-expand", 1))
    results.reload()

    assert results.keys(failed=False) == {key_of(CASE, 1, "pyrocrl")}


def test_rows_stand_in_the_order_of_settings_methods_and_seeds(path: Path, made_up: MadeUp) -> None:
    results = Results(path)
    keys = [
        ("case1-square", 0, "pyrocrl"),
        ("case1-expand", 1, "cca"),
        ("case1-expand", 1, "pyrocrl"),
        ("case1-expand", 0, "pyrocrl"),
    ]
    for key in keys:
        results.add(made_up(*key))
    results.reload()

    frame = results.frame()
    found = list(zip(frame.setting, frame.seed, frame.method, strict=True))
    assert found == [keys[3], keys[2], keys[1], keys[0]]


def test_a_file_of_something_else_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match="lacks setting"):
        Results(path)
    assert path.read_text() == "a,b\n1,2\n"


def test_fits_of_another_version_are_told_apart(path: Path, made_up: MadeUp) -> None:
    results = Results(path)
    for method in ("pyrocrl", "cca"):
        results.add(made_up("case1-expand", 0, method, pyrocrl="0.1.0"))
    results.add(made_up("case1-expand", 1, pyrocrl="0.2.0"))
    results.reload()

    # What a baseline finds does not hang on the version.
    made = {key_of(CASE, 0, "cca"), key_of(CASE, 1, "pyrocrl")}
    assert results.keys(version="0.2.0") == made
