"""Reading tables row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from pyrocrl.posterior.restarts import best_restart

__all__ = ["ranked_restarts", "rows"]


def rows(table: pd.DataFrame) -> Iterator[Any]:
    """The rows, each with its columns as attributes.

    >>> [row.a for row in rows(pd.DataFrame({"a": [1, 2]}))]
    [1, 2]
    """
    yield from table.itertuples()


def ranked_restarts(restarts: pd.DataFrame) -> pd.DataFrame:
    """The reported restart, then the others by how well they do; diverged ones come last."""
    ranked = restarts.sort_values("difference", ascending=False, kind="stable")
    first = ranked["restart"] == best_restart(restarts)
    return pd.concat([ranked[first], ranked[~first]], ignore_index=True)
