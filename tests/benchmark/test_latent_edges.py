"""Edge probabilities between latents are judged against the truth, pair by pair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from pyrocrl.benchmark import render
from pyrocrl.benchmark.latent_edges import (
    calibration_of_latents,
    pairs_of_latents,
    reliability_of_latents,
)

MadeUp = Callable[..., dict[str, Any]]


def test_every_pair_is_judged_once(made_up: MadeUp) -> None:
    edges = "m1.z1>m2.z1:1 m1.z1>m2.z2:0.3 m1.z2>m1.z1:0.6 m1.z1>m1.z2:0.2"
    pairs = pairs_of_latents(pd.DataFrame([made_up("case1-expand", 0, edges=edges, error=None)]))

    assert len(pairs) == 6
    assert int(pairs.between.sum()) == 4
    assert int(pairs.true.sum()) == 2
    assert sorted(pairs.probability) == pytest.approx([0, 0, 0, 0.3, 0.8, 1])
    missed = pairs[(pairs.true == 1) & (pairs.probability == 0)]
    assert len(missed) == 1


def test_only_our_fits_with_known_order_are_judged(made_up: MadeUp) -> None:
    rows = [
        made_up("case1-expand", 0, error=None),
        made_up("case1-expand", 0, "pca", error=None),
        made_up("order1-expand", 0, error=None),
        made_up("case1-expand", 1, error="ModelError: no"),
    ]
    pairs = pairs_of_latents(pd.DataFrame(rows))

    assert set(pairs.setting) == {"case1-expand"}
    assert len(pairs) == 6


def test_sure_and_right_is_calibrated_and_sure_and_wrong_is_not(made_up: MadeUp) -> None:
    right = "m1.z1>m2.z1:1 m1.z2>m2.z2:1"
    rows = [
        made_up("case1-expand", 0, edges=right, error=None),
        made_up("case1-expand-300", 0, edges="m1.z1>m2.z2:1 m1.z2>m2.z1:1", error=None),
    ]
    pairs = pairs_of_latents(pd.DataFrame(rows))
    table = calibration_of_latents(pairs).set_index("subjects")

    assert table.ECE[10_000] == 0
    assert table.AUROC[10_000] == 1
    assert table.ECE[300] == pytest.approx(4 / 6)
    assert table.fits["all"] == 2
    assert int(reliability_of_latents(pairs).edges.sum()) == len(pairs)


def test_the_page_has_it(frame: pd.DataFrame) -> None:
    page = render(frame)

    assert "## Calibration of edge probabilities between latents" in page
    assert "| all | both | no | 20 |" in page
