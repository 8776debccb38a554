"""The report says which edges hang on the prior, and says nothing it has not computed."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from pyrocrl.errors import ModelError, PriorWarning
from pyrocrl.report import plot_prior_sensitivity, write_report
from pyrocrl.report.sensitivity import SensitivityPicture, sensitivity_in_words
from pyrocrl.scm import ORDERS

mpl.use("Agg")

COLUMNS = ["parent", "child", "as fitted", "sparser", "denser", "difference"]
CROSSES = ("a", "b", 0.45, 0.4, 0.55, 0.15)
MOVES = ("b", "c", 0.8, 0.6, 0.9, 0.3)
STAYS = ("a", "c", 0.99, 0.98, 1.0, 0.02)
IMPROBABLE = ("c", "d", 0.01, 0.0, 0.05, 0.05)


class Told:
    """A posterior of which the prior's influence alone is asked."""

    def __init__(self, *edges: tuple[Any, ...], note: str = "", order: str = "modality") -> None:
        self.table, self.note = pd.DataFrame(edges, columns=COLUMNS), note
        self.node_values: Any = np.zeros((1, 1, 4))
        self.nodes = SimpleNamespace(names=("a", "b", "c", "d"))
        self.settings = {"order": ORDERS[order]}

    def prior_sensitivity(self, *_: Any) -> pd.DataFrame:
        if self.note:
            warnings.warn(self.note, PriorWarning, stacklevel=2)
        return self.table


def test_edges_that_cross_one_half_or_move_far_are_named() -> None:
    posterior: Any = Told(CROSSES, MOVES, STAYS)
    (told,) = sensitivity_in_words(posterior)
    assert told.startswith("2 edges hang on the prior")
    assert "a → b (0.40 to 0.55) and b → c (0.60 to 0.90)." in told
    assert "a → c" not in told


def test_an_answer_that_stays_is_told_too() -> None:
    posterior: Any = Told(STAYS, IMPROBABLE)
    (told,) = sensitivity_in_words(posterior)
    assert "does not hang on the prior" in told
    assert "at most by 0.05" in told


def test_notes_about_other_restarts_are_passed_on() -> None:
    posterior: Any = Told(STAYS, note="Fit anew.")
    assert sensitivity_in_words(posterior)[1] == "Fit anew."


def test_nothing_is_said_where_it_cannot_be_known_quickly() -> None:
    loaded: Any = Told(MOVES)
    loaded.node_values = None
    cyclic: Any = Told(MOVES, order="cyclic")
    assert sensitivity_in_words(loaded) == sensitivity_in_words(cyclic) == []


def test_every_edge_that_may_be_is_drawn() -> None:
    posterior: Any = Told(CROSSES, MOVES, STAYS, IMPROBABLE)
    axes = plot_prior_sensitivity(posterior)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["a → c", "b → c", "a → b"]
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "sparser",
        "denser",
        "as fitted",
    ]
    nothing: Any = Told(IMPROBABLE)
    assert "No edge" in plot_prior_sensitivity(nothing).texts[0].get_text()
    with pytest.raises(ModelError, match="top must be at least 1"):
        SensitivityPicture.of(posterior.table, top=0)


def test_the_report_has_a_line_of_it(make_small: Any, tmp_path: Path) -> None:
    page = write_report(make_small(), tmp_path / "report.html").read_text(encoding="utf-8")
    assert "What the prior does" in page
    assert "on the prior over edges" in page
