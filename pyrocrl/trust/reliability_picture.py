"""The reliability curve: how often edges of some probability are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pyrocrl.metrics import calibration
from pyrocrl.report.style import INK, MUTED, figure_of, group_colours, legend_beside
from pyrocrl.trust.methods import METHODS
from pyrocrl.trust.pooled import edges

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ReliabilityPicture", "save_reliability"]

_DPI = 110
_MARKER = 12.0


@dataclass(frozen=True)
class ReliabilityPicture:
    """Share of true edges against probability, a line for each method.

    Attributes:
        results: Rows of `pyrocrl.trust.calibration.measure`, without failures, of the same data
            sets for every method.
        methods: The methods.
    """

    results: pd.DataFrame
    methods: Sequence[str]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        return 6.2, 4.2

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``; marks are larger where there are more edges."""
        colours = group_colours(METHODS)
        ax.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle="--", label="as it says")
        for name in self.methods:
            own = self.results[self.results.method == name]
            pool = edges(own)
            curve = calibration(pool.true, pool.probability).curve
            ax.plot(curve.probability, curve.share, color=colours[name], linewidth=1.2, label=name)
            area = _MARKER * np.log10(1 + curve.edges.to_numpy(dtype=float))
            ax.scatter(curve.probability, curve.share, s=area, color=colours[name], zorder=3)
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        ax.set_xlabel("probability of an edge", fontsize=9, color=INK)
        ax.set_ylabel("share that is there", fontsize=9, color=INK)
        count = self.results.seed.nunique()
        ax.set_title(f"order unknown, {count} data sets", fontsize=10, color=INK, loc="left")
        ax.tick_params(labelsize=8.5, labelcolor=INK)
        ax.spines[["top", "right"]].set_visible(False)
        legend_beside(ax)


def save_reliability(results: pd.DataFrame, methods: Sequence[str], path: Path) -> None:
    """Write the picture of methods, over the data sets that all of them have been run on.

    Args:
        results: Rows without failures.
        methods: The methods.
        path: Of the PNG file.
    """
    common = set.intersection(*(set(results.seed[results.method == name]) for name in methods))
    picture = ReliabilityPicture(results[results.seed.isin(list(common))], methods)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure_of(picture).savefig(path, dpi=_DPI, metadata={"Software": None})
