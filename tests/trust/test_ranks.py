"""Simulation-based calibration: ranks are uniform where draws are right, and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pyrocrl.trust import run_ranks
from pyrocrl.trust.ranks import COLUMNS, DRAWS, PRIORS, QUANTITIES, measure
from pyrocrl.trust.ranks_page import render_ranks


def results(ranks: np.ndarray) -> pd.DataFrame:
    """Rows of one prior and order with these ranks of every quantity."""
    rows = {column: ranks for column in COLUMNS}
    return pd.DataFrame({**rows, "prior": "one rate", "order": "modality"})


def p_values(page: str) -> list[float]:
    rows = [line for line in page.splitlines() if line.startswith("| one rate")]
    assert len(rows) == len(QUANTITIES)
    return [float(line.split("|")[6]) for line in rows]


def test_uniform_ranks_pass_and_others_do_not() -> None:
    uniform = np.random.default_rng(0).integers(DRAWS + 1, size=300)
    assert min(p_values(render_ranks(results(uniform)))) > 0.05
    # A posterior too narrow leaves the truth at its ends; one that is shifted, at one end.
    narrow = np.where(uniform % 2 == 0, uniform // 5, DRAWS - uniform // 5)
    shifted = uniform // 2
    for wrong in (narrow, shifted):
        assert max(p_values(render_ranks(results(wrong)))) < 1e-3


@pytest.mark.parametrize("order", ["modality", "learned"])
@pytest.mark.parametrize("prior", PRIORS)
def test_truth_is_anywhere_among_draws_of_its_posterior(prior: str, order: str) -> None:
    rows = pd.DataFrame([measure(prior, order, seed) for seed in range(2000, 2006)])
    shares = rows[list(QUANTITIES)] / DRAWS
    # Six uniform shares have a mean of .5 +- .118.
    assert shares.mean().between(0.1, 0.9).all()


def test_rows_that_stand_there_are_not_run_again(tmp_path: Path) -> None:
    said: list[object] = []
    page = run_ranks([2000], tmp_path, say=said.append)
    assert page is not None
    assert said == ["seed 2000"]
    before = (tmp_path / "ranks.csv").read_text()
    run_ranks([2000], tmp_path, say=said.append)
    assert (tmp_path / "ranks.csv").read_text() == before
    assert len(before.splitlines()) == 1 + 2 * len(PRIORS)
    assert (tmp_path / "ranks.png").stat().st_size > 1000
