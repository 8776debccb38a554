"""The strokes that a graph is drawn with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pyrocrl.report.layout import NODE_HEIGHT, NODE_WIDTH
from pyrocrl.report.style import INK, MUTED, blend, plain, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["LABEL", "Node", "Pen"]

# Sizes in units of the layout: width and height of a label, length and half width of a head.
LABEL = (0.66, 0.3)
_HEAD = (0.2, 0.08)


@dataclass(frozen=True)
class Node:
    """What is written of a node; the modality gives its colour, ``latent`` its shape."""

    group: str
    latent: bool
    title: str
    subtitle: str


@dataclass(frozen=True)
class Pen:
    """Draws the parts of the graph in one style."""

    ax: Axes
    scale: float
    colours: dict[str, str]

    def panel(self, group: str, x: float, y: float, width: float, height: float) -> None:
        """Draw the box around the nodes of a modality: centre, width, height."""
        from matplotlib.patches import FancyBboxPatch

        colour = self.colours[group]
        self.ax.add_patch(
            FancyBboxPatch(
                (x - width / 2, y - height / 2),
                width,
                height,
                boxstyle="round,pad=0,rounding_size=0.15",
                facecolor=blend(colour, "#ffffff", 0.93),
                edgecolor=blend(colour, "#ffffff", 0.6),
                linewidth=0.8,
                zorder=1,
            )
        )
        self.ax.text(
            x,
            y - height / 2 + 0.3,
            plain(shorten(group, 18)),
            ha="center",
            va="center",
            fontsize=9.5 * self.scale,
            fontweight="bold",
            color=blend(colour, "#000000", 0.45),
            zorder=5,
        )

    def node(self, node: Node, x: float, y: float) -> None:
        """Draw a node and its text, centred."""
        from matplotlib.patches import Ellipse, FancyBboxPatch, Patch

        colour = self.colours[node.group]
        style: dict[str, Any] = {
            "facecolor": blend(colour, "#ffffff", 0.75),
            "edgecolor": blend(colour, "#000000", 0.15),
            "linewidth": 1.3 * self.scale,
            "zorder": 4,
        }
        shape: Patch
        if node.latent:
            shape = Ellipse((x, y), NODE_WIDTH, NODE_HEIGHT, **style)
        else:
            shape = FancyBboxPatch(
                (x - NODE_WIDTH / 2, y - NODE_HEIGHT / 2),
                NODE_WIDTH,
                NODE_HEIGHT,
                boxstyle="round,pad=0,rounding_size=0.08",
                **style,
            )
        self.ax.add_patch(shape)
        lift = 0.14 if node.subtitle else 0.0
        self._text(x, y - lift, shorten(node.title, 18), 10.5, "bold" if node.latent else "normal")
        if node.subtitle:
            self._text(x, y + 0.17, node.subtitle, 8, "normal")

    def _text(self, x: float, y: float, text: str, size: float, weight: str) -> None:
        # Long names shrink a little before they would leave the node.
        size *= min(1.0, 12.5 / max(1, len(text))) if size > 9 else 1.0
        self.ax.text(
            x,
            y,
            plain(text),
            ha="center",
            va="center",
            fontsize=size * self.scale,
            fontweight=weight,
            color=INK,
            zorder=5,
        )

    def edge(self, curve: NDArray[np.float64], group: str, probability: float) -> None:
        """Draw an edge along its route, (piece, 4 points, 2), with its head."""
        from matplotlib.patches import PathPatch, Polygon
        from matplotlib.path import Path

        colour = self._edge_colour(group, probability)
        tip = curve[-1, 3].copy()
        direction = tip - curve[-1, 2]
        direction /= np.hypot(*direction)
        length, half = _HEAD
        curve = curve.copy()
        curve[-1, 3] = tip - 0.9 * length * direction
        points = [curve[0, 0], *(point for piece in curve for point in piece[1:])]
        codes = [Path.MOVETO] + [Path.CURVE4] * (3 * len(curve))
        self.ax.add_patch(
            PathPatch(
                Path(np.array(points), codes),
                facecolor="none",
                edgecolor=colour,
                linewidth=_line_width(probability) * self.scale,
                linestyle=_line_style(probability),
                zorder=2 + probability / 2,
            )
        )
        across = np.array([-direction[1], direction[0]]) * half
        base = tip - length * direction
        self.ax.add_patch(
            Polygon(
                np.array([tip, base + across, base - across]),
                closed=True,
                facecolor=colour,
                edgecolor="none",
                zorder=3,
            )
        )

    def _edge_colour(self, group: str, probability: float) -> str:
        strong = blend(self.colours[group], "#000000", 0.2)
        return blend(strong, "#ffffff", 0.5 * (1 - probability))

    def label(self, spot: tuple[float, float], text: str, group: str) -> None:
        """Write a probability on its edge."""
        self.ax.text(
            *spot,
            text,
            ha="center",
            va="center",
            fontsize=8 * self.scale,
            color=blend(self.colours[group], "#000000", 0.55),
            zorder=6,
            bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none"},
        )

    def legend(self, entries: Sequence[tuple[str, str | bool | float]], columns: int) -> None:
        """Explain modalities, kinds of nodes and edges below the graph."""
        legend = self.ax.legend(
            handles=[self._handle(what) for _, what in entries],
            labels=[str(i) for i in range(len(entries))],
            loc="lower center",
            ncol=columns,
            fontsize=9 * self.scale,
            frameon=False,
            labelcolor=MUTED,
        )
        # matplotlib would drop a label that begins with an underscore; one set later it keeps.
        for text, (label, _) in zip(legend.get_texts(), entries, strict=True):
            text.set_text(plain(shorten(label, 22)))

    def _handle(self, what: str | bool | float) -> Line2D:
        from matplotlib.lines import Line2D

        if isinstance(what, float):
            return Line2D(
                [],
                [],
                color=blend(INK, "#ffffff", 0.5 * (1 - what)),
                linewidth=_line_width(what) * self.scale,
                linestyle=_line_style(what),
            )
        colour = self.colours[what] if isinstance(what, str) else INK
        return Line2D(
            [],
            [],
            marker="o" if what is True else "s",
            color=colour,
            markerfacecolor=colour if isinstance(what, str) else "white",
            linestyle="",
            markersize=7.5 * self.scale,
        )


def _line_width(probability: float) -> float:
    return 0.9 + 1.7 * probability


def _line_style(probability: float) -> Any:
    return "solid" if probability >= 0.5 else (0, (4, 2))
