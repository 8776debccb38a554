"""The file of results: one row per setting, seed and method, added as soon as it is known."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pyrocrl.benchmark.scores import SCORE_COLUMNS
from pyrocrl.benchmark.settings import SETTING_COLUMNS, SETTINGS, Setting
from pyrocrl.errors import ConfigError

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

_KEY = ["setting", "seed", "method", "fingerprint"]
_TEXT = (
    *("fingerprint", "pyrocrl", "torch", "python", "error"),
    *("true_edges", "edges", "found", "true_counts", "found_counts", "counts", "held_out"),
)


def key_of(setting: Setting, seed: int, method: str) -> Key:
    """What tells one row from another; changes with the setting."""
    return setting.name, seed, method, setting.fingerprint(method)


class Results:
    """A CSV file that grows row by row.

    A row is written in one piece, so that an interruption leaves whole rows alone. A row with the
    same setting, seed and method as an earlier one takes its place when the file is read.

    Args:
        path: the file; need not be there yet.

    Raises:
        ConfigError: if the file is there and no table of results.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._table = self._read()

    def keys(self, *, failed: bool = True) -> set[Key]:
        """The rows that stand there.

        Args:
            failed: whether those of methods that failed count.
        """
        rows = self._table if failed else self._table[self._table.error.isna()]
        rows = rows[_KEY].itertuples(index=False)
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
        ordered = {column: row.get(column) for column in COLUMNS}
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([_cell(v) for v in ordered.values()])
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            self._append(",".join(COLUMNS) + "\n")
        self._append(line.getvalue())

    def reload(self) -> None:
        """Read the file again, with the rows that were added since."""
        self._table = self._read()

    def _append(self, text: str) -> None:
        with open(self.path, "ab", buffering=0) as file:
            file.write(text.encode())

    def _read(self) -> pd.DataFrame:
        if not self.path.exists():
            return pd.DataFrame(columns=list(COLUMNS))
        text = self.path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        try:
            table = pd.read_csv(io.StringIO(whole), dtype=dict.fromkeys(_TEXT, str))
        except ValueError as error:
            raise ConfigError(f"{self.path} is no table of results: {error}") from None
        missing = [column for column in _KEY if column not in table]
        if missing:
            raise ConfigError(f"{self.path} is no table of results: it lacks {', '.join(missing)}")
        latest = table.drop_duplicates(_KEY[:3], keep="last").reindex(columns=list(COLUMNS))
        if whole != text or list(table) != list(COLUMNS) or len(latest) < len(table):
            self._rewrite(latest)
        return latest

    def _rewrite(self, table: pd.DataFrame) -> None:
        beside = self.path.with_suffix(".tmp")
        table.to_csv(beside, index=False, lineterminator="\n")
        os.replace(beside, self.path)


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"
    return value
