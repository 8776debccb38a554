"""A table of results in a file: one row per measurement, added as soon as it is known."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pyrocrl.errors import ConfigError

__all__ = ["Key", "RowFile"]

Key = tuple[str, ...]


class RowFile:
    """A CSV file that grows row by row, so that an interruption leaves whole rows.

    Read, it is tidied: a torn line goes, a later row takes the place of one with its key, and
    columns that were not known when it was written are empty.

    Args:
        path: the file; need not be there yet.
        columns: of the table.
        key: columns that tell one row from another.
        text: columns that are text even where they look like numbers.

    Raises:
        ConfigError: on reading, if the file is no such table.
    """

    def __init__(
        self, path: Path, columns: Sequence[str], key: Sequence[str], text: Sequence[str] = ()
    ) -> None:
        self.path = path
        self._columns = list(columns)
        self._key = list(key)
        self._text = list(text)

    def key_of(self, row: Mapping[str, Any]) -> Key:
        """The key of a row, as text."""
        return tuple(str(row[column]) for column in self._key)

    def keys(self) -> set[Key]:
        """The keys of the rows that stand there."""
        return {self.key_of(row) for row in self._read().to_dict("records")}

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows to the file."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            writer.writerow(self._columns)
        writer.writerows([_cell(row.get(c)) for c in self._columns] for row in rows)
        with open(self.path, "ab", buffering=0) as file:
            file.write(text.getvalue().encode())

    def frame(self) -> pd.DataFrame:
        """The rows, the latest of each key, numbers as numbers."""
        table = self._read()
        if table.empty:
            return table
        whole = io.StringIO(table.to_csv(index=False))
        return pd.read_csv(whole, dtype=dict.fromkeys(self._text, str))

    def _read(self) -> pd.DataFrame:
        """The rows as text; what was torn or replaced is removed from the file."""
        if not self.path.exists():
            return pd.DataFrame(columns=self._columns)
        text = self.path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        try:
            table = pd.read_csv(io.StringIO(whole), dtype=str, keep_default_na=False)
        except ValueError as error:
            raise ConfigError(f"{self.path} is no table of results: {error}") from None
        missing = [column for column in self._key if column not in table]
        if missing:
            raise ConfigError(f"{self.path} is no table of results: it lacks {', '.join(missing)}")
        if not set(table) <= set(self._columns):
            raise ConfigError(f"{self.path} has other columns than this table; move it away")
        latest = table.drop_duplicates(self._key, keep="last")
        latest = latest.reindex(columns=self._columns, fill_value="")
        if whole != text or list(table) != self._columns or len(latest) < len(table):
            beside = self.path.with_suffix(".tmp")
            latest.to_csv(beside, index=False, lineterminator="\n")
            os.replace(beside, self.path)
        return latest


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value
