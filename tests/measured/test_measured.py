"""The benchmark of every kind of measurement: resumable rows, and a page that tells the targets."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pyrocrl import measured
from pyrocrl.cli import app
from pyrocrl.errors import ConfigError
from pyrocrl.measured import Case
from pyrocrl.measured.page import render_measurements


def rows(dropped: float = 0.98, imputed: float = 0.5) -> pd.DataFrame:
    place = {
        "check": "missing",
        "case": "case 1 without m2",
        "seed": 200,
        "restarts": 8,
        "version": "1.0",
    }
    mcc = {"complete": 0.99, "incomplete": 0.985, "dropped": dropped}
    table = pd.DataFrame([{**place, "fitted": what, "mcc": value} for what, value in mcc.items()])
    r2 = {"imputed_r2": imputed, "regression_r2": 0.52, "coverage": 0.9}
    for column, value in r2.items():
        table[column] = [float("nan"), value, float("nan")]
    return table


def test_the_page_says_which_targets_are_met() -> None:
    assert "| 0.9615 | 0.9000 | yes |" in render_measurements(rows())
    assert "not above dropped |" in render_measurements(rows(dropped=0.99))
    assert "not imputed |" in render_measurements(rows(imputed=0.4))


def test_fits_are_compared_on_the_same_data_sets() -> None:
    begun = rows().iloc[:1].assign(seed=201, mcc=0.5)

    page = render_measurements(pd.concat([rows(), begun]))

    assert "| case 1 without m2 | 1 | 0.9900 | 0.9850 | 0.9800 |" in page


def test_unknown_checks() -> None:
    with pytest.raises(ConfigError, match="unknown checks 'weibull'; known: 'likelihood'"):
        measured.cases(["weibull"], [0])


@pytest.mark.slow
def test_rows_that_stand_there_are_not_run_again(tmp_path: Path) -> None:
    said: list[str] = []
    cases = [
        Case("likelihood", "bernoulli", "complete", 200, 1),
        Case("missing", "case 1 without m1", "incomplete", 200, 1),
    ]
    for _ in range(2):
        page = measured.run_measurements(
            cases, tmp_path, n_subjects=120, max_epochs=2, say=said.append
        )
    assert page is not None
    assert len(said) == 2
    frame = pd.read_csv(tmp_path / "measurements.csv")
    assert frame.mcc.between(0, 1).all()
    assert frame.coverage.iloc[1] <= 1
    assert "bernoulli" in page.read_text()
    again = CliRunner().invoke(
        app, ["benchmark", "measurements", "--render", "--out", str(tmp_path)]
    )
    assert again.exit_code == 0
    assert "Written" in again.output
