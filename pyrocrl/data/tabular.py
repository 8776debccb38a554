"""Tables: columns of numbers, each standardised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

from pyrocrl.data.columnar import ColumnarModality
from pyrocrl.data.columns import check_same
from pyrocrl.data.modality import Features, Modality
from pyrocrl.data.standardise import column_moments, standardise, unstandardise
from pyrocrl.errors import DataError, listing, plural

__all__ = ["LabelledTable", "TableModality"]


@dataclass(frozen=True, eq=False)
class LabelledTable:
    """A table as read: numbers in the data's units, with the names of rows and columns.

    Args:
        name: the modality.
        columns: names of the columns.
        subjects: labels of the rows; None where the input carried none.
        values: float64, (subject, column), NaN where missing.
        is_variables: whether the columns are nodes of the graph themselves.
        seen_by: modalities that show these variables too.

    >>> table = LabelledTable("labs", ("iron",), None, np.array([[1.0], [2.0]]))
    >>> table.rows(np.array([1, -1])).values.ravel().tolist()
    [2.0, nan]
    """

    name: str
    columns: tuple[str, ...]
    subjects: pd.Index | None
    values: np.ndarray
    is_variables: bool = False
    seen_by: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def labelled(self, subjects: pd.Index) -> Self:
        """The same rows under these labels."""
        return replace(self, subjects=subjects)

    def rows(self, positions: np.ndarray) -> Self:
        """Rows at these positions, all cells missing where a position is -1."""
        values = np.where(positions[:, None] < 0, np.nan, self.values[positions])
        subjects = None if self.subjects is None else self.subjects.take(positions)
        return replace(self, subjects=subjects, values=values)

    def modality(self) -> TableModality:
        """The table, in its own mean and standard deviation."""
        return TableModality.from_table(self)

    def like(self, earlier: Modality) -> ColumnarModality:
        """The table with columns and units of an earlier one."""
        if isinstance(earlier, ColumnarModality) and not isinstance(earlier, TableModality):
            return earlier.of_frame(pd.DataFrame(self.values, columns=list(self.columns)))
        if not isinstance(earlier, TableModality):
            raise DataError(f"modality '{self.name}' was {earlier.kind}, and is a table now")
        check_same("columns", f"modality '{self.name}'", earlier.columns, self.columns)
        position = {column: number for number, column in enumerate(self.columns)}
        order = [position[column] for column in earlier.columns]
        table = replace(self, columns=earlier.columns, values=self.values[:, order])
        return TableModality.from_table(table, like=earlier)


@dataclass(frozen=True, eq=False)
class TableModality(ColumnarModality):
    """A table of measurements, standardised, with its missing cells marked.

    Args:
        name: the modality.
        columns: names of the columns.
        values: float32, (subject, column), in standard deviations; 0 where missing.
        observed: bool, (subject, column), False where a cell is missing.
        mean: (column,), in the data's units.
        std: (column,), in the data's units.
        is_variables: whether the columns are nodes of the graph themselves.
        seen_by: modalities that show these variables too.

    >>> iron = np.array([[1.0], [3.0], [np.nan]])
    >>> labs = LabelledTable("labs", ("iron",), None, iron).modality()
    >>> labs.values.ravel().tolist(), labs.has_missing
    ([-1.0, 1.0, 0.0], True)
    """

    mean: np.ndarray
    std: np.ndarray
    is_variables: bool = False
    seen_by: tuple[str, ...] = ()

    @classmethod
    def from_table(
        cls, table: LabelledTable, *, like: TableModality | None = None
    ) -> TableModality:
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
            seen_by=table.seen_by if like is None else like.seen_by,
        )

    def of_frame(self, frame: pd.DataFrame) -> ColumnarModality:
        """Other subjects with these columns, see `ColumnarModality.of_frame`."""
        levels = [c for c in frame if isinstance(frame[c].dtype, pd.CategoricalDtype)]
        if levels:
            raise DataError(
                f"modality '{self.name}': columns {listing(levels)} hold categories, and were "
                "numbers in the earlier data"
            )
        table = LabelledTable(self.name, tuple(frame), None, frame.to_numpy(np.float64))
        return table.like(self)

    @property
    def kind(self) -> str:
        """What the modality is: "table" or "variables"."""
        return "variables" if self.is_variables else "table"

    @property
    def described(self) -> str:
        """Its number of columns, or of variables, in words."""
        return plural(self.width, "variable" if self.is_variables else "column")

    def unstandardise(self, values: np.ndarray | torch.Tensor) -> np.ndarray:
        """From standard deviations to the data's units, see `Modality.unstandardise`."""
        return unstandardise(self.as_columns(values), self.mean, self.std)

    def features(self) -> Features:
        """The columns themselves."""
        values = self.values.double().cpu().numpy()
        return Features(self.columns, values, self.observed.cpu().numpy())

    def reading(self, subjects: pd.Index) -> LabelledTable:
        """The table in the data's units."""
        return LabelledTable(
            self.name,
            self.columns,
            subjects,
            self.measured(),
            self.is_variables,
            self.seen_by,
        )

    def frame(self, subjects: pd.Index) -> pd.DataFrame:
        """The measurements in the data's units, NaN where missing.

        Args:
            subjects: labels of the rows.

        Returns:
            float64, (subject, column).
        """
        return pd.DataFrame(self.measured(), index=subjects, columns=list(self.columns))

    def to_json(self) -> dict[str, Any]:
        """Columns and units, see `Modality.to_json`."""
        return {
            "columns": list(self.columns),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "is_variables": self.is_variables,
            "seen_by": list(self.seen_by),
        }

    @classmethod
    def from_json(cls, name: str, stored: dict[str, Any]) -> Self:
        """The table without subjects, from `to_json`."""
        width = len(stored["columns"])
        return cls(
            name=name,
            columns=tuple(stored["columns"]),
            values=torch.zeros(0, width),
            observed=torch.zeros(0, width, dtype=torch.bool),
            mean=np.array(stored["mean"]),
            std=np.array(stored["std"]),
            is_variables=stored["is_variables"],
            # Fits that were saved before modalities could share variables have none.
            seen_by=tuple(stored.get("seen_by", ())),
        )
