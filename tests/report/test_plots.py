"""Plots draw where they are told to, on any posterior, and leave no figure behind."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from pyrocrl.errors import ModelError
from pyrocrl.posterior.restarts import best_restart
from pyrocrl.report import (
    plot_agreement,
    plot_edges,
    plot_graph,
    plot_history,
    plot_latents,
)
from pyrocrl.report.edges import EdgesPicture
from pyrocrl.report.graph import GraphPicture
from pyrocrl.report.history import HistoryPicture
from pyrocrl.report.latents import LatentsPicture
from pyrocrl.report.style import figure_of, group_colours

PLOTS = [plot_agreement, plot_edges, plot_graph, plot_history, plot_latents]


@pytest.fixture(autouse=True)
def agg() -> Any:
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.mark.parametrize("plot", PLOTS)
def test_draws_on_the_axes_that_it_is_given(plot: Any, posterior: Any) -> None:
    figure = Figure(figsize=(7, 5))
    ax = figure.subplots()
    assert plot(posterior, ax) is ax
    figure.draw_without_rendering()
    assert ax.get_children()
    assert not plt.get_fignums()


@pytest.mark.parametrize("plot", PLOTS)
def test_makes_axes_that_a_notebook_shows(plot: Any, small_posterior: Any) -> None:
    ax = plot(small_posterior)
    assert ax.figure.number in plt.get_fignums()


def test_no_two_texts_of_the_graph_overlap(posterior: Any) -> None:
    figure = figure_of(GraphPicture.of(posterior), whole=True)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    legend = ax.get_legend()
    assert legend is not None
    texts = [*ax.texts, *legend.get_texts()]
    boxes = [text.get_window_extent() for text in texts]
    overlapping = [
        (texts[i].get_text(), texts[j].get_text())
        for i, j in combinations(range(len(boxes)), 2)
        if boxes[i].overlaps(boxes[j])
    ]
    assert overlapping == []
    frame = figure.bbox
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)
    assert all(frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)


def test_node_texts_stay_inside_their_nodes(make_large: Any) -> None:
    picture = GraphPicture.of(make_large())
    figure = figure_of(picture, whole=True)
    figure.draw_without_rendering()
    ax = figure.axes[0]
    for x, y in picture.layout.nodes.values():
        corners = ax.transData.transform([(x - 1.0, y), (x + 1.0, y)])
        for text in ax.texts:
            if np.allclose(text.get_position(), (x, y), atol=0.2):
                box = text.get_window_extent()
                assert corners[0, 0] < box.x0 < box.x1 < corners[1, 0]


def test_the_graph_draws_what_reaches_the_threshold(small_posterior: Any) -> None:
    table = small_posterior.edge_table()
    for threshold in (0.1, 0.5, 0.95):
        expected = table[table["probability"] >= threshold]
        drawn = GraphPicture.of(small_posterior, threshold).edges
        assert set(drawn) == set(zip(expected["parent"], expected["child"], strict=True))


def test_a_crowded_graph_says_how_many_edges_it_leaves_out(make_large: Any) -> None:
    posterior = make_large(density=0.95, latents_each=3)
    picture = GraphPicture.of(posterior)
    table = posterior.edge_table()
    assert len(picture.edges) + picture.left_out == (table["probability"] >= 0.1).sum()
    assert picture.left_out > 0
    assert min(picture.edges.values()) >= table["probability"].iloc[len(picture.edges)]


def test_the_forest_shows_strengths_where_the_edge_is_present(small_posterior: Any) -> None:
    picture = EdgesPicture.of(small_posterior, top=4)
    table = small_posterior.edge_table().head(4)
    assert list(picture.edges["child"]) == list(table["child"])
    assert (picture.strength > 0).all()
    assert picture.strength.mean(0) == pytest.approx(table["strength"].to_numpy(), rel=0.02)


def test_the_forest_names_edges_beside_their_own_interval(small_posterior: Any) -> None:
    picture = EdgesPicture.of(small_posterior, top=4)
    ax = figure_of(picture).axes[0]
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[0] == "{} → {}".format(*picture.edges.loc[0, ["parent", "child"]])
    medians = np.median(picture.strength, 0)
    dots = {
        float(np.ravel(line.get_ydata())[0]): float(np.ravel(line.get_xdata())[0])
        for line in ax.lines
        if line.get_marker() == "o"
    }
    heights = sorted(dots, reverse=True)
    assert [dots[height] for height in heights] == pytest.approx(medians, rel=1e-6)
    assert list(ax.get_yticks()) == pytest.approx(heights)


def test_the_heatmap_keeps_the_columns_that_latents_follow_most(make_large: Any) -> None:
    posterior = make_large()
    everything = LatentsPicture.of(posterior)
    few = LatentsPicture.of(posterior, max_columns=5)
    assert few.left_out + 5 == len(everything.correlations) == 37
    loadings = posterior.loadings().query("own")
    strongest = loadings.assign(r=loadings["correlation"].abs()).nlargest(1, "r")
    assert set(strongest["column"]) <= set(few.correlations.index.get_level_values("column"))


def test_a_modality_has_the_same_colour_in_all_plots(make_large: Any) -> None:
    posterior = make_large()
    assert LatentsPicture.of(posterior).colours == group_colours(posterior.nodes.groups)


def test_more_modalities_than_colours_still_differ() -> None:
    colours = group_colours([f"m{i}" for i in range(20)])
    assert len(set(colours.values())) == 20


@pytest.mark.parametrize("own", [True, False])
def test_epochs_count_through_whether_or_not_stages_start_anew(make_small: Any, own: bool) -> None:
    posterior = make_small()
    history = posterior.history
    if not own:
        history["epoch"] += history["stage"].map({"encoders": 0, "joint": 30, "graph": 90})
    renumbered: Any = SimpleNamespace(restarts=posterior.restarts, history=history)
    steps = HistoryPicture.of(renumbered).history["step"]
    assert list(steps) == list(range(135))


def test_the_reported_restart_has_weight(make_small: Any) -> None:
    restarts = make_small(n_restarts=8).restarts
    restarts.loc[4, "difference"] = 1.0
    assert best_restart(restarts) == 0


@pytest.mark.parametrize(
    ("plot", "wrong", "named"),
    [
        (plot_graph, {"threshold": 1.5}, "threshold"),
        (plot_graph, {"threshold": float("nan")}, "threshold"),
        (plot_edges, {"top": 0}, "top"),
        (plot_latents, {"max_columns": 0}, "max_columns"),
    ],
)
def test_names_the_argument_that_is_wrong(
    plot: Any, wrong: dict[str, float], named: str, small_posterior: Any
) -> None:
    with pytest.raises(ModelError, match=named):
        plot(small_posterior, **wrong)
