"""The example data sets are what their descriptions say."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pyrocrl import datasets
from pyrocrl.errors import DataError


@pytest.fixture(scope="module")
def nhanes() -> datasets.Example:
    root = os.environ.get("PYROCRL_DATA")
    if root is None or not (Path(root) / "nhanes" / datasets.NHANES_FILE).is_file():
        pytest.skip("PYROCRL_DATA does not name a folder with nhanes/ in it")
    return datasets.nhanes(Path(root) / "nhanes")


def assert_settings_fit_the_data(example: datasets.Example) -> None:
    tables = {modality.name for modality in example.data if not modality.is_variables}
    assert set(example.latents) == set(example.noise) == tables
    for name in tables:
        assert example.latents[name] + example.noise[name] <= example.data[name].width
    assert set(example.fit_arguments) == {"latents", "noise", "knowledge"}


def test_diabetes_holds_every_column_in_causal_order() -> None:
    example = datasets.diabetes()

    assert example.data.names == ("person", "body", "serum", "outcome")
    assert len(example.data) == 442
    assert sum(modality.width for modality in example.data) == 11
    assert [m.name for m in example.data if m.is_variables] == ["person", "outcome"]
    assert_settings_fit_the_data(example)


def test_diabetes_keeps_real_units() -> None:
    data = datasets.diabetes().data

    assert data.frame("person")["age"].between(18.9, 79.1).all()
    serum = data.frame("serum")
    ratio = serum["total_cholesterol"] / serum["hdl"]
    assert np.corrcoef(ratio, serum["cholesterol_ratio"])[0, 1] > 0.97


def test_age_and_sex_do_not_cause_each_other() -> None:
    assert set(datasets.diabetes().knowledge.forbidden) == {
        ("person.age", "person.sex"),
        ("person.sex", "person.age"),
    }


def test_nhanes_is_read_as_described(nhanes: datasets.Example) -> None:
    data = nhanes.data

    assert data.names == ("person", *datasets.NHANES_TABLES)
    assert 9_000 < len(data) < 9_500
    for modality in data:
        assert bool(modality.present.all()), modality.name
    assert_settings_fit_the_data(nhanes)


def test_nhanes_logarithms_are_logarithms(nhanes: datasets.Example) -> None:
    chemistry = nhanes.data.frame("blood_chemistry")

    assert "alt" not in chemistry
    assert np.exp(chemistry["log_alt"]).median() == pytest.approx(21, abs=3)
    assert abs(chemistry.skew()).max() < 3


def test_nhanes_has_no_column_that_follows_from_the_others(nhanes: datasets.Example) -> None:
    for name in datasets.NHANES_TABLES:
        complete = nhanes.data.frame(name).dropna()
        unexplained = 1 / np.diag(np.linalg.inv(np.corrcoef(complete.to_numpy().T)))
        assert unexplained.min() > 0.01, name


@pytest.fixture
def small_nhanes(tmp_path: Path) -> Path:
    columns = [c for table in datasets.NHANES_TABLES.values() for c in table]
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(np.exp(rng.normal(size=(60, len(columns)))), columns=columns)
    frame["age_years"] = rng.integers(20, 80, 60)
    frame["female"] = np.arange(60) % 2
    frame["pregnant_at_exam"] = np.nan
    frame.index = pd.Index(range(1000, 1060), name="seqn")
    frame.loc[1001, "pregnant_at_exam"] = 1
    frame.loc[1003, "pregnant_at_exam"] = 0
    frame.loc[1004, list(datasets.NHANES_TABLES["grip_strength"])] = np.nan
    frame.loc[1005, "alt"] = np.nan
    frame.loc[1006, "eos_pct"] = 0.0
    frame.to_csv(tmp_path / datasets.NHANES_FILE)
    return tmp_path


def test_nhanes_leaves_out_pregnant_women_and_people_without_a_table(small_nhanes: Path) -> None:
    data = datasets.nhanes(small_nhanes).data

    assert set(range(1000, 1060)) - set(data.subjects) == {1001, 1004}


def test_nhanes_missing_cells_stay_missing_and_zeros_stay_finite(small_nhanes: Path) -> None:
    data = datasets.nhanes(small_nhanes).data

    assert data.frame("blood_chemistry").isna().loc[1005, "log_alt"]
    assert data.frame("blood_count").loc[1006, "log1p_eos_pct"] == pytest.approx(0, abs=1e-6)
    assert np.isfinite(data.frame("blood_count").to_numpy()).all()


def test_nhanes_names_what_is_absent(tmp_path: Path, small_nhanes: Path) -> None:
    with pytest.raises(DataError, match=r"no folder .*nowhere"):
        datasets.nhanes(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="does not hold nhanes_2011_2014_adults"):
        datasets.nhanes(empty)
    file = small_nhanes / datasets.NHANES_FILE
    pd.read_csv(file, index_col="seqn").drop(columns="hemoglobin").to_csv(file)
    with pytest.raises(DataError, match="lacks the columns hemoglobin"):
        datasets.nhanes(small_nhanes)
    file.write_bytes(b"not gzipped")
    with pytest.raises(DataError, match="cannot be read"):
        datasets.nhanes(small_nhanes)
