"""Tables of measurements and of probabilities that a run's file names."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pyrocrl.config_file import Section
from pyrocrl.errors import ConfigError

__all__ = ["FILE_KINDS", "kind_of", "probabilities", "read_table"]

_TEXT_SEPARATORS = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}
FILE_KINDS = (*_TEXT_SEPARATORS, ".parquet")


def kind_of(file: Path) -> str | None:
    """Which of `FILE_KINDS` a file is; None for none of them.

    >>> kind_of(Path("cohort.CSV.gz"))
    '.csv.gz'
    """
    return next((kind for kind in FILE_KINDS if file.name.lower().endswith(kind)), None)


def read_table(file: Path, place: str) -> pd.DataFrame:
    """Read a table.

    Args:
        file: one of `FILE_KINDS`.
        place: the key that names it, for errors.

    Raises:
        ConfigError: if it cannot be read.
    """
    kind = kind_of(file)
    try:
        if kind == ".parquet":
            table = pd.read_parquet(file)
            # A named index of a Parquet file is a column like any other to who wrote the run.
            return table if table.index.name is None else table.reset_index()
        return pd.read_csv(file, sep=_TEXT_SEPARATORS[str(kind)])
    except ImportError as error:
        raise ConfigError(f"{place}: Parquet files need: pip install 'pyrocrl[parquet]'") from error
    except (OSError, EOFError, ValueError) as error:
        raise ConfigError(f"{place}: {file} cannot be read as {kind}: {error}") from error


def probabilities(block: Section, key: str) -> pd.DataFrame | None:
    """The table of edge probabilities under `key`: children in its first column; None if absent.

    Raises:
        ConfigError: if there is no such file, or it is not text or cannot be read.
    """
    file = block.existing_file(key)
    if file is None:
        return None
    if kind_of(file) not in _TEXT_SEPARATORS:
        raise block.error(key, "must be a .csv or .tsv file")
    table = read_table(file, block.where(key))
    return table.set_index(table.columns[0])
