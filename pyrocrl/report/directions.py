"""Which directions the data fix: a bar for every pair of nodes that may be adjacent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pyrocrl.errors import ModelError
from pyrocrl.report.style import INK, MUTED, NEGATIVE, POSITIVE, drawn, plain
from pyrocrl.report.tables import rows
from pyrocrl.report.wording import plural
from pyrocrl.scm import ORDERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pyrocrl.posterior import Posterior

__all__ = ["DirectionsPicture", "directions_in_words", "plot_directions"]

_ADJACENT = 0.1
_LIKELY = 0.5
_FIXED = 0.95
_BOTH = "#CC79A7"


@dataclass(frozen=True)
class DirectionsPicture:
    """A bar for each pair: how probable each direction is.

    Attributes:
        pairs: rows of the direction table, each turned so that `forward` is the likelier way.
    """

    pairs: pd.DataFrame

    @classmethod
    def of(cls, posterior: Posterior, top: int = 20) -> DirectionsPicture:
        """Collect the pairs that are most probably adjacent.

        Raises:
            ModelError: ``top`` is not a positive number.
        """
        if top < 1:
            raise ModelError(f"top must be at least 1, not {top!r}")
        table = posterior.direction_table()
        return cls(_turned(table[table["adjacent"] >= _ADJACENT]).head(top))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        return 9.0, 1.5 + 0.32 * max(2, len(self.pairs))

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``."""
        if self.pairs.empty:
            ax.set_axis_off()
            text = f"No pair of nodes is adjacent with a probability of {_ADJACENT:g} or more."
            ax.text(0.5, 0.5, text, ha="center", va="center", color=MUTED, transform=ax.transAxes)
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
            ax.annotate(
                _verdict(row),
                (1.02, place),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=8.5,
                color=MUTED,
                annotation_clip=False,
            )
        ax.set_yticks(places, [plain(f"{row.first} → {row.second}") for row in pairs])
        ax.set_xlim(0, 1)
        ax.set_ylim(len(pairs) - 0.4, -0.6)
        ax.set_xlabel("probability", fontsize=9, color=INK)
        ax.tick_params(labelsize=9, labelcolor=INK)
        ax.tick_params(axis="y", length=0)
        ax.spines[["top", "right", "left"]].set_visible(False)
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
        return "a cycle"
    if _share(row) < _FIXED:
        return "open"
    if not np.isfinite(row.class_open):
        return "fixed"
    by_class = row.class_forward / (row.class_forward + row.class_backward + row.class_open)
    return "fixed by dependences alone" if by_class >= _FIXED else "fixed by bends or noise"


def directions_in_words(posterior: Posterior) -> str:
    """How many directions the data fix and by what, in a few sentences."""
    if posterior.settings.get("order") == ORDERS["modality"]:
        return (
            "The causal order was given, so that directions were not asked of the data: an edge "
            "runs from a modality to a later one. Fit with order='learned' to ask for them."
        )
    table = posterior.direction_table()
    likely = list(rows(_turned(table[table["adjacent"] > _LIKELY])))
    if not likely:
        return "No pair of nodes is more probably adjacent than not: no direction to speak of."
    verdicts = [_verdict(row) for row in likely]
    pairs = plural(len(likely), "pair of nodes", "pairs of nodes")
    told = [f"Of {pairs} with an edge that is more probable than not,"]
    fixed = sum(verdict.startswith("fixed") for verdict in verdicts)
    left_open = verdicts.count("open")
    parts = [f"{fixed} {_have(fixed)} a direction that is fixed", f"{left_open} stay open"]
    if "a cycle" in verdicts:
        parts.append(f"{verdicts.count('a cycle')} act on each other")
    told.append((", ".join(parts[:-1]) + " and " if len(parts) > 1 else "") + parts[-1] + ".")
    by_class = verdicts.count("fixed by dependences alone")
    by_shape = verdicts.count("fixed by bends or noise")
    if by_class:
        told.append(
            f"{by_class} of the directions {_follow(by_class)} from who depends on whom, and from "
            "background knowledge, alone: every graph that implies the same independences has "
            "them so."
        )
    if by_shape:
        told.append(
            f"{by_shape} {_rest(by_shape)} on the form of the dependence: a bend, or noise that is "
            "not Gaussian, which fits one direction and not the other. These are only as sure as "
            "the assumption about mechanisms below."
        )
    return " ".join(told)


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _follow(count: int) -> str:
    return "follows" if count == 1 else "follow"


def _rest(count: int) -> str:
    return "rests" if count == 1 else "rest"


def plot_directions(posterior: Posterior, ax: Axes | None = None, top: int = 20) -> Axes:
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
