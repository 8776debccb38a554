"""The report says of directions what the table says, and of given ones that they were given."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest

from pyrocrl.errors import ModelError
from pyrocrl.report import plot_directions
from pyrocrl.report.directions import DirectionsPicture, directions_in_words
from pyrocrl.scm import ORDERS

mpl.use("Agg")

COLUMNS = ["first", "second", "adjacent", "forward", "backward", "both"]
COLUMNS += ["class_forward", "class_backward", "class_open"]
COLLIDER = ("a", "b", 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0)
BENT = ("c", "d", 0.9, 0.9, 0.0, 0.0, 0.1, 0.0, 0.8)
STRAIGHT = ("e", "f", 0.8, 0.5, 0.3, 0.0, 0.0, 0.0, 0.8)
UNLIKELY = ("g", "h", 0.3, 0.3, 0.0, 0.0, 0.3, 0.0, 0.0)


class Told:
    """A posterior of which directions alone are asked."""

    def __init__(self, order: str, *pairs: tuple[Any, ...]) -> None:
        self.settings = {"order": ORDERS[order]}
        self.table = pd.DataFrame(pairs, columns=COLUMNS)

    def direction_table(self) -> pd.DataFrame:
        return self.table


def learned(*pairs: tuple[Any, ...]) -> Any:
    return Told("learned", *pairs)


def test_what_fixes_a_direction_is_told_apart() -> None:
    text = directions_in_words(learned(COLLIDER, BENT, STRAIGHT, UNLIKELY))
    assert "Of 3 pairs of nodes" in text
    assert "2 have a direction that is fixed and 1 stay open" in text
    assert "1 of the directions follows from who depends on whom" in text
    assert "1 rests on the form of the dependence" in text


def test_no_likely_pair() -> None:
    assert "No pair of nodes" in directions_in_words(learned(UNLIKELY))


def test_given_directions_are_called_given() -> None:
    posterior: Any = Told("modality")
    assert "The causal order was given" in directions_in_words(posterior)


def test_cycles_are_told() -> None:
    nan = float("nan")
    ring = ("a", "b", 1.0, 1.0, 0.99, 0.99, nan, nan, nan)
    posterior: Any = Told("cyclic", ring)
    assert "1 act on each other" in directions_in_words(posterior)
    axes = plot_directions(posterior)
    assert [text.get_text() for text in axes.texts] == ["a cycle"]


def test_the_likelier_direction_is_written() -> None:
    axes = plot_directions(learned(COLLIDER, BENT, STRAIGHT, UNLIKELY))
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["b → a", "c → d", "e → f", "g → h"]
    assert [text.get_text() for text in axes.texts] == [
        "fixed by dependences alone",
        "fixed by bends or noise",
        "open",
        "fixed by dependences alone",
    ]


def test_nothing_to_draw_and_bad_numbers() -> None:
    assert "No pair" in plot_directions(learned()).texts[0].get_text()
    with pytest.raises(ModelError, match="top must be at least 1"):
        DirectionsPicture.of(learned(), top=0)
