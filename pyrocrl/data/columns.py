"""Errors that name the columns, or the modalities, that are wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyrocrl.errors import DataError, listing

__all__ = ["check_same", "refuse_columns"]


def refuse_columns(
    name: str, columns: Sequence[str], bad: np.ndarray, problem: str, remedy: str
) -> None:
    """Raise an error that names the bad columns of a modality, if there are any.

    Args:
        name: the modality.
        columns: names of the columns.
        bad: bool, (column,).
        problem: what is wrong, as a noun.
        remedy: what to do about it.

    Raises:
        DataError: a column is bad.

    >>> refuse_columns("labs", ["iron"], np.array([False]), "infinite values", "replace them")
    """
    culprits = [column for column, is_bad in zip(columns, bad, strict=True) if is_bad]
    if culprits:
        noun = "column" if len(culprits) == 1 else "columns"
        raise DataError(f"modality '{name}': {problem} in {noun} {listing(culprits)}; {remedy}")


def check_same(what: str, where: str, wanted: Sequence[str], found: Sequence[str]) -> None:
    """Refuse new data that hold less or more than the earlier ones.

    Args:
        what: of what kind the names are, in the plural.
        where: what holds them, for error messages.
        wanted: names in the earlier data.
        found: names in the new data, in any order.

    Raises:
        DataError: a name is absent or new.

    >>> check_same("columns", "modality 'labs'", ["iron", "zinc"], ["zinc", "iron"])
    """
    known, given = set(wanted), set(found)
    absent = [name for name in wanted if name not in given]
    extra = [name for name in found if name not in known]
    if absent:
        raise DataError(f"{where} lacks the {what} {listing(absent)} of the earlier data")
    if extra:
        raise DataError(
            f"{where} has the {what} {listing(extra)} that the earlier data had not; leave them out"
        )
