"""Exports read back as what they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx
import pandas as pd
import pytest

from pyrocrl.errors import PyrocrlError
from pyrocrl.report import to_csv, to_graphml


def test_csv_holds_the_edge_table(posterior: Any, tmp_path: Path) -> None:
    path = to_csv(posterior, tmp_path / "new" / "edges.csv")
    read = pd.read_csv(path)
    assert list(read.columns) == list(posterior.edge_table().columns)
    pd.testing.assert_frame_equal(read, posterior.edge_table(), check_dtype=False)


def test_graphml_holds_the_graph(posterior: Any, tmp_path: Path) -> None:
    read = nx.read_graphml(to_graphml(posterior, tmp_path / "graph.graphml"))
    graph = posterior.graph(0.1)
    assert set(read) == set(graph)
    assert set(read.edges) == set(graph.edges)
    for name, node in graph.nodes(data=True):
        assert read.nodes[name] == {"group": node["group"], "latent": bool(node["latent"])}
    for *edge, values in graph.edges(data=True):
        assert read.edges[tuple(edge)] == pytest.approx(values, nan_ok=True)


def test_graphml_leaves_out_what_is_below_the_threshold(
    small_posterior: Any, tmp_path: Path
) -> None:
    read = nx.read_graphml(to_graphml(small_posterior, tmp_path / "graph.graphml", threshold=0.9))
    assert set(read.edges) == set(small_posterior.graph(0.9).edges)
    assert len(read.edges) < len(small_posterior.graph(0.1).edges)


@pytest.mark.parametrize("export", [to_csv, to_graphml])
def test_a_folder_is_no_file(export: Any, small_posterior: Any, tmp_path: Path) -> None:
    with pytest.raises(PyrocrlError, match="is a folder"):
        export(small_posterior, tmp_path)
