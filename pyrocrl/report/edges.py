"""The strongest edges as an ArviZ forest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from pyrocrl.errors import ModelError
from pyrocrl.posterior.inference_data import import_arviz
from pyrocrl.report.style import INK, MUTED, POSITIVE, drawn, note_beside, plain, say_instead
from pyrocrl.report.tables import rows
from pyrocrl.report.wording import probability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pyrocrl.posterior import Posterior

__all__ = ["EdgesPicture", "plot_edges"]


@dataclass(frozen=True)
class EdgesPicture:
    """A forest of edge strengths.

    Attributes:
        edges: the rows of the edge table to show, most probable first.
        strength: their strengths in nats per subject in draws that contain them, (draw, edge).
        rope: strength in nats per subject below which an edge counts as none.
    """

    edges: pd.DataFrame
    strength: NDArray[np.float64]
    rope: float

    @classmethod
    def of(cls, posterior: Posterior, top: int = 15) -> EdgesPicture:
        """Collect the draws of the ``top`` most probable edges.

        Raises:
            ModelError: ``top`` is not a positive number.
        """
        if top < 1:
            raise ModelError(f"top must be at least 1, not {top!r}")
        table = posterior.edge_table()
        # An edge without strength is in none of the draws.
        edges = table.dropna(subset=["strength"]).head(top).reset_index(drop=True)
        draws = posterior.to_inference_data()["posterior"]["strength"]
        place = {name: i for i, name in enumerate(draws["child"].to_numpy().tolist())}
        strength = draws.transpose("chain", "draw", "child", "parent").to_numpy()
        drawn = strength.reshape(-1, len(place), len(place))[
            :, [place[name] for name in edges["child"]], [place[name] for name in edges["parent"]]
        ]
        rope = float(posterior.settings.get("rope", 0.0))
        return cls(edges, _where_present(drawn), rope)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        return 9.0, 1.1 + 0.3 * max(2, len(self.edges))

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``."""
        if self.edges.empty:
            say_instead(ax, "No edge occurs in any draw of the graph.")
            return
        az = import_arviz()
        az.plot_forest(
            xr.Dataset({"strength": (("chain", "draw", "edge"), self.strength[None])}),
            combined=True,
            hdi_prob=0.9,
            colors=POSITIVE,
            linewidth=1.6,
            markersize=5,
            textsize=9,
            ax=ax,
        )
        # ArviZ counts from the bottom; the most probable edge is on top.
        ticks = np.sort(ax.get_yticks())[::-1]
        edges = list(rows(self.edges))
        ax.set_yticks(ticks, [plain(f"{row.parent} → {row.child}") for row in edges])
        ax.tick_params(axis="both", labelsize=9, labelcolor=INK)
        ax.tick_params(axis="y", length=0)
        for tick, row in zip(ticks, edges, strict=True):
            note_beside(ax, f"P {_relation(float(row.probability))}", tick)
        ax.set_title("")
        ax.spines[["top", "left", "right"]].set_visible(False)
        ax.set_xlim(left=0)
        ax.set_ylim(ticks[-1] - 1.6, ticks[0] + 1.6)
        ax.set_xlabel("strength, nats per subject", fontsize=9, color=INK)
        ax.grid(axis="x", color="#e4e7eb", linewidth=0.7)
        ax.set_axisbelow(True)
        if self.rope > 0:
            ax.axvspan(0, self.rope, color="#9aa5b1", alpha=0.25, linewidth=0)
            ax.annotate(
                f"counts as none: below {self.rope:g}",
                (self.rope, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(3, 3),
                textcoords="offset points",
                fontsize=8,
                color=MUTED,
            )


def _relation(value: float) -> str:
    text = probability(value)
    return text if text[0] in "<>" else f"= {text}"


def _where_present(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """As many strengths for each edge as there are draws, from those that contain it.

    Args:
        draws: (draw, edge), zero in draws without the edge.
    """
    filled = np.empty_like(draws)
    for edge, values in enumerate(draws.T):
        present = values[values > 0]
        # Evenly spaced repeats: no random numbers in a plot.
        filled[:, edge] = present[np.arange(len(values)) * len(present) // len(values)]
    return filled


def plot_edges(posterior: Posterior, ax: Axes | None = None, top: int = 15) -> Axes:
    """Draw how strong the most probable edges are: an ArviZ forest.

    Of the draws that contain an edge, the dot is the median, the thick line holds the middle half,
    and the thin line is the 90 % highest-density interval.

    Args:
        posterior: what to draw.
        ax: where to draw; new Axes of a fitting size where None.
        top: how many edges at most, the most probable first.

    Returns:
        The Axes.

    Raises:
        ModelError: ``top`` is not a positive number.
    """
    return drawn(EdgesPicture.of(posterior, top), ax)
