"""What the latents mean: their correlations with the measured columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pyrocrl.errors import ModelError
from pyrocrl.report.style import (
    INK,
    NEGATIVE,
    POSITIVE,
    blend,
    drawn,
    group_colours,
    plain,
    say_instead,
)
from pyrocrl.report.wording import signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pyrocrl.posterior import Posterior

__all__ = ["LatentsPicture", "plot_latents"]


@dataclass(frozen=True)
class LatentsPicture:
    """A heatmap: a row for each measured column, a column for each latent.

    Attributes:
        correlations: rows (modality, column), columns latents.
        group_of: the modality of each latent.
        colours: of each modality, as in the graph.
        left_out: how many measured columns are not shown.
    """

    correlations: pd.DataFrame
    group_of: dict[str, str]
    colours: dict[str, str]
    left_out: int

    @classmethod
    def of(cls, posterior: Posterior, max_columns: int = 60) -> LatentsPicture:
        """Collect the correlations of the ``max_columns`` most telling measured columns.

        Raises:
            ModelError: ``max_columns`` is not a positive number.
        """
        if max_columns < 1:
            raise ModelError(f"max_columns must be at least 1, not {max_columns!r}")
        loadings = posterior.loadings()
        nodes = posterior.nodes
        group_of = {
            name: group
            for name, group, latent in zip(nodes.names, nodes.groups, nodes.is_latent, strict=True)
            if latent
        }
        table = loadings.pivot(index=["modality", "column"], columns="latent", values="correlation")
        rows = pd.MultiIndex.from_frame(loadings[["modality", "column"]].drop_duplicates())
        table = table.reindex(index=rows, columns=list(group_of))
        own = loadings[loadings["own"].astype(bool)]
        best = own.groupby(["modality", "column"])["correlation"].agg(lambda r: r.abs().max())
        telling = best.reindex(rows).fillna(-1.0).rank(method="first", ascending=False)
        keep = telling.to_numpy() <= max_columns
        colours = group_colours([*nodes.groups, *rows.get_level_values("modality")])
        return cls(table[keep], group_of, colours, int((~keep).sum()))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        rows, columns = self.correlations.shape
        return 3.2 + 0.62 * max(3, columns), 1.6 + 0.215 * max(3, rows)

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``."""
        if self.correlations.empty:
            say_instead(ax, "There are no latents: all nodes are measured.")
            return
        from matplotlib.colors import LinearSegmentedColormap

        ends = [NEGATIVE, "#ffffff", POSITIVE]
        colours = LinearSegmentedColormap.from_list("signed", ends).with_extremes(bad="#d9dde1")
        values = self.correlations.to_numpy(dtype=float)
        image = ax.imshow(values, cmap=colours, vmin=-1, vmax=1, aspect="auto")
        self._write_values(ax, values)
        self._label(ax)
        self._frame_own(ax)
        bar = ax.figure.colorbar(image, ax=ax, shrink=min(1.0, 4 / self.size[1]), pad=0.02)
        bar.set_label("correlation with the latent", fontsize=8.5, color=INK)
        bar.ax.tick_params(labelsize=8)
        bar.outline.set_visible(False)

    def _write_values(self, ax: Axes, values: np.ndarray) -> None:
        for (row, column), value in np.ndenumerate(values):
            # Faint cells speak by their colour alone; numbers everywhere would be noise.
            if abs(value) >= 0.2:
                ax.text(
                    column,
                    row,
                    signed(value).replace("0.", "."),
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="white" if abs(value) > 0.72 else INK,
                )

    def _label(self, ax: Axes) -> None:
        columns = self.correlations.index.get_level_values("column")
        ax.set_yticks(range(len(columns)), [plain(str(column)) for column in columns])
        names = list(self.correlations.columns)
        ax.set_xticks(range(len(names)), [plain(name) for name in names], rotation=40)
        ax.xaxis.tick_top()
        ax.tick_params(length=0, labelsize=8, labelcolor=INK)
        for label in ax.get_xticklabels():
            label.set(ha="left", rotation_mode="anchor")
        for label, (modality, _) in zip(ax.get_yticklabels(), self.correlations.index, strict=True):
            label.set_color(_readable(self.colours[modality]))
        for label, name in zip(ax.get_xticklabels(), names, strict=True):
            label.set_color(_readable(self.colours[self.group_of[name]]))
        for spine in ax.spines.values():
            spine.set_visible(False)

    def _frame_own(self, ax: Axes) -> None:
        """Frame where latents meet the columns of their own modality; a line between modalities."""
        from matplotlib.patches import Rectangle

        modalities = self.correlations.index.get_level_values("modality").to_numpy()
        latents = np.array([self.group_of[name] for name in self.correlations.columns])
        for group in dict.fromkeys(modalities):
            rows, columns = np.flatnonzero(modalities == group), np.flatnonzero(latents == group)
            ax.axhline(rows[0] - 0.5, color="#9aa5b1", linewidth=0.6)
            if len(columns):
                ax.add_patch(
                    Rectangle(
                        (columns[0] - 0.5, rows[0] - 0.5),
                        len(columns),
                        len(rows),
                        facecolor="none",
                        edgecolor=_readable(self.colours[group]),
                        linewidth=1.6,
                        zorder=3,
                    )
                )


def _readable(colour: str) -> str:
    return blend(colour, "#000000", 0.4)


def plot_latents(posterior: Posterior, ax: Axes | None = None, max_columns: int = 60) -> Axes:
    """Draw the correlation of every latent with the measured columns as a heatmap.

    The frames hold the columns that a latent was inferred from.

    Args:
        posterior: what to draw.
        ax: where to draw; new Axes of a fitting size where None.
        max_columns: with more measured columns, those that the latents follow least are left out.

    Returns:
        The Axes.

    Raises:
        ModelError: ``max_columns`` is not a positive number.
    """
    return drawn(LatentsPicture.of(posterior, max_columns), ax)
