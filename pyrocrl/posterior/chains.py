"""How far the restarts that count differ in what they say of edges."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["chain_probabilities", "chains_disagree"]

_LARGE = 0.5

BoolArray = npt.NDArray[np.bool_]


def chain_probabilities(
    adjacency: BoolArray, allowed: BoolArray, names: tuple[str, ...], restarts: list[int]
) -> pd.DataFrame:
    """Every allowed edge with its probability in each chain; see `Posterior`.

    Args:
        adjacency: (chain, draw, child, parent), aligned draws.
        allowed: (child, parent), edges that may be.
        names: of the nodes.
        restarts: number of each chain's restart.

    Example:
        >>> adjacency = np.zeros((2, 4, 2, 2), dtype=bool)
        >>> adjacency[0, :, 1, 0] = True
        >>> table = chain_probabilities(adjacency, adjacency.any((0, 1)), ("a", "b"), [0, 3])
        >>> table.difference.tolist(), table[3].tolist()
        ([1.0], [0.0])
    """
    child, parent = np.nonzero(allowed)
    shares = adjacency.mean(axis=1)[:, child, parent]
    table = pd.DataFrame(shares.T, columns=restarts)
    table.insert(0, "parent", [names[node] for node in parent])
    table.insert(1, "child", [names[node] for node in child])
    table["difference"] = np.ptp(shares, axis=0)
    return table.sort_values("difference", ascending=False, kind="stable", ignore_index=True)


def chains_disagree(table: pd.DataFrame) -> list[str]:
    """What to say where restarts that count differ much in an edge; nothing where none does.

    Args:
        table: what `chain_probabilities` returned.
    """
    large = table[table.difference > _LARGE]
    if large.empty:
        return []
    most = large.iloc[0]
    rest = f" and {len(large) - 1} more" if len(large) > 1 else ""
    return [
        f"Restarts that count disagree about edges: {most.parent} → {most.child}{rest} (their "
        f"probabilities differ by {most.difference:.2f}). The reported probability is the mean; "
        "posterior.chain_probabilities() shows each."
    ]
