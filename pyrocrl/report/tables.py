"""Reading tables row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["best_restart", "by_probability", "ranked_restarts", "rows"]


def rows(table: pd.DataFrame) -> Iterator[Any]:
    """The rows, each with its columns as attributes.

    >>> [row.a for row in rows(pd.DataFrame({"a": [1, 2]}))]
    [1, 2]
    """
    yield from table.itertuples()


def by_probability(edges: pd.DataFrame) -> pd.DataFrame:
    """An edge table with the most probable edge first, the strongest first among equals."""
    return edges.sort_values(["probability", "strength"], ascending=False, kind="stable")


def best_restart(restarts: pd.DataFrame) -> int:
    """The restart with weight that explains held-out subjects best; its latents are reported."""
    table = restarts[restarts["weight"] > 0] if (restarts["weight"] > 0).any() else restarts
    scores = table["held_out_elbo"].to_numpy(dtype=float)
    best = np.argmax(np.where(np.isnan(scores), -np.inf, scores))
    return int(table["restart"].to_numpy()[best])


def ranked_restarts(restarts: pd.DataFrame) -> pd.DataFrame:
    """The reported restart, then the others by held-out ELBO; diverged ones come last."""
    ranked = restarts.sort_values("held_out_elbo", ascending=False, kind="stable")
    first = ranked["restart"] == best_restart(restarts)
    return pd.concat([ranked[first], ranked[~first]], ignore_index=True)
