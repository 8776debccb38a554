"""How the edges answer to their prior: a row of marks for every edge, one mark a prior."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pyrocrl.errors import ModelError, PriorWarning, plural
from pyrocrl.posterior.sensitivity import AS_FITTED
from pyrocrl.report.style import INK, POSITIVE, drawn, plain, say_instead, share_rows
from pyrocrl.report.tables import rows
from pyrocrl.report.wording import join, probability
from pyrocrl.scm import ORDERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pyrocrl.posterior import Posterior
    from pyrocrl.scm import EdgePrior

__all__ = ["SensitivityPicture", "plot_prior_sensitivity", "sensitivity_in_words"]

_SHOWN = 0.1
_EVEN, _FAR = 0.5, 0.2
_LISTED = 5
_MARKS = "v^<>sDPX"
# Beyond these numbers of nodes the sums are no longer a matter of seconds.
_QUICK = {ORDERS["modality"]: 12, ORDERS["learned"]: 6}


@dataclass(frozen=True)
class SensitivityPicture:
    """A row of marks for each edge.

    Attributes:
        table: rows of `Posterior.prior_sensitivity` to show, most probable first.
        priors: names of the priors, those of its columns.
    """

    table: pd.DataFrame
    priors: tuple[str, ...]

    @classmethod
    def of(cls, table: pd.DataFrame, top: int = 15) -> SensitivityPicture:
        """Collect the edges that are not improbable under all priors.

        Raises:
            ModelError: ``top`` is not a positive number.
        """
        if top < 1:
            raise ModelError(f"top must be at least 1, not {top!r}")
        priors = _priors(table)
        shown = table[(table[[AS_FITTED, *priors]] >= _SHOWN).any(axis=1)]
        by = shown.sort_values(AS_FITTED, ascending=False, kind="stable")
        return cls(by.head(top), priors)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        return 9.0, 1.5 + 0.32 * max(2, len(self.table))

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``."""
        if self.table.empty:
            say_instead(
                ax, f"No edge has a probability of {_SHOWN:g} or more under any of the priors."
            )
            return
        places = np.arange(len(self.table))
        values = self.table[[AS_FITTED, *self.priors]].to_numpy(dtype=float)
        ax.hlines(places, values.min(1), values.max(1), color="#9aa5b1", linewidth=1.5, zorder=1)
        ax.axvline(_EVEN, color="#c5ccd3", linewidth=1, linestyle="--", zorder=0)
        for number, (name, column) in enumerate(zip(self.priors, values.T[1:], strict=True)):
            mark = _MARKS[number % len(_MARKS)]
            ax.scatter(
                column, places, 38, marker=mark, facecolor="white", edgecolor=INK, linewidth=0.9,
                label=plain(name), zorder=2, clip_on=False,
            )  # fmt: skip
        ax.scatter(
            values[:, 0], places, 34, color=POSITIVE, label=AS_FITTED, zorder=3, clip_on=False
        )
        share_rows(ax, [plain(f"{row.parent} → {row.child}") for row in rows(self.table)])
        ax.set_xlabel("probability of the edge", fontsize=9, color=INK)
        ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1.0), ncols=5, frameon=False, fontsize=8.5,
            borderaxespad=0.2, handletextpad=0.3,
        )  # fmt: skip


def _priors(table: pd.DataFrame) -> tuple[str, ...]:
    return tuple(c for c in table if c not in ("parent", "child", AS_FITTED, "difference"))


def sensitivity_in_words(posterior: Posterior) -> list[str]:
    """Which edges answer to the prior, for reports: sentences; none where it takes too long."""
    most = _QUICK.get(str(posterior.settings.get("order")), 0)
    if posterior.node_values is None or len(posterior.nodes.names) > most:
        return []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PriorWarning)
        table = posterior.prior_sensitivity()
    notes = [str(warning.message) for warning in caught if warning.category is PriorWarning]
    return [*_told(table), *notes] if _priors(table) else []


def _told(table: pd.DataFrame) -> list[str]:
    values = table[[AS_FITTED, *_priors(table)]].to_numpy(dtype=float)
    crosses = (values.min(1) < _EVEN) & (values.max(1) >= _EVEN)
    far = table["difference"].to_numpy() > _FAR
    moved = table[crosses | far]
    if moved.empty:
        most = table["difference"].max()
        by = f"at most by {most:.2f}" if most >= 0.01 else "by less than 0.01 throughout"
        return [
            "The answer does not hang on the prior over edges: under none of the others that were "
            f"tried does an edge's probability cross {_EVEN:g} or move by more than {_FAR:g} "
            f"({by})."
        ]
    low, high = values.min(1)[moved.index], values.max(1)[moved.index]
    listed = [
        f"{row.parent} → {row.child} ({probability(a)} to {probability(b)})"
        for row, a, b in zip(rows(moved.head(_LISTED)), low, high, strict=False)
    ]
    more = len(moved) - len(listed)
    names = join([*listed, f"{more} more"] if more else listed)
    return [
        f"{plural(len(moved), 'edge hangs', 'edges hang')} on the prior over edges: as it is "
        f"changed, its probability crosses {_EVEN:g} or moves by more than {_FAR:g}: {names}."
    ]


def plot_prior_sensitivity(
    posterior: Posterior,
    ax: Axes | None = None,
    top: int = 15,
    priors: Mapping[str, EdgePrior] | None = None,
    data: Any = None,
) -> Axes:
    """Draw how the edges' probabilities move with their prior.

    Args:
        posterior: what to draw.
        ax: where to draw; new Axes of a fitting size where None.
        top: how many edges at most, the most probable first.
        priors: see `Posterior.prior_sensitivity`.
        data: the data that was fitted; a fit that was loaded needs it.

    Returns:
        The Axes.

    Raises:
        ModelError: ``top`` is not a positive number, or see `Posterior.prior_sensitivity`.
    """
    return drawn(SensitivityPicture.of(posterior.prior_sensitivity(priors, data), top), ax)
