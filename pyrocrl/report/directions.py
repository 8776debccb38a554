"""Which directions the data fix: every pair of nodes that may be joined by an edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pyrocrl.errors import ModelError, plural
from pyrocrl.report.style import (
    INK,
    NEGATIVE,
    POSITIVE,
    drawn,
    note_beside,
    plain,
    say_instead,
    share_rows,
)
from pyrocrl.report.tables import rows
from pyrocrl.report.wording import probability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pyrocrl.posterior import Posterior

__all__ = [
    "DirectionRow",
    "DirectionsPicture",
    "direction_rows",
    "directions_in_words",
    "plot_directions",
]

_ADJACENT = 0.1
_LIKELY = 0.5
_FIXED = 0.95
_BOTH = "#CC79A7"
_MOST = 20

_OPEN, _CYCLE = "open", "each acts on the other"
_BY_PATTERN, _BY_SHAPE = "fixed by who depends on whom", "fixed by the shape of the dependence"
_FIXED_SOMEHOW = "fixed"

_SENTENCES = {
    _BY_PATTERN: "For {}, who depends on whom fixes the direction: every graph that implies the "
    "same independences, and agrees with background knowledge, has it.",
    _BY_SHAPE: "For {}, only the shape of the dependence fixes it: a bend, or noise that is not "
    "normal, goes with one direction and not with the other. That is as sure as the assumption "
    "about mechanisms below.",
    _FIXED_SOMEHOW: "For {}, the data fix the direction.",
    _CYCLE: "For {}, each node acts on the other.",
    _OPEN: "For {}, the direction stays open: do not read it as cause and effect.",
}


@dataclass(frozen=True)
class DirectionRow:
    """A pair of nodes in words, the likelier cause first.

    Attributes:
        cause: the likelier cause.
        effect: the other node.
        joined: P(an edge joins them, either way).
        forward: P(cause -> effect).
        backward: P(effect -> cause).
        verdict: what the data say of the direction.
    """

    cause: str
    effect: str
    joined: str
    forward: str
    backward: str
    verdict: str


def direction_rows(posterior: Posterior) -> list[DirectionRow]:
    """The pairs that may be joined either way and most probably are joined."""
    return [
        DirectionRow(
            row.first,
            row.second,
            probability(row.adjacent),
            probability(row.forward),
            probability(row.backward),
            _verdict(row),
        )
        for row in rows(DirectionsPicture.of(posterior).pairs)
    ]


@dataclass(frozen=True)
class DirectionsPicture:
    """A bar for each pair: how probable each direction is.

    Attributes:
        pairs: rows of the direction table, each turned so that `forward` is the likelier way.
    """

    pairs: pd.DataFrame

    @classmethod
    def of(cls, posterior: Posterior, top: int = _MOST) -> DirectionsPicture:
        """Collect, of the pairs that may be joined either way, those most probably adjacent.

        Raises:
            ModelError: ``top`` is not a positive number.
        """
        if top < 1:
            raise ModelError(f"top must be at least 1, not {top!r}")
        table = _open_pairs(posterior)
        return cls(_turned(table[table["adjacent"] >= _ADJACENT]).head(top))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        return 9.0, 1.5 + 0.32 * max(2, len(self.pairs))

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``."""
        if self.pairs.empty:
            say_instead(
                ax, f"No pair of nodes is adjacent with a probability of {_ADJACENT:g} or more."
            )
            return
        pairs = list(rows(self.pairs))
        places = np.arange(len(pairs))
        both = self.pairs["both"].to_numpy()
        parts = [
            ("this way", POSITIVE, self.pairs["forward"].to_numpy() - both),
            ("the other way", NEGATIVE, self.pairs["backward"].to_numpy() - both),
        ]
        if (both > 0).any():
            parts.insert(1, ("both ways, a cycle", _BOTH, both))
        left = np.zeros(len(pairs))
        for label, colour, width in parts:
            ax.barh(places, width, left=left, height=0.6, color=colour, label=label)
            left = left + width
        ax.barh(places, 1 - left, left=left, height=0.6, color="#e4e9ee", label="no edge")
        for place, row in zip(places, pairs, strict=True):
            note_beside(ax, _verdict(row), float(place))
        share_rows(ax, [plain(f"{row.first} → {row.second}") for row in pairs])
        ax.set_xlabel("probability", fontsize=9, color=INK)
        ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, frameon=False, fontsize=8.5,
            borderaxespad=0.2, handlelength=1.2,
        )  # fmt: skip


def _turned(table: pd.DataFrame) -> pd.DataFrame:
    """The pairs, those that rather run backward with their ends exchanged."""
    exchange = {
        "first": "second",
        "second": "first",
        "forward": "backward",
        "backward": "forward",
        "class_forward": "class_backward",
        "class_backward": "class_forward",
    }
    turned = table.rename(columns=exchange)[table.columns]
    return table.where(table["forward"] >= table["backward"], turned)


def _share(row: Any) -> float:
    """P(this way and no other | adjacent)."""
    return float((row.forward - row.both) / row.adjacent)


def _verdict(row: Any) -> str:
    if row.both / row.adjacent >= _FIXED:
        return _CYCLE
    if _share(row) < _FIXED:
        return _OPEN
    if not np.isfinite(row.class_open):
        return _FIXED_SOMEHOW
    by_pattern = row.class_forward / (row.class_forward + row.class_backward + row.class_open)
    return _BY_PATTERN if by_pattern >= _FIXED else _BY_SHAPE


def _open_pairs(posterior: Posterior) -> pd.DataFrame:
    table = posterior.direction_table()
    return table[table["either_way"].astype(bool)]


def directions_in_words(posterior: Posterior) -> str:
    """How many directions the data fix and by what, in a few sentences; "" where none was open."""
    table = _open_pairs(posterior)
    if table.empty:
        return ""
    verdicts = [_verdict(row) for row in rows(_turned(table[table["adjacent"] > _LIKELY]))]
    if not verdicts:
        return (
            "No two nodes that may be joined either way are more probably joined by an edge than "
            "not: no direction to tell."
        )
    count = plural(len(verdicts), "is", "are")
    told = [
        f"Of the pairs of nodes that may be joined either way, {count} more probably joined by an "
        "edge than not."
    ]
    for verdict, sentence in _SENTENCES.items():
        same = verdicts.count(verdict)
        if same:
            which = "all" if same == len(verdicts) > 1 else "one" if same == 1 else same
            told.append(sentence.format(which))
    return " ".join(told)


def plot_directions(posterior: Posterior, ax: Axes | None = None, top: int = _MOST) -> Axes:
    """Draw which way edges point: a bar for each pair that is most probably adjacent.

    Args:
        posterior: what to draw.
        ax: where to draw; new Axes of a fitting size where None.
        top: how many pairs at most.

    Returns:
        The Axes.

    Raises:
        ModelError: ``top`` is not a positive number.
    """
    return drawn(DirectionsPicture.of(posterior, top), ax)
