"""A layered drawing of a directed graph: causes on the left, effects on the right.

After Sugiyama, Tagawa and Toda (1981), Methods for visual understanding of hierarchical system
structures. Every column holds panels (the nodes of one modality) and lanes. An edge that spans more
than one column runs through a lane in each column between, so that it never crosses a node.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["NODE_HEIGHT", "NODE_WIDTH", "Layout", "Panel", "layered_layout"]

Edge: TypeAlias = tuple[str, str]

NODE_WIDTH = 2.0
NODE_HEIGHT = 0.8
_PAD = 0.2
_TITLE = 0.4
_NODE_GAP = 0.5
_ITEM_GAP = 0.2
_LANE = 0.06
_BOW = 0.6
_SWEEPS = 24


@dataclass(frozen=True)
class Panel:
    """The box around the nodes of one modality in one column: centre, width and height."""

    group: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """Where everything stands; y grows downwards.

    Attributes:
        nodes: centre of each node.
        panels: one for each modality and column.
        routes: for each edge (parent, child) its cubic Bezier pieces, (piece, 4 points, 2).
        extent: left, right, top, bottom.
    """

    nodes: dict[str, tuple[float, float]]
    panels: tuple[Panel, ...]
    routes: dict[Edge, NDArray[np.float64]]
    extent: tuple[float, float, float, float]


@dataclass
class _Item:
    """What is stacked in a column: the nodes of one modality, or the lane of one edge."""

    keys: list[str]
    group: str | None = None
    centre: float = 0.0

    @property
    def half(self) -> float:
        if self.group is None:
            return _LANE / 2
        n = len(self.keys)
        return (_TITLE + 2 * _PAD + n * NODE_HEIGHT + (n - 1) * _NODE_GAP) / 2

    def heights(self) -> dict[str, float]:
        if self.group is None:
            return {self.keys[0]: self.centre}
        top = self.centre - self.half + _TITLE + _PAD + NODE_HEIGHT / 2
        return {key: top + i * (NODE_HEIGHT + _NODE_GAP) for i, key in enumerate(self.keys)}


@dataclass
class _Stack:
    """The columns, and the links between neighbouring columns that ordering and placing look at."""

    columns: list[list[_Item]]
    links: list[list[Edge]]
    left: dict[str, list[str]] = field(init=False)
    right: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.left, self.right = defaultdict(list), defaultdict(list)
        for gap in self.links:
            for a, b in gap:
                self.right[a].append(b)
                self.left[b].append(a)

    def heights(self) -> dict[str, float]:
        return {
            k: y for column in self.columns for item in column for k, y in item.heights().items()
        }

    def crossings(self) -> int:
        y = self.heights()
        total = 0
        for gap in self.links:
            ends = np.array([(y[a], y[b]) for a, b in gap]).reshape(-1, 2)
            sides = np.sign(ends[:, None] - ends[None])
            total += int((sides[..., 0] * sides[..., 1] < 0).sum()) // 2
        return total

    def wishes(self, column: list[_Item], *sides: Mapping[str, list[str]]) -> dict[str, float]:
        """The mean height of each key's neighbours; its own where it has none."""
        y = self.heights()
        own = {key: y[key] for item in column for key in item.keys}
        for key in own:
            near = [y[other] for side in sides for other in side.get(key, ())]
            if near:
                own[key] = float(np.mean(near))
        return own

    def order(self, column: list[_Item], side: Mapping[str, list[str]]) -> None:
        wish = self.wishes(column, side)
        for item in column:
            item.keys.sort(key=wish.__getitem__)
        column.sort(key=lambda item: float(np.mean([wish[key] for key in item.keys])))
        _stack_up(column)

    def place(self, column: list[_Item]) -> None:
        """Move the items as near to their neighbours as their order and their sizes allow."""
        from scipy.optimize import isotonic_regression

        if not column:
            return
        wish = self.wishes(column, self.left, self.right)
        offsets = np.zeros(len(column))
        for i in range(1, len(column)):
            offsets[i] = offsets[i - 1] + column[i - 1].half + column[i].half + _ITEM_GAP
        target, weight = [], []
        for item, offset in zip(column, offsets, strict=True):
            y = item.heights()
            shift = float(np.mean([wish[key] - y[key] for key in item.keys]))
            target.append(item.centre + shift - offset)
            # Lanes that keep their height make long edges run straight.
            weight.append(3.0 if item.group is None else 1.0)
        settled = isotonic_regression(np.array(target), weights=np.array(weight)).x + offsets
        for item, centre in zip(column, settled, strict=True):
            item.centre = float(centre)


