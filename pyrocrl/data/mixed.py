"""Tables whose columns have likelihoods of their own: levels, counts, heavy tails, ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from pyrocrl.data.columnar import ColumnarModality
from pyrocrl.data.columns import check_same
from pyrocrl.data.modality import Features, Modality
from pyrocrl.data.standardise import column_moments, standardise
from pyrocrl.errors import DataError, plural
from pyrocrl.likelihoods import Likelihood, likelihood_from_json

__all__ = ["MixedModality", "MixedTable"]


@dataclass(frozen=True, eq=False)
class MixedTable:
    """A table as read: columns of numbers or categories, and the likelihood of each.

    Args:
        name: the modality.
        frame: float64 or categories, (subject, column), NaN where missing; its rows are numbered.
        subjects: labels of the rows; None where the input carried none.
        likelihoods: of each column, as they were asked for.
    """

    name: str
    frame: pd.DataFrame
    subjects: pd.Index | None
    likelihoods: tuple[Likelihood, ...]

    def __len__(self) -> int:
        return len(self.frame)

    def labelled(self, subjects: pd.Index) -> MixedTable:
        """The same rows under these labels."""
        return replace(self, subjects=subjects)

    def rows(self, positions: np.ndarray) -> MixedTable:
        """Rows at these positions, all cells missing where a position is -1."""
        frame = self.frame.reindex(positions).reset_index(drop=True)
        subjects = None if self.subjects is None else self.subjects.take(positions)
        return replace(self, frame=frame, subjects=subjects)

    def modality(self) -> MixedModality:
        """The table, each column in the scale of its own likelihood."""
        known = [
            likelihood.of(self.frame[column], self._where(column))
            for column, likelihood in zip(self.frame, self.likelihoods, strict=True)
        ]
        numbers = self._numbers(known)
        with np.errstate(invalid="ignore"):
            scaled = np.column_stack(
                [own.on_scale(column) for own, column in zip(known, numbers.T, strict=True)]
            )
        mean, std = column_moments(self.name, tuple(self.frame), scaled)
        fitted = [
            own.fitted(column, float(mean[k]), float(std[k]))
            for k, (own, column) in enumerate(zip(known, numbers.T, strict=True))
        ]
        return self._coded(numbers, tuple(fitted))

    def like(self, earlier: Modality) -> ColumnarModality:
        """The table with columns, levels and units of an earlier one."""
        if isinstance(earlier, ColumnarModality) and not isinstance(earlier, MixedModality):
            return earlier.of_frame(self.frame)
        if not isinstance(earlier, MixedModality):
            raise DataError(f"modality '{self.name}' was {earlier.kind}, and is a table now")
        check_same("columns", f"modality '{self.name}'", earlier.columns, tuple(self.frame))
        table = replace(self, frame=self.frame[list(earlier.columns)])
        return table._coded(table._numbers(earlier.likelihoods), earlier.likelihoods)

    def _numbers(self, likelihoods: Sequence[Likelihood]) -> np.ndarray:
        return np.column_stack(
            [
                own.numbers(self.frame[column], self._where(column))
                for column, own in zip(self.frame, likelihoods, strict=True)
            ]
        )

    def _coded(self, numbers: np.ndarray, likelihoods: tuple[Likelihood, ...]) -> MixedModality:
        cells = np.column_stack(
            [own.cells(column) for own, column in zip(likelihoods, numbers.T, strict=True)]
        )
        as_they_are = np.zeros(cells.shape[1]), np.ones(cells.shape[1])
        values = standardise(self.name, tuple(self.frame), cells, *as_they_are)
        observed = ~np.isnan(values)
        return MixedModality(
            name=self.name,
            columns=tuple(self.frame),
            likelihoods=likelihoods,
            values=torch.from_numpy(np.where(observed, values, np.float32(0))),
            observed=torch.from_numpy(observed),
        )

    def _where(self, column: str) -> str:
        return f"modality '{self.name}': column '{column}'"


@dataclass(frozen=True, eq=False)
class MixedModality(ColumnarModality):
    """A table whose columns were measured in several ways.

    Args:
        name: the modality.
        columns: names of the columns.
        values: float32, (subject, column), as the likelihood of each takes them: standardised
            numbers, positions of levels, counts; 0 where missing.
        observed: bool, (subject, column), False where a cell is missing.
        likelihoods: of each column, fitted.
    """

    likelihoods: tuple[Likelihood, ...]

    def of_frame(self, frame: pd.DataFrame) -> ColumnarModality:
        """Other subjects with these columns, see `ColumnarModality.of_frame`."""
        return MixedTable(self.name, frame, None, ()).like(self)

    @property
    def kind(self) -> str:
        """What the modality is: "mixed table"."""
        return "mixed table"

    @property
    def described(self) -> str:
        """Its columns in words, by likelihood."""
        names = [own.name for own in self.likelihoods]
        counted = ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))
        return f"{plural(len(names), 'column')}: {counted}"

    def unstandardise(self, values: np.ndarray | torch.Tensor) -> np.ndarray:
        """From what the likelihoods take to the data's units, see `Modality.unstandardise`.

        Levels that are no numbers stay positions in the list of levels.
        """
        values = self.as_columns(values)
        return np.stack(
            [own.units(values[..., k]) for k, own in enumerate(self.likelihoods)], axis=-1
        )

    def features(self) -> Features:
        """The columns, standardised; one number a level where levels have no order."""
        names: list[str] = []
        values, observed = [], []
        cells, seen = self.values.double().cpu().numpy(), self.observed.cpu().numpy()
        for k, (column, own) in enumerate(zip(self.columns, self.likelihoods, strict=True)):
            shown = own.shown(column, cells[:, k])
            names += shown
            values += [np.where(seen[:, k], own_values, 0.0) for own_values in shown.values()]
            observed += [seen[:, k]] * len(shown)
        return Features(tuple(names), np.column_stack(values), np.column_stack(observed))

    def reading(self, subjects: pd.Index) -> MixedTable:
        """The table in the data's units."""
        frame = self.frame(pd.RangeIndex(len(subjects)))
        return MixedTable(self.name, frame, subjects, self.likelihoods)

    def frame(self, subjects: pd.Index) -> pd.DataFrame:
        """The measurements in the data's units, NaN where missing.

        Args:
            subjects: labels of the rows.

        Returns:
            (subject, column): categories where the data held categories, else float64.
        """
        cells = np.where(self.observed.cpu().numpy(), self.values.double().cpu().numpy(), np.nan)
        columns = {
            column: own.column(cells[:, k])
            for k, (column, own) in enumerate(zip(self.columns, self.likelihoods, strict=True))
        }
        return pd.DataFrame(columns).set_axis(subjects, axis=0)

    def to_json(self) -> dict[str, Any]:
        """Columns and likelihoods, see `Modality.to_json`."""
        return {
            "columns": list(self.columns),
            "likelihoods": [own.to_json() for own in self.likelihoods],
        }

    @classmethod
    def from_json(cls, name: str, stored: dict[str, Any]) -> MixedModality:
        """The table without subjects, from `to_json`."""
        width = len(stored["columns"])
        return cls(
            name=name,
            columns=tuple(stored["columns"]),
            likelihoods=tuple(likelihood_from_json(own) for own in stored["likelihoods"]),
            values=torch.zeros(0, width),
            observed=torch.zeros(0, width, dtype=torch.bool),
        )
