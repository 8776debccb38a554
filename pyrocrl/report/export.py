"""The edges as files that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pyrocrl.errors import PyrocrlError

if TYPE_CHECKING:
    from pyrocrl.posterior import Posterior

__all__ = ["output_path", "to_csv", "to_graphml"]


def output_path(path: str | Path) -> Path:
    """A path that a file can be written to; folders on the way are made.

    Raises:
        PyrocrlError: the path is a folder, or runs through something that is not one.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise PyrocrlError(f"{str(path)!r} is a folder; give the path of a file in it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PyrocrlError(f"cannot make the folder {str(path.parent)!r}: {error}") from error
    return path


def to_csv(posterior: Posterior, path: str | Path) -> Path:
    """Write the edge table as CSV: a row for each edge that was considered.

    Args:
        posterior: whose edges.
        path: the file to write.

    Returns:
        The path written to.

    Raises:
        PyrocrlError: the path cannot be a file.
    """
    path = output_path(path)
    posterior.edge_table().to_csv(path, index=False)
    return path


def to_graphml(posterior: Posterior, path: str | Path, threshold: float = 0.1) -> Path:
    """Write the graph as GraphML, for Cytoscape, Gephi, igraph and the like.

    Nodes carry ``group`` (the modality) and ``latent``, edges ``probability``, ``strength`` (nats
    per subject) and ``effect`` (standardised slope).

    Args:
        posterior: whose graph.
        path: the file to write.
        threshold: edges that are less probable than this are left out.

    Returns:
        The path written to.

    Raises:
        PyrocrlError: the path cannot be a file.
    """
    import networkx as nx

    path = output_path(path)
    graph = posterior.graph(threshold)
    # GraphML knows Python's own types only, not those of numpy.
    written = nx.DiGraph()
    for name, node in graph.nodes(data=True):
        written.add_node(str(name), group=str(node["group"]), latent=bool(node["latent"]))
    for parent, child, edge in graph.edges(data=True):
        values = {key: float(edge[key]) for key in ("probability", "strength", "effect")}
        written.add_edge(str(parent), str(child), **values)
    nx.write_graphml_xml(written, path)
    return path