def _stack_up(column: list[_Item]) -> None:
    total = sum(2 * item.half for item in column) + _ITEM_GAP * (len(column) - 1)
    top = -total / 2
    for item in column:
        item.centre = top + item.half
        top += 2 * item.half + _ITEM_GAP


def _depths(items: Iterable[str], edges: Iterable[Edge]) -> tuple[dict[str, int], bool]:
    """Length of the longest path to each item, and whether the edges are free of cycles.

    Items on a common cycle share a depth.
    """
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(items)
    graph.add_edges_from(edges)
    blocks = nx.condensation(graph)
    depth: dict[int, int] = {}
    for block in nx.topological_sort(blocks):
        depth[block] = max((depth[above] + 1 for above in blocks.predecessors(block)), default=0)
    where = blocks.graph["mapping"]
    acyclic = len(blocks) == len(graph)
    return {item: depth[where[item]] for item in graph}, acyclic


def _columns(
    groups: Mapping[str, str], allowed: Sequence[Edge], drawn: Sequence[Edge]
) -> dict[str, int]:
    """The column of each node: of its whole modality where the allowed edges order modalities."""
    between = [(groups[a], groups[b]) for a, b in allowed if groups[a] != groups[b]]
    by_group, acyclic = _depths(groups.values(), between)
    if acyclic:
        return {node: by_group[group] for node, group in groups.items()}
    by_node, acyclic = _depths(groups, [(a, b) for a, b in allowed if groups[a] != groups[b]])
    if acyclic:
        return by_node
    return _depths(groups, drawn)[0]


def layered_layout(
    groups: Mapping[str, str], allowed: Sequence[Edge], drawn: Sequence[Edge]
) -> Layout:
    """Lay out nodes in columns from causes to effects and route the edges between them.

    Args:
        groups: the modality of each node, in the order of the nodes.
        allowed: all (parent, child) pairs that the fit considered; they decide the columns.
        drawn: the (parent, child) pairs to draw.

    Returns:
        The layout; the same input gives the same layout.

    >>> layout = layered_layout({"a.z1": "a", "b.z1": "b"}, [("a.z1", "b.z1")], [("a.z1", "b.z1")])
    >>> layout.nodes["a.z1"][0] < layout.nodes["b.z1"][0]
    True
    """
    column_of = _columns(groups, allowed, drawn)
    columns: list[list[_Item]] = [[] for _ in range(max(column_of.values(), default=-1) + 1)]
    for node, group in groups.items():
        column = columns[column_of[node]]
        panel = next((item for item in column if item.group == group), None)
        if panel is None:
            column.append(_Item([node], group))
        else:
            panel.keys.append(node)

    links: list[list[Edge]] = [[] for _ in columns]
    paths: dict[Edge, list[str]] = {}
    for number, (a, b) in enumerate(drawn):
        start, stop = column_of[a], column_of[b]
        lanes = [f"\0lane {number} {c}" for c in range(start + 1, stop)]
        for c, lane in enumerate(lanes, start + 1):
            columns[c].append(_Item([lane]))
        paths[a, b] = [a, *lanes, b]
        if stop > start:
            for c, link in enumerate(zip(paths[a, b], paths[a, b][1:], strict=False), start):
                links[c].append(link)

    stack = _Stack(columns, links)
    _settle(stack)
    return _routed(stack, groups, column_of, paths)


def _settle(stack: _Stack) -> None:
    """Order the columns with few crossings, then move everything near its neighbours."""
    for column in stack.columns:
        _stack_up(column)
    best, fewest = None, np.inf
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for column in stack.columns if forward else reversed(stack.columns):
            stack.order(column, stack.left if forward else stack.right)
        if (crossings := stack.crossings()) < fewest:
            fewest = crossings
            best = [[_Item(list(i.keys), i.group, i.centre) for i in c] for c in stack.columns]
    if best is not None:
        stack.columns = best
    for sweep in range(_SWEEPS):
        for column in stack.columns if sweep % 2 == 0 else reversed(stack.columns):
            stack.place(column)


