"""Which way edges point, and which nodes lead to which: what the draws of the graph say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.scm import GraphSpace, compelled_edges, has_path

__all__ = ["direction_table", "path_probabilities"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def direction_table(
    probability: FloatArray, adjacency: BoolArray, allowed: BoolArray, space: GraphSpace
) -> pd.DataFrame:
    """Every pair of nodes with the probabilities of its directions; see `Posterior`.

    Args:
        probability: (child, parent), P(edge).
        adjacency: (chain, draw, child, parent), drawn graphs, chains of equal weight.
        allowed: (child, parent), edges that may be.
        space: the possible graphs, for the nodes' names and what is known of directions.
    """
    names, drawn = space.nodes.names, adjacency.reshape(-1, *allowed.shape)
    both = (drawn & drawn.swapaxes(1, 2)).mean(axis=0)
    compelled = open_way = np.full(allowed.shape, np.nan)
    if space.rule != "cyclic" and (allowed & allowed.T).any():
        fixed = compelled_edges(drawn, allowed & ~allowed.T)
        compelled, open_way = fixed.mean(axis=0), (drawn & ~fixed).mean(axis=0)
    rows = []
    for one, other in zip(*np.nonzero(np.triu(allowed | allowed.T, 1)), strict=True):
        forward, backward = probability[other, one], probability[one, other]
        together = min(both[one, other], forward, backward)
        rows.append(
            {
                "first": names[one],
                "second": names[other],
                "adjacent": min(forward + backward - together, 1.0),
                "forward": forward,
                "backward": backward,
                "both": together,
                "class_forward": compelled[other, one],
                "class_backward": compelled[one, other],
                "class_open": open_way[other, one] + open_way[one, other],
                "either_way": bool(allowed[one, other] and allowed[other, one]),
            }
        )
    columns = ["first", "second", "adjacent", "forward", "backward", "both"]
    columns += ["class_forward", "class_backward", "class_open", "either_way"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values("adjacent", ascending=False, kind="stable", ignore_index=True)


def path_probabilities(adjacency: BoolArray) -> FloatArray:
    """P(a directed path leads from one node to another), (child, ancestor).

    Args:
        adjacency: (chain, draw, child, parent), drawn graphs, chains of equal weight.

    Example:
        >>> chain = np.zeros((1, 1, 3, 3), dtype=bool)
        >>> chain[..., 1, 0] = chain[..., 2, 1] = True
        >>> path_probabilities(chain)[2, 0]
        np.float64(1.0)
    """
    graphs, counts = np.unique(
        adjacency.reshape(-1, *adjacency.shape[-2:]), axis=0, return_counts=True
    )
    return np.asarray(np.tensordot(counts / counts.sum(), has_path(graphs), axes=1))
