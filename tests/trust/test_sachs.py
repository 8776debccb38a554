"""Scores on the data of Sachs et al. (2005), of files made up in their form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pyrocrl.errors import DataError
from pyrocrl.metrics import shd
from pyrocrl.trust import run_sachs
from pyrocrl.trust.answer import Answer
from pyrocrl.trust.sachs import PROTEINS, expected_shd


def test_expected_shd_is_the_mean_over_graphs():
    rng = np.random.default_rng(200)
    true = np.tri(5, k=-1, dtype=bool) & (rng.random((5, 5)) < 0.5)
    graphs = np.array([rng.permutation(np.tri(5, k=-1)) for _ in range(50)])
    graphs *= 1 - np.eye(5)
    graphs *= np.tri(5) + np.triu(1 - graphs.swapaxes(1, 2))
    mean = np.mean([shd(true, graph) for graph in graphs])
    assert expected_shd(true, graphs.mean(axis=0)) == pytest.approx(mean)


def test_every_network_is_scored(tmp_path: Path):
    rng = np.random.default_rng(200)
    table = pd.DataFrame(rng.gamma(2, 20, (60, 11)), columns=list(PROTEINS))
    table["condition"] = np.repeat(["cd3_cd28", "pma"], [40, 20])
    table.to_csv(tmp_path / "sachs_2005.csv.gz", index=False)
    edges = {"cause": ["pkc", "raf"], "effect": ["raf", "mek"], "one": [1, 0], "two": [1, 1]}
    pd.DataFrame(edges).to_csv(tmp_path / "edges.csv", index=False)

    right = np.zeros((11, 11))
    right[PROTEINS.index("raf"), PROTEINS.index("pkc")] = 1
    said: list[str] = []
    page = run_sachs(tmp_path, {"pc": lambda data: Answer(right)}, tmp_path, said.append)
    assert said == ["pc, one: expected SHD 0.0", "pc, two: expected SHD 1.0"]
    assert "40 cells" in page.read_text()


def test_a_folder_without_the_data_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match=r"sachs_2005\.csv\.gz"):
        run_sachs(tmp_path, {}, tmp_path)