def _ports(
    paths: Mapping[Edge, list[str]], y: Mapping[str, float], column_of: Mapping[str, int]
) -> tuple[dict[Edge, float], dict[Edge, float]]:
    """How far above or below the middle of its two nodes each edge leaves and arrives."""
    leaving: dict[str, list[tuple[float, Edge]]] = defaultdict(list)
    arriving: dict[str, list[tuple[float, Edge]]] = defaultdict(list)
    for edge, path in paths.items():
        if column_of[edge[0]] != column_of[edge[1]]:
            leaving[edge[0]].append((y[path[1]], edge))
            arriving[edge[1]].append((y[path[-2]], edge))
    ports: list[dict[Edge, float]] = []
    for side in (leaving, arriving):
        offsets: dict[Edge, float] = {}
        for ends in side.values():
            step = min(0.17, 0.72 * NODE_HEIGHT / max(1, len(ends) - 1))
            for i, (_, edge) in enumerate(sorted(ends)):
                offsets[edge] = (i - (len(ends) - 1) / 2) * step
        ports.append(offsets)
    return ports[0], ports[1]


def _s_curve(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    middle = (x0 + x1) / 2
    return [(x0, y0), (middle, y0), (middle, y1), (x1, y1)]


def _line(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    return [(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t) for t in (0, 1 / 3, 2 / 3, 1)]


def _routed(
    stack: _Stack,
    groups: Mapping[str, str],
    column_of: Mapping[str, int],
    paths: Mapping[Edge, list[str]],
) -> Layout:
    half = NODE_WIDTH / 2
    # Steep curves need room: a gap widens with the height that its edges climb.
    y = stack.heights()
    x_of = [0.0] * len(stack.columns)
    for c in range(1, len(x_of)):
        climb = max((abs(y[a] - y[b]) for a, b in stack.links[c - 1]), default=0.0)
        gap = 1.2 + 0.18 * min(climb, 6.0) + 0.02 * min(len(stack.links[c - 1]), 20)
        x_of[c] = x_of[c - 1] + NODE_WIDTH + 2 * _PAD + gap
    nodes = {node: (x_of[column_of[node]], y[node]) for node in groups}

    out, into = _ports(paths, y, column_of)
    routes: dict[Edge, NDArray[np.float64]] = {}
    for edge, path in paths.items():
        start, stop = column_of[edge[0]], column_of[edge[1]]
        if start == stop:
            routes[edge] = np.array([_within(edge, nodes, stack.columns[start])])
            continue
        reach = half + _PAD
        x, height = x_of[start] + half, y[edge[0]] + out[edge]
        pieces = []
        for c, key in enumerate(path[1:], start + 1):
            last = c == stop
            end = x_of[c] - (half if last else reach)
            below = y[key] + (into[edge] if last else 0.0)
            pieces.append(_s_curve(x, height, end, below))
            x, height = end, below
            if not last:
                pieces.append(_line(x, height, x_of[c] + reach, height))
                x = x_of[c] + reach
        routes[edge] = np.array(pieces)

    panels = tuple(
        Panel(item.group, x_of[c], item.centre, NODE_WIDTH + 2 * _PAD, 2 * item.half)
        for c, column in enumerate(stack.columns)
        for item in column
        if item.group is not None
    )
    corners = [(p.x + s * p.width / 2, p.y + s * p.height / 2) for p in panels for s in (-1, 1)]
    points = np.concatenate([np.array(corners), *(r.reshape(-1, 2) for r in routes.values())])
    (left, top), (right, bottom) = points.min(0), points.max(0)
    return Layout(nodes, panels, routes, (float(left), float(right), float(top), float(bottom)))


def _within(
    edge: Edge, nodes: Mapping[str, tuple[float, float]], column: Sequence[_Item]
) -> list[tuple[float, float]]:
    """An edge inside a column: straight between neighbours, else a bow past what lies between."""
    (x, y0), (_, y1) = nodes[edge[0]], nodes[edge[1]]
    down = 1.0 if y1 > y0 else -1.0
    if (
        any(set(edge) <= set(item.keys) for item in column)
        and abs(y1 - y0) < NODE_HEIGHT + 1.5 * _NODE_GAP
    ):
        side = x + 0.25 * down
        edge_of_node = down * NODE_HEIGHT / 2
        return _line(side, y0 + edge_of_node, side, y1 - edge_of_node)
    right = x + NODE_WIDTH / 2
    return [(right, y0), (right + _BOW, y0), (right + _BOW, y1), (right, y1)]
