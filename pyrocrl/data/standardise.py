"""From the data's units to standard deviations and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyrocrl.data.columns import refuse_columns

__all__ = ["column_moments", "standardise", "unstandardise"]

# A column that varies by less than this share of its largest value varies by rounding alone.
_ROUNDING = 1e-12


def column_moments(
    name: str, columns: Sequence[str], values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and population standard deviation of every column, over its observed cells.

    Args:
        name: the modality, for error messages.
        columns: names of the columns.
        values: float64, (subject, column), NaN where missing.

    Returns:
        mean, std: (column,), in the data's units.

    Raises:
        DataError: a column is missing throughout, constant, or not in the range of 64-bit numbers.

    >>> mean, std = column_moments("labs", ["iron"], np.array([[1.0], [3.0], [np.nan]]))
    >>> mean.item(), std.item()
    (2.0, 1.0)
    """
    empty = np.isnan(values).all(axis=0)
    refuse_columns(name, columns, empty, "no observed value", "leave it out")
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    with np.errstate(over="ignore"):
        span = high - low
    constant = span <= _ROUNDING * np.maximum(np.abs(low), np.abs(high))
    refuse_columns(name, columns, constant, "constant values", "leave it out")
    extreme = ~np.isfinite(span) | (span < np.finfo(np.float64).tiny)
    refuse_columns(name, columns, extreme, "numbers too large or too small", "change the unit")
    # In units of the span, so that squares neither overflow nor vanish.
    mean = low + span * np.nanmean((values - low) / span, axis=0)
    std = span * np.sqrt(np.nanmean(((values - mean) / span) ** 2, axis=0))
    return mean, std


def standardise(
    name: str, columns: Sequence[str], values: np.ndarray, mean: np.ndarray, std: np.ndarray
) -> np.ndarray:
    """From the data's units to standard deviations, as float32.

    Args:
        name: the modality, for error messages.
        columns: names of the columns.
        values: float64, (subject, column), in the data's units, NaN where missing.
        mean: (column,), in the data's units.
        std: (column,), in the data's units.

    Returns:
        float32, (subject, column), in standard deviations, NaN where missing.

    Raises:
        DataError: a value lies so far from the mean that float32 cannot hold it.

    >>> standardise("labs", ["iron"], np.array([[1.0], [4.0]]), np.array([2.0]), np.array([1.0]))
    array([[-1.],
           [ 2.]], dtype=float32)
    """
    with np.errstate(over="ignore"):
        scaled = (values - mean) / std
        far = (np.abs(scaled) > np.finfo(np.float32).max).any(axis=0)
    remedy = "are they in the unit of the earlier data?"
    refuse_columns(name, columns, far, "values too far from the mean for 32-bit numbers", remedy)
    single: np.ndarray = scaled.astype(np.float32)
    return single


def unstandardise(values: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """From standard deviations to the data's units.

    Args:
        values: (..., column), in standard deviations.
        mean: (column,), in the data's units.
        std: (column,), in the data's units.

    Returns:
        float64, (..., column), in the data's units.

    >>> unstandardise(np.array([[-1.0], [2.0]]), np.array([2.0]), np.array([1.0])).ravel().tolist()
    [1.0, 4.0]
    """
    original: np.ndarray = np.asarray(values, dtype=np.float64) * std + mean
    return original
