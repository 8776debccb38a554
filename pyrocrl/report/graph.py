"""The picture of the graph: modalities left to right, edges by probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pyrocrl.errors import ModelError
from pyrocrl.report.layout import NODE_HEIGHT, NODE_WIDTH, Layout, layered_layout
from pyrocrl.report.pen import LABEL, Node, Pen
from pyrocrl.report.story import sharing_of
from pyrocrl.report.style import (
    drawn,
    group_colours,
    shorten,
)
from pyrocrl.report.wording import probability as probability_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pyrocrl.posterior import Posterior

__all__ = ["GraphPicture", "plot_graph"]

_INCH = 0.6  # inches per unit of the layout
_MARGIN = 0.2
_LEGEND_ROW = 0.4
_LEGEND_COLUMN = 3.0
_MAX_EDGES = 60
_CROWDED = 18


@dataclass(frozen=True)
class GraphPicture:
    """The graph, laid out and ready to draw.

    Attributes:
        nodes: by name.
        edges: probability of each drawn (parent, child), most probable first.
        left_out: how many edges above the threshold are not drawn because there are too many.
    """

    nodes: dict[str, Node]
    edges: dict[tuple[str, str], float]
    left_out: int
    threshold: float
    layout: Layout

    @classmethod
    def of(cls, posterior: Posterior, threshold: float = 0.1) -> GraphPicture:
        """Collect and lay out what is to be drawn.

        Raises:
            ModelError: the threshold is not between 0 and 1.
        """
        if not 0 <= threshold <= 1:
            raise ModelError(f"threshold must be between 0 and 1, not {threshold!r}")
        table = posterior.edge_table()
        groups = dict(zip(posterior.nodes.names, posterior.nodes.groups, strict=True))
        allowed = list(zip(table["parent"], table["child"], strict=True))
        ranked = table[(table["probability"] >= threshold) & (table["probability"] > 0)]
        shown = ranked.head(_MAX_EDGES)
        edges = {
            (parent, child): float(p)
            for parent, child, p in zip(
                shown["parent"], shown["child"], shown["probability"], strict=True
            )
        }
        return cls(
            _nodes(posterior),
            edges,
            len(ranked) - len(shown),
            threshold,
            layered_layout(groups, allowed, list(edges)),
        )

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        left, right, top, bottom = self._frame
        return _INCH * (right - left), _INCH * (bottom - top)

    @property
    def _frame(self) -> tuple[float, float, float, float]:
        """Left, right, top, bottom of all that is drawn: the graph, and the legend below it."""
        left, right, top, bottom = self.layout.extent
        missing = max(0.0, 4 * _LEGEND_COLUMN - (right - left)) / 2
        left, right = left - _MARGIN - missing, right + _MARGIN + missing
        rows = -(-len(self._legend) // self._legend_columns(right - left))
        return left, right, top - _MARGIN, bottom + _MARGIN + _LEGEND_ROW * (rows + 0.6)

    def _legend_columns(self, width: float) -> int:
        return max(1, min(len(self._legend), int(width / _LEGEND_COLUMN)))

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``, whose axis lines are removed."""
        left, right, top, bottom = self._frame
        ax.set_axis_off()
        ax.set_aspect("equal")
        ax.set_xlim(left, right)
        ax.set_ylim(bottom, top)
        box = ax.get_window_extent()
        unit = min(box.width / (right - left), box.height / (bottom - top)) / ax.figure.dpi
        scale = float(np.clip(unit / _INCH, 0.3, 1.5))
        pen = Pen(ax, scale, group_colours(node.group for node in self.nodes.values()))
        self._draw_panels(pen)
        for edge in reversed(self.edges):
            self._draw_edge(pen, edge)
        for name, node in self.nodes.items():
            pen.node(node, *self.layout.nodes[name])
        self._draw_labels(pen)
        pen.legend(self._legend, self._legend_columns(right - left))

    @property
    def _legend(self) -> list[tuple[str, str | bool | float]]:
        """What the legend says, and of what: a modality, a kind of node, a probability."""
        entries: list[tuple[str, str | bool | float]] = [
            (group, group) for group in dict.fromkeys(node.group for node in self.nodes.values())
        ]
        kinds = {node.latent for node in self.nodes.values()}
        entries += [("latent, inferred", True)] * (True in kinds)
        entries += [("variable, measured", False)] * (False in kinds)
        if self.edges:
            entries += [("edge, probability 1", 1.0), ("probability 0.5", 0.5)]
            entries += [("less than 0.5", 0.2)] * (self.threshold < 0.5)
        return entries

    def _draw_panels(self, pen: Pen) -> None:
        for panel in self.layout.panels:
            pen.panel(panel.group, panel.x, panel.y, panel.width, panel.height)

    def _curve(self, edge: tuple[str, str]) -> NDArray[np.float64]:
        """The route of an edge, its ends on the outline of the ellipses."""
        curve = self.layout.routes[edge].copy()
        for name, piece, point in ((edge[0], 0, 0), (edge[1], -1, 3)):
            x, y = self.layout.nodes[name]
            off = (curve[piece, point] - (x, y)) / (NODE_WIDTH / 2, NODE_HEIGHT / 2)
            if self.nodes[name].latent:
                if abs(off[0]) > 0.99:
                    off[0] = np.sign(off[0]) * np.sqrt(1 - off[1] ** 2)
                else:
                    off[1] = np.sign(off[1]) * np.sqrt(1 - off[0] ** 2)
                curve[piece, point] = (x, y) + off * (NODE_WIDTH / 2, NODE_HEIGHT / 2)
        return curve

    def _draw_edge(self, pen: Pen, edge: tuple[str, str]) -> None:
        pen.edge(self._curve(edge), self.nodes[edge[0]].group, self.edges[edge])

    def _draw_labels(self, pen: Pen) -> None:
        """Write probabilities where there is room: on no node, no other label, few other edges."""
        blocked = [(*self.layout.nodes[name], NODE_WIDTH, NODE_HEIGHT) for name in self.nodes]
        blocked += [(p.x, p.y - p.height / 2 + 0.25, p.width, 0.45) for p in self.layout.panels]
        traces = {edge: _samples(self._curve(edge)) for edge in self.edges}
        for edge, p in self.edges.items():
            if len(self.edges) > _CROWDED and p >= 0.995:
                continue
            others = [trace for other, trace in traces.items() if other != edge]
            crowd = np.concatenate(others) if others else np.empty((0, 2))
            trace = traces[edge]
            if np.ptp(trace[:, 0]) < 1e-6:
                # Too short to carry its label: that stands beside the edge.
                trace = trace + np.array([LABEL[0] / 2 + 0.12, 0.0])
            spot = _free_spot(trace, blocked, crowd)
            if spot is not None:
                blocked.append((*spot, *LABEL))
                pen.label(spot, probability_text(p), self.nodes[edge[0]].group)


