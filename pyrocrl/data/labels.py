"""Names of the subjects and of the channels of an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pyrocrl.errors import DataError, listing

__all__ = ["channel_names", "row_labels"]


def channel_names(name: str, channels: Sequence[str] | None, count: int) -> tuple[str, ...]:
    """Names of the channels of a modality.

    Args:
        name: the modality, for error messages.
        channels: the names given, or None.
        count: how many channels there are.

    Raises:
        DataError: not one name of its own for each channel.

    >>> channel_names("scan", None, 2)
    ('channel 1', 'channel 2')
    """
    if channels is None:
        return tuple(f"channel {number}" for number in range(1, count + 1))
    names = [channels] if isinstance(channels, str) else list(channels)
    if len(names) != count or len(set(names)) != count:
        raise DataError(
            f"modality '{name}': {count} channels need as many names, all different, not {names}"
        )
    return tuple(str(own) for own in names)


def row_labels(name: str, subjects: Sequence[Any] | pd.Index | None, count: int) -> pd.Index | None:
    """Labels of the rows of an array.

    Args:
        name: the modality, for error messages.
        subjects: what the user gave.
        count: number of rows.

    Raises:
        DataError: not one label of its own for each row.
    """
    if subjects is None:
        return None
    index = pd.Index(subjects)
    if len(index) != count:
        raise DataError(
            f"modality '{name}': {len(index)} subjects are named, and there are {count}"
        )
    if not index.is_unique:
        twice = index[index.duplicated()].unique()
        raise DataError(f"modality '{name}': duplicated subjects {listing(twice.tolist())}")
    return index
