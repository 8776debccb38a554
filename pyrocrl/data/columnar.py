"""Modalities that are columns in memory: what tables, mixed tables and counts have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

from pyrocrl.data.batch import Cells
from pyrocrl.data.modality import EVERYBODY, Modality
from pyrocrl.errors import DataError

__all__ = ["ColumnarModality"]


@dataclass(frozen=True, eq=False)
class ColumnarModality(Modality):
    """Columns in memory, as their likelihood takes them.

    Args:
        name: the modality.
        columns: names of the columns.
        values: float32, (subject, column); 0 where missing.
        observed: bool, (subject, column), False where a cell is missing.
    """

    name: str
    columns: tuple[str, ...]
    values: torch.Tensor
    observed: torch.Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """(column,)."""
        return (len(self.columns),)

    @property
    def device(self) -> torch.device:
        """Where its cells are."""
        return self.values.device

    @property
    def missing(self) -> float:
        """Share of the cells that are missing."""
        cells = self.observed.numel()
        return 1.0 - int(self.observed.sum()) / cells if cells else 0.0

    @property
    def present(self) -> torch.Tensor:
        """(subject,), False for who lacks the whole modality."""
        return self.observed.any(1)

    def __len__(self) -> int:
        return len(self.values)

    def cells(self, rows: torch.Tensor | slice = EVERYBODY) -> Cells:
        """What was measured of some subjects; a slice copies nothing."""
        return Cells.of(self.values[rows], self.observed[rows])

    def take(self, rows: torch.Tensor) -> Self:
        """The subjects in these rows, in the same units."""
        return replace(self, values=self.values[rows], observed=self.observed[rows])

    def to(self, device: torch.device | str) -> Self:
        """The same modality on another device."""
        return replace(self, values=self.values.to(device), observed=self.observed.to(device))

    def unmeasured(self, subjects: int, *, observed: bool = True) -> Self:
        """Subjects of whom nothing is measured yet, see `Modality.unmeasured`."""
        shape = (subjects, self.width)
        return replace(
            self, values=torch.zeros(shape), observed=torch.full(shape, observed, dtype=torch.bool)
        )

    def coordinates(self) -> dict[str, list[Any]]:
        """The columns' names."""
        return {"column": list(self.columns)}

    @abstractmethod
    def frame(self, subjects: pd.Index) -> pd.DataFrame:
        """The measurements in the data's units, NaN where missing, (subject, column).

        Args:
            subjects: labels of the rows.
        """

    def of_frame(self, frame: pd.DataFrame) -> ColumnarModality:
        """Other subjects, given as a plain table, in the units of these.

        Args:
            frame: (subject, column), numbers or categories.

        Raises:
            DataError: a plain table does not say what these measurements need, or does not fit.
        """
        raise DataError(
            f"modality '{self.name}' was {self.kind}, and is a table now; give it as it was fitted"
        )

    def as_columns(self, values: np.ndarray | torch.Tensor) -> np.ndarray:
        """Values that end in the columns, float64.

        Args:
            values: (..., column).

        Raises:
            DataError: the last dimension is another.
        """
        if isinstance(values, torch.Tensor):
            values = values.detach().cpu().numpy()
        if values.shape[-1:] != self.shape:
            raise DataError(
                f"modality '{self.name}': values of shape {values.shape} do not end in its "
                f"{self.width} columns"
            )
        return np.asarray(values, dtype=np.float64)