def _nodes(posterior: Posterior) -> dict[str, Node]:
    """Titles without the modality's name, and for latents the column they follow most closely."""
    loadings = posterior.loadings()
    own = loadings[loadings["own"].astype(bool)].dropna(subset=["correlation"])
    own = own.reindex(own["correlation"].abs().sort_values(ascending=False, kind="stable").index)
    strongest = own.drop_duplicates("latent").set_index("latent")
    nodes = {}
    for name, group, latent in zip(
        posterior.nodes.names, posterior.nodes.groups, posterior.nodes.is_latent, strict=True
    ):
        _, shared = sharing_of(posterior, name)
        subtitle = f"shared, {shared}" if shared else ""
        if latent and not shared and name in strongest.index:
            row = strongest.loc[name]
            sign = "" if row["correlation"] > 0 else "low "
            subtitle = shorten(sign + str(row["column"]), 15)
        nodes[name] = Node(group, bool(latent), name.removeprefix(f"{group}."), subtitle)
    return nodes


def _samples(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points along a route, (point, 2), evenly spaced in each piece."""
    t = np.linspace(0, 1, 25)[:, None]
    a, b, c, d = (curve[:, None, i] for i in range(4))
    points = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
    return np.asarray(points.reshape(-1, 2))


def _free_spot(
    trace: NDArray[np.float64],
    blocked: Sequence[tuple[float, float, float, float]],
    crowd: NDArray[np.float64],
) -> tuple[float, float] | None:
    """Where on the route a label covers the fewest other edges; None where no spot is free."""
    boxes = np.array(blocked)
    reach = (boxes[:, 2:] + LABEL) / 2
    taken = (np.abs(trace[:, None] - boxes[None, :, :2]) < reach).all(-1).any(-1)
    hidden = (np.abs(trace[:, None] - crowd[None]) < np.array(LABEL) / 2).all(-1).sum(-1)
    middle = np.abs(np.linspace(-1, 1, len(trace)))
    cost = np.where(taken, np.inf, hidden + middle)
    best = int(cost.argmin())
    return (float(trace[best, 0]), float(trace[best, 1])) if np.isfinite(cost[best]) else None


def plot_graph(posterior: Posterior, ax: Axes | None = None, threshold: float = 0.1) -> Axes:
    """Draw the graph, causes to the left of effects.

    Latents are ellipses, with the measured column that they follow most closely below the name;
    variables are boxes. Edges have the colour of the cause's modality; the wider and darker, the
    more probable, and dashed where less probable than not.

    Args:
        posterior: what to draw.
        ax: where to draw; new Axes of a fitting size where None.
        threshold: edges that are less probable than this are left out.

    Returns:
        The Axes.

    Raises:
        ModelError: the threshold is not between 0 and 1.
    """
    return drawn(GraphPicture.of(posterior, threshold), ax, whole=True)
