"""What figures of the results look like: bars and lines by method, held-out fit by count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pyrocrl.benchmark.settings import METHODS, OURS
from pyrocrl.report.graph import GraphPicture
from pyrocrl.report.pen import Pen
from pyrocrl.report.style import INK, MUTED, group_colours, legend_beside, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["HeldOutLines", "MethodBars", "MethodLines", "TrueGraph"]

_MCC = "mean correlation coefficient (MCC)"


@dataclass(frozen=True)
class MethodBars:
    """A group of bars for each setting, a bar with its deviation for each method."""

    summary: pd.DataFrame
    settings: tuple[str, ...]
    methods: tuple[str, ...]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        return 2.5 + 0.13 * (len(self.methods) + 2) * len(self.settings), 4.0

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``."""
        colours = group_colours(METHODS)
        width = 1 / (len(self.methods) + 2)
        for number, method in enumerate(self.methods):
            own = self.summary.xs(method, level="method").reindex(list(self.settings))
            places = np.arange(len(self.settings)) + (number - len(self.methods) / 2 + 0.5) * width
            ax.bar(
                places,
                own.mcc.to_numpy(dtype=float),
                width,
                yerr=own.mcc_sd.fillna(0).to_numpy(dtype=float),
                error_kw={"elinewidth": 0.9, "ecolor": INK},
                color=colours[method],
                label=method,
            )
        names = [plain(name) for name in self.settings]
        ax.set_xticks(range(len(names)), names, rotation=25, ha="right")
        ax.tick_params(axis="x", length=0)
        ax.set_ylim(0, 1.03)
        _finish(ax, "", _MCC)


@dataclass(frozen=True)
class MethodLines:
    """Mean MCC of each method over a column of the results, bars for the standard deviation."""

    summary: pd.DataFrame
    places: dict[str, float]
    methods: tuple[str, ...]
    label: str
    logarithmic: bool = False
    size: tuple[float, float] = (7.5, 4.0)

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``."""
        colours = group_colours(METHODS)
        x = np.array(list(self.places.values()))
        for method in self.methods:
            own = self.summary.xs(method, level="method").reindex(list(self.places))
            ours = method == OURS
            ax.errorbar(
                x,
                own.mcc.to_numpy(dtype=float),
                yerr=own.mcc_sd.fillna(0).to_numpy(dtype=float),
                color=colours[method],
                marker="o",
                markersize=5 if ours else 3,
                linewidth=2.2 if ours else 1.1,
                elinewidth=0.9,
                capsize=2,
                zorder=3 if ours else 2,
                label=method,
            )
        if self.logarithmic:
            ax.set_xscale("log")
            ax.minorticks_off()
            ax.set_xticks(x, [f"{value:,.0f}" for value in x])
        else:
            ax.set_xticks(x, [f"{value:.0%}" for value in x])
        _finish(ax, self.label, _MCC)


@dataclass(frozen=True)
class HeldOutLines:
    """Held-out fit by number of latents: a line for each modality, a thin one for each seed."""

    table: pd.DataFrame
    true_counts: dict[str, int]
    size: tuple[float, float] = (6.5, 4.0)

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``."""
        colours = group_colours(self.true_counts)
        for modality, colour in colours.items():
            own = self.table[self.table.modality == modality]
            for _, run in own.groupby("seed"):
                ax.plot(run.latents, run.held_out, color=colour, linewidth=0.6, alpha=0.35)
            mean = own.groupby("latents").held_out.mean()
            ax.plot(
                mean.index,
                mean,
                color=colour,
                linewidth=2,
                marker="o",
                markersize=4,
                label=modality,
            )
        for count in sorted(set(self.true_counts.values())):
            ax.axvline(count, color=MUTED, linewidth=0.9, linestyle=(0, (3, 3)), zorder=1)
        ax.set_xticks(sorted(self.table.latents.unique()))
        ylabel = "held-out nats shared with the others, less the best"
        _finish(ax, "number of latents (dashed: the truth)", ylabel)


@dataclass(frozen=True)
class TrueGraph(GraphPicture):
    """A graph that is known: its edges bear no probabilities."""

    def _draw_labels(self, pen: Pen) -> None:
        pass


def _finish(ax: Axes, xlabel: str, ylabel: str) -> None:
    ax.set_xlabel(xlabel, fontsize=9, color=INK)
    ax.set_ylabel(ylabel, fontsize=9, color=INK)
    ax.tick_params(labelsize=8.5, labelcolor=INK)
    ax.grid(axis="y", color="#e4e7eb", linewidth=0.7)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    legend_beside(ax)
