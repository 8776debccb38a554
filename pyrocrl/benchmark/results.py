"""The file of results: one row per setting, seed and method, added as soon as it is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pyrocrl.baselines import BASELINES
from pyrocrl.benchmark.scores import SCORE_COLUMNS
from pyrocrl.benchmark.settings import SETTING_COLUMNS, SETTINGS, Setting
from pyrocrl.rows import RowFile

__all__ = ["COLUMNS", "ENVIRONMENT_COLUMNS", "Key", "Results", "key_of"]

ENVIRONMENT_COLUMNS = ("threads", "jobs", "cores", "pyrocrl", "torch", "python")
COLUMNS = (
    "setting",
    "seed",
    "method",
    *SCORE_COLUMNS,
    "error",
    *(column for column in SETTING_COLUMNS if column != "setting"),
    *ENVIRONMENT_COLUMNS,
    "fingerprint",
)

Key = tuple[str, int, str, str]

_KEY = ("setting", "seed", "method")
_TEXT = (
    *("fingerprint", "pyrocrl", "torch", "python", "error"),
    *("true_edges", "edges", "found", "true_counts", "found_counts", "counts", "held_out"),
)


def key_of(setting: Setting, seed: int, method: str) -> Key:
    """What tells one row from another; changes with the setting."""
    return setting.name, seed, method, setting.fingerprint(method)


class Results:
    """Rows in a file that grows, and the settings that they belong to.

    A row with the same setting, seed and method as an earlier one takes its place.

    Args:
        path: the file; need not be there yet.

    Raises:
        ConfigError: if the file is there and no table of results.
    """

    def __init__(self, path: Path) -> None:
        self._file = RowFile(path, COLUMNS, _KEY, _TEXT)
        self._table = self._file.frame()

    def keys(self, *, failed: bool = True, version: str | None = None) -> set[Key]:
        """The rows that stand there.

        Args:
            failed: whether those of methods that failed count.
            version: of pyrocrl, which must have made a row for it to count; baselines count
                whatever made them. None takes all.
        """
        rows = self._table if failed else self._table[self._table.error.isna()]
        if version is not None:
            rows = rows[(rows.pyrocrl == version) | rows.method.isin(list(BASELINES))]
        rows = rows[[*_KEY, "fingerprint"]].itertuples(index=False)
        return {(str(s), int(seed), str(m), str(f)) for s, seed, m, f in rows}

    def frame(self, settings: Iterable[Setting] | None = None) -> pd.DataFrame:
        """The rows, in the order of settings, methods and seeds.

        Args:
            settings: leave out rows of others, and those of a setting that has changed since; None
                takes `SETTINGS`.
        """
        known = list(SETTINGS.values() if settings is None else settings)
        place = {setting.name: number for number, setting in enumerate(known)}
        table = self._table[self._table.setting.isin(list(place))]
        current = [
            known[place[row.setting]].fingerprint(row.method) == row.fingerprint
            for row in table.itertuples()
        ]
        table = table[pd.Series(current, index=table.index, dtype=bool)]
        by_setting = {
            (setting.name, method): (place[setting.name], number)
            for setting in known
            for number, method in enumerate(setting.methods)
        }
        order = [
            (*by_setting.get((r.setting, r.method), (len(place), 0)), r.seed)
            for r in table.itertuples()
        ]
        ranked = sorted(range(len(table)), key=order.__getitem__)
        return table.iloc[ranked].reset_index(drop=True)

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a row to the file."""
        self._file.add([row])

    def reload(self) -> None:
        """Read the file again, with the rows that were added since."""
        self._table = self._file.frame()
