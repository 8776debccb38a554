"""Which row of which modality belongs to which subject."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Literal, TypeAlias, TypeVar, get_args

import numpy as np
import pandas as pd

from pyrocrl.data.modality import Reading
from pyrocrl.errors import DataError, listing

__all__ = ["Alignment", "aligned", "check_alignment"]

Own = TypeVar("Own", bound=Reading)

Alignment: TypeAlias = Literal["exact", "intersection", "union"]


def check_alignment(align: str) -> None:
    """Refuse an unknown way to align.

    Raises:
        DataError: `align` is none of "exact", "intersection" and "union".

    >>> check_alignment("exact")
    """
    if align not in get_args(Alignment):
        raise DataError(f"align={align!r} is unknown; use one of {listing(get_args(Alignment))}")


def aligned(readings: Sequence[Own], how: Alignment) -> list[Own]:
    """Give all modalities the same subjects in the same order: that of the first labelled one.

    Tables without labels are taken row by row in the order of the labelled ones, which must then
    agree on it.

    Args:
        readings: one per modality, labelled or not.
        how: "exact" (all hold the same subjects), "intersection" (keep the subjects that all
            hold) or "union" (keep every subject; rows of a modality that lacks one are NaN).

    Returns:
        The readings, all with the same `subjects`.

    Raises:
        DataError: the rows cannot be matched; names the modalities and a few of the subjects.

    >>> from pyrocrl.data.tabular import LabelledTable
    >>> a = LabelledTable("a", ("x1",), pd.Index(["p", "q"]), np.array([[1.0], [2.0]]))
    >>> b = LabelledTable("b", ("x1",), pd.Index(["q", "p"]), np.array([[4.0], [3.0]]))
    >>> aligned([a, b], "exact")[1].values.ravel().tolist()
    [3.0, 4.0]
    """
    check_alignment(how)
    labelled = {own.name: own.subjects for own in readings if own.subjects is not None}
    if len(labelled) < len(readings):
        subjects = _row_order(readings, labelled)
        return [own.labelled(subjects) for own in readings]
    subjects = _common_subjects(labelled, how)
    return [
        own.rows(labelled[own.name].get_indexer(subjects)).labelled(subjects) for own in readings
    ]


def _row_order(readings: Sequence[Reading], labelled: dict[str, pd.Index]) -> pd.Index:
    """The subjects of the rows where at least one modality carries no labels."""
    unlabelled = [own for own in readings if own.subjects is None]
    if labelled:
        reference, subjects = next(iter(labelled.items()))
        for name, others in labelled.items():
            if not others.equals(subjects):
                raise DataError(
                    f"modality '{unlabelled[0].name}' carries no subject names, and the rows of "
                    f"'{reference}' and '{name}' differ in subjects or order, so its rows could "
                    "belong to either; give it as a DataFrame with subjects as index"
                )
    else:
        reference, subjects = unlabelled[0].name, pd.RangeIndex(len(unlabelled[0]))
    for own in unlabelled:
        if len(own) != len(subjects):
            raise DataError(
                f"modality '{own.name}' has {len(own)} rows but '{reference}' has "
                f"{len(subjects)}, and '{own.name}' carries no subject names to align by; give "
                "it as a DataFrame with subjects as index"
            )
    return subjects


def _common_subjects(labelled: dict[str, pd.Index], align: Alignment) -> pd.Index:
    everybody = reduce(_append_new, labelled.values())
    missing = {name: everybody[~everybody.isin(index)] for name, index in labelled.items()}
    if align == "union":
        return everybody
    absent = {name: gone for name, gone in missing.items() if len(gone)}
    if not absent:
        return everybody
    described = "; ".join(
        f"'{name}' lacks {len(gone)} of {len(everybody)} (such as {listing(gone[:3].tolist())})"
        for name, gone in absent.items()
    )
    described += _hint(labelled)
    if align == "exact":
        raise DataError(
            f"the modalities hold different subjects: {described}. Use align='intersection' to "
            "keep the subjects that all modalities hold, or align='union' to keep everybody, "
            "with a missing modality where a subject lacks it"
        )
    common = everybody[np.logical_and.reduce([everybody.isin(i) for i in labelled.values()])]
    if not len(common):
        raise DataError(
            f"no subject is in all modalities: {described}. Do the labels mean the same subjects, "
            "and are they of the same type?"
        )
    return common


def _hint(labelled: dict[str, pd.Index]) -> str:
    """Tables whose labels may only be row numbers, beside tables with names of subjects."""
    numbered = [name for name, index in labelled.items() if isinstance(index, pd.RangeIndex)]
    if not numbered or len(numbered) == len(labelled):
        return ""
    return f". Numbered rather than named rows in {listing(numbered)}: set the subjects as index"


def _append_new(index: pd.Index, other: pd.Index) -> pd.Index:
    new = other[~other.isin(index)]
    return index.append(new).rename(index.name) if len(new) else index
