"""One kind of measurement of all subjects."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from pyrocrl.data.standardise import column_moments, standardise, unstandardise
from pyrocrl.data.tables import LabelledTable
from pyrocrl.errors import DataError

__all__ = ["Modality"]


@dataclass(frozen=True, eq=False)
class Modality:
    """A table of measurements, standardised, with its missing cells marked.

    Args:
        name: the modality.
        columns: names of the columns.
        values: float32, (subject, column), in standard deviations; 0 where missing.
        observed: bool, (subject, column), False where a cell is missing.
        mean: (column,), in the data's units.
        std: (column,), in the data's units.
        is_variables: whether the columns are nodes of the graph themselves.

    >>> from pyrocrl.data.tables import read_table
    >>> labs = Modality.from_table(read_table("labs", np.array([1.0, 3.0, np.nan])))
    >>> labs.values.ravel().tolist(), labs.has_missing
    ([-1.0, 1.0, 0.0], True)
    """

    name: str
    columns: tuple[str, ...]
    values: torch.Tensor
    observed: torch.Tensor
    mean: np.ndarray
    std: np.ndarray
    is_variables: bool = False

    @classmethod
    def from_table(cls, table: LabelledTable, *, like: Modality | None = None) -> Modality:
        """Standardise a table.

        Args:
            table: numbers in the data's units, NaN where missing.
            like: take its mean and standard deviation instead of the table's own; the columns
                must be the same.

        Returns:
            The modality.

        Raises:
            DataError: a column cannot be standardised; names it.
        """
        if like is None:
            mean, std = column_moments(table.name, table.columns, table.values)
        else:
            mean, std = like.mean, like.std
        scaled = standardise(table.name, table.columns, table.values, mean, std)
        observed = ~np.isnan(scaled)
        return cls(
            name=table.name,
            columns=table.columns,
            values=torch.from_numpy(np.where(observed, scaled, np.float32(0))),
            observed=torch.from_numpy(observed),
            mean=mean,
            std=std,
            is_variables=table.is_variables if like is None else like.is_variables,
        )

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.columns)

    @property
    def kind(self) -> str:
        """What the modality is: "table" or "variables"."""
        return "variables" if self.is_variables else "table"

    @property
    def has_missing(self) -> bool:
        """Whether any cell is missing."""
        return not bool(self.observed.all())

    @property
    def missing(self) -> float:
        """Share of the cells that are missing."""
        cells = self.observed.numel()
        return 1.0 - int(self.observed.sum()) / cells if cells else 0.0

    def take(self, rows: torch.Tensor) -> Modality:
        """The subjects in these rows, standardised as before."""
        return replace(self, values=self.values[rows], observed=self.observed[rows])

    def to(self, device: torch.device | str) -> Modality:
        """The same modality on another device."""
        return replace(self, values=self.values.to(device), observed=self.observed.to(device))

    def unstandardise(self, values: np.ndarray | torch.Tensor) -> np.ndarray:
        """From standard deviations to the data's units.

        Args:
            values: (..., column), in standard deviations.

        Returns:
            float64, (..., column), in the data's units.

        Raises:
            DataError: the last dimension is not that of the columns.
        """
        if isinstance(values, torch.Tensor):
            values = values.detach().cpu().numpy()
        values = np.asarray(values, dtype=np.float64)
        if values.shape[-1:] != (self.width,):
            raise DataError(
                f"modality '{self.name}': values of shape {values.shape} do not end in its "
                f"{self.width} columns"
            )
        return unstandardise(values, self.mean, self.std)

    def frame(self, subjects: pd.Index) -> pd.DataFrame:
        """The measurements in the data's units, NaN where missing.

        Args:
            subjects: labels of the rows.

        Returns:
            float64, (subject, column).
        """
        values = np.where(self.observed.cpu().numpy(), self.unstandardise(self.values), np.nan)
        return pd.DataFrame(values, index=subjects, columns=list(self.columns))
