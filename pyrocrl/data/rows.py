"""Arrays of subjects that may be larger than memory: read by rows, never whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pyrocrl.errors import DataError, listing

__all__ = ["Rows", "Scan"]

FloatArray = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

# Numbers read at a time where all rows are gone through.
_AT_A_TIME = 2**22


@dataclass(frozen=True, eq=False)
class Scan:
    """What one pass over rows found.

    Attributes:
        mean: (channel,), over observed cells.
        std: (channel,), likewise.
        missing: (row,), number of missing cells.
    """

    mean: FloatArray
    std: FloatArray
    missing: Positions


class Rows:
    """Anything with `shape` and rows that can be read by their positions.

    Args:
        name: the modality, for error messages.
        array: a numpy array or memmap, a torch Tensor, an HDF5 dataset, a Zarr array or the like,
            (row, ...), of numbers; NaN is a missing cell.

    Raises:
        DataError: if it is none of these, or does not hold real numbers.

    >>> Rows("scan", np.arange(6).reshape(3, 2)).read(np.array([2, 0])).tolist()
    [[4, 5], [0, 1]]
    """

    def __init__(self, name: str, array: Any) -> None:
        if isinstance(array, torch.Tensor):
            array = array.detach().cpu().numpy()
        missing = [part for part in ("shape", "dtype", "__getitem__") if not hasattr(array, part)]
        if missing:
            raise DataError(
                f"modality '{name}': cannot read rows from a {type(array).__name__}; pass a numpy "
                "array, a torch Tensor, an HDF5 dataset or a Zarr array"
            )
        self.dtype = np.dtype(array.dtype)
        if self.dtype.kind not in "biuf":
            raise DataError(f"modality '{name}': the array holds {self.dtype}, not real numbers")
        self.name, self.array = name, array
        self.shape: tuple[int, ...] = tuple(int(size) for size in array.shape)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def may_miss(self) -> bool:
        """Whether a cell can be NaN."""
        return bool(self.dtype.kind == "f")

    def read(self, positions: Positions) -> np.ndarray:
        """Rows at these positions, in this order; a position may stand there twice."""
        if isinstance(self.array, np.ndarray):
            return np.asarray(self.array[positions])
        # HDF5 wants rising positions, each once.
        rising, back = np.unique(positions, return_inverse=True)
        rows = np.asarray(getattr(self.array, "oindex", self.array)[rising])
        taken: np.ndarray = rows[back]
        return taken

    def parts(self, positions: Positions) -> Iterator[np.ndarray]:
        """Rows at these positions, some at a time."""
        size = max(1, _AT_A_TIME // max(1, prod(self.shape[1:])))
        for start in range(0, len(positions), size):
            yield self.read(positions[start : start + size])

    def scan(self, positions: Positions, axis: int, channels: tuple[str, ...]) -> Scan:
        """Go through rows once.

        Args:
            positions: of the rows.
            axis: of the channels, among the axes of the whole array.
            channels: their names.

        Raises:
            DataError: a channel holds infinite numbers, no observed value, or only one.
        """
        shift = np.zeros(len(channels))
        count, total, squares = shift.copy(), shift.copy(), shift.copy()
        low, high = shift + np.inf, shift - np.inf
        infinite = np.zeros(len(channels), dtype=bool)
        missing = []
        for part in self.parts(positions):
            cells = np.moveaxis(part, axis, -1).reshape(-1, len(channels)).astype(np.float64)
            observed = ~np.isnan(cells)
            missing.append((~observed).reshape(len(part), -1).sum(1))
            infinite |= np.isinf(cells).any(0)
            if not count.any():
                # Squares are taken about a value near the mean, so that they do not cancel.
                shift = np.nan_to_num(np.where(observed, cells, 0).sum(0) / observed.sum(0).clip(1))
            near = np.where(observed, cells - shift, 0)
            count, total = count + observed.sum(0), total + near.sum(0)
            squares = squares + (near**2).sum(0)
            low = np.minimum(low, np.where(observed, cells, np.inf).min(0))
            high = np.maximum(high, np.where(observed, cells, -np.inf).max(0))
        self._refuse(channels, infinite, "infinite numbers", "replace them by NaN")
        self._refuse(channels, count == 0, "no observed value", "leave it out")
        self._refuse(channels, low == high, "one and the same value", "leave it out")
        mean = total / count
        std = np.sqrt((squares / count - mean**2).clip(0))
        return Scan(mean + shift, std, np.concatenate(missing).astype(np.int64))

    def missing(self, positions: Positions) -> Positions:
        """Number of missing cells of each row, (row,)."""
        if not self.may_miss:
            return np.zeros(len(positions), dtype=np.int64)
        counts = [np.isnan(part).reshape(len(part), -1).sum(1) for part in self.parts(positions)]
        return np.concatenate([np.zeros(0, dtype=np.int64), *counts])

    def _refuse(
        self, channels: tuple[str, ...], bad: npt.NDArray[np.bool_], problem: str, remedy: str
    ) -> None:
        culprits = [channel for channel, is_bad in zip(channels, bad, strict=True) if is_bad]
        if culprits:
            noun = "channel" if len(culprits) == 1 else "channels"
            raise DataError(
                f"modality '{self.name}': {problem} in {noun} {listing(culprits)}; {remedy}"
            )
