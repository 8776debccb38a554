"""The report says of directions what the table says, and of given ones that they were given."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest

from pyrocrl.errors import ModelError
from pyrocrl.report import plot_directions
from pyrocrl.report.directions import (
    DirectionsPicture,
    direction_rows,
    directions_in_words,
)

mpl.use("Agg")

COLUMNS = ["first", "second", "adjacent", "forward", "backward", "both"]
COLUMNS += ["class_forward", "class_backward", "class_open"]
COLLIDER = ("a", "b", 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0)
BENT = ("c", "d", 0.9, 0.9, 0.0, 0.0, 0.1, 0.0, 0.8)
STRAIGHT = ("e", "f", 0.8, 0.5, 0.3, 0.0, 0.0, 0.0, 0.8)
UNLIKELY = ("g", "h", 0.3, 0.3, 0.0, 0.0, 0.3, 0.0, 0.0)


class Told:
    """A posterior of which directions alone are asked."""

    def __init__(self, *pairs: tuple[Any, ...], given: str = "") -> None:
        table = pd.DataFrame(pairs, columns=COLUMNS)
        self.table = table.assign(either_way=~table["first"].isin([*given]))

    def direction_table(self) -> pd.DataFrame:
        return self.table


def learned(*pairs: tuple[Any, ...]) -> Any:
    return Told(*pairs)


def test_what_fixes_a_direction_is_told_apart() -> None:
    text = directions_in_words(learned(COLLIDER, BENT, STRAIGHT, UNLIKELY))
    assert "that may be joined either way, 3 are more probably joined" in text
    assert "For one, who depends on whom fixes the direction" in text
    assert "For one, only the shape of the dependence" in text
    assert "For one, the direction stays open" in text


def test_no_likely_pair() -> None:
    assert "No two nodes" in directions_in_words(learned(UNLIKELY))


def test_given_directions_are_no_finding() -> None:
    given: Any = Told(COLLIDER, given="ab")
    assert directions_in_words(given) == ""
    assert direction_rows(given) == []
    beside: Any = Told(COLLIDER, BENT, given="a")
    assert "1 is more probably joined" in directions_in_words(beside)
    assert [row.cause for row in direction_rows(beside)] == ["c"]


def test_the_probabilities_of_a_pair_stand_apart() -> None:
    collider, _, straight, _ = direction_rows(learned(COLLIDER, BENT, STRAIGHT, UNLIKELY))
    assert (collider.cause, collider.effect) == ("b", "a")
    assert (collider.joined, collider.forward, collider.backward) == ("> 0.99", "> 0.99", "< 0.01")
    assert (straight.joined, straight.forward, straight.backward) == ("0.80", "0.50", "0.30")
    assert straight.verdict == "open"


def test_cycles_are_told() -> None:
    nan = float("nan")
    ring = ("a", "b", 1.0, 1.0, 0.99, 0.99, nan, nan, nan)
    posterior: Any = Told(ring)
    assert "For one, each node acts on the other" in directions_in_words(posterior)
    axes = plot_directions(posterior)
    assert [text.get_text() for text in axes.texts] == ["each acts on the other"]


def test_the_likelier_direction_is_written() -> None:
    axes = plot_directions(learned(COLLIDER, BENT, STRAIGHT, UNLIKELY))
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["b → a", "c → d", "e → f", "g → h"]
    assert [text.get_text() for text in axes.texts] == [
        "fixed by who depends on whom",
        "fixed by the shape of the dependence",
        "open",
        "fixed by who depends on whom",
    ]


def test_nothing_to_draw_and_bad_numbers() -> None:
    assert "No pair" in plot_directions(learned()).texts[0].get_text()
    with pytest.raises(ModelError, match="top must be at least 1"):
        DirectionsPicture.of(learned(), top=0)
