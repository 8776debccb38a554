"""Nodes stand apart, edges run from left to right, and no edge passes over a node."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrocrl.report.layout import NODE_HEIGHT, NODE_WIDTH, Layout, layered_layout

Edges = list[tuple[str, str]]
Graph = tuple[dict[str, str], Edges, Edges]


def sampled(layout: Layout, edge: tuple[str, str]) -> np.ndarray:
    """Points along an edge, (point, 2)."""
    t = np.linspace(0, 1, 40)[:, None]
    a, b, c, d = (layout.routes[edge][:, None, i] for i in range(4))
    points = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
    return points.reshape(-1, 2)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=6))
    groups = {f"g{g}.z{i}": f"g{g}" for g, size in enumerate(sizes) for i in range(size)}
    names = list(groups)
    allowed = [(a, b) for a in names for b in names if groups[a] < groups[b]]
    drawn = draw(st.lists(st.sampled_from(allowed), unique=True, max_size=25)) if allowed else []
    return groups, allowed, drawn


@settings(max_examples=30, deadline=None)
@given(graphs())
def test_nothing_overlaps_a_node(graph: Graph) -> None:
    groups, allowed, drawn = graph
    layout = layered_layout(groups, allowed, drawn)
    centres = np.array([layout.nodes[name] for name in groups])
    distance = np.abs(centres[:, None] - centres[None])
    apart = (distance[..., 0] >= NODE_WIDTH) | (distance[..., 1] >= NODE_HEIGHT)
    assert (apart | np.eye(len(centres), dtype=bool)).all()
    for edge in drawn:
        trace = sampled(layout, edge)
        for name in set(groups) - set(edge):
            off = np.abs(trace - layout.nodes[name])
            assert not ((off[:, 0] < NODE_WIDTH / 2) & (off[:, 1] < NODE_HEIGHT / 2)).any()


@settings(max_examples=30, deadline=None)
@given(graphs())
def test_causes_stand_left_of_effects_and_all_is_inside_the_frame(
    graph: Graph,
) -> None:
    groups, allowed, drawn = graph
    layout = layered_layout(groups, allowed, drawn)
    left, right, top, bottom = layout.extent
    for parent, child in drawn:
        assert layout.nodes[parent][0] < layout.nodes[child][0]
        trace = sampled(layout, (parent, child))
        assert (np.diff(trace[:, 0]) >= -1e-9).all()
        assert trace[:, 0].min() >= left - 1e-9
        assert trace[:, 0].max() <= right + 1e-9
        assert trace[:, 1].min() >= top - 1e-9
        assert trace[:, 1].max() <= bottom + 1e-9


def test_panels_hold_their_nodes_and_stand_apart(make_large) -> None:
    posterior = make_large()
    groups = dict(zip(posterior.nodes.names, posterior.nodes.groups, strict=True))
    table = posterior.edge_table()
    allowed = list(zip(table["parent"], table["child"], strict=True))
    layout = layered_layout(groups, allowed, allowed[:30])
    assert [panel.group for panel in layout.panels] == list(dict.fromkeys(groups.values()))
    for panel in layout.panels:
        inside = [
            abs(x - panel.x) < panel.width / 2 and abs(y - panel.y) < panel.height / 2
            for x, y in layout.nodes.values()
        ]
        assert sum(inside) == sum(group == panel.group for group in groups.values())


def test_the_same_graph_is_laid_out_the_same_way() -> None:
    groups = {f"g{i}.z1": f"g{i}" for i in range(5)}
    edges = [(a, b) for a in groups for b in groups if a < b]
    first, second = (layered_layout(groups, edges, edges) for _ in range(2))
    assert first.nodes == second.nodes
    assert all(np.array_equal(first.routes[e], second.routes[e]) for e in edges)


def test_a_modality_whose_variables_have_different_ranks_is_split() -> None:
    groups = {"p.age": "p", "b.z1": "b", "p.outcome": "p"}
    edges = [("p.age", "b.z1"), ("b.z1", "p.outcome")]
    layout = layered_layout(groups, edges, edges)
    assert layout.nodes["p.age"][0] < layout.nodes["b.z1"][0] < layout.nodes["p.outcome"][0]
    assert [panel.group for panel in layout.panels] == ["p", "b", "p"]


@pytest.mark.parametrize("drawn", [[("a.z1", "a.z2")], [("a.z2", "a.z1")], [("a.z1", "a.z3")]])
def test_edges_within_a_modality_end_at_their_nodes(drawn: Edges) -> None:
    groups = {"a.z1": "a", "a.z2": "a", "a.z3": "a"}
    layout = layered_layout(groups, drawn, drawn)
    trace = sampled(layout, drawn[0])
    for name, end in zip(drawn[0], (trace[0], trace[-1]), strict=True):
        off = np.abs(end - layout.nodes[name])
        assert off[0] <= NODE_WIDTH / 2 + 1e-9
        assert off[1] <= NODE_HEIGHT / 2 + 1e-9


def test_feedback_is_drawn_too() -> None:
    groups = {"a.z1": "a", "b.z1": "b", "c.z1": "c"}
    edges = [("a.z1", "b.z1"), ("b.z1", "a.z1"), ("b.z1", "c.z1")]
    layout = layered_layout(groups, edges, edges)
    assert set(layout.routes) == set(edges)
    assert layout.nodes["a.z1"][0] == layout.nodes["b.z1"][0] < layout.nodes["c.z1"][0]
