"""Counts with a library size, as sequencing gives them: how much was counted is known, not told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from pyrocrl.data.batch import Cells
from pyrocrl.data.columnar import ColumnarModality
from pyrocrl.data.columns import check_same, refuse_columns
from pyrocrl.data.modality import EVERYBODY, Features, Modality, Readable
from pyrocrl.data.standardise import column_moments
from pyrocrl.data.tables import TableLike, read_table
from pyrocrl.errors import DataError, plural
from pyrocrl.likelihoods import check_counts

if TYPE_CHECKING:
    import scipy.sparse

__all__ = ["Counts", "CountsModality", "CountsTable"]

FloatArray: TypeAlias = npt.NDArray[np.float64]


class Counts(Readable):
    """Counts of many things in every subject, such as genes, in proportion to a library size.

    A column's likelihood is negative binomial with mean library size times a rate, and a dispersion
    of its own. The library size is given to the model and explains nothing; latents are of rates.

    Args:
        frame: (subject, column), any kind of table that a modality accepts, or a SciPy sparse
            matrix, which is held densely, in 32 bits; whole numbers from 0 on, NaN where missing.
        library: (subject,), how much was counted in all, in the order of the rows; None takes the
            sums of the columns.

    >>> Counts(np.array([[3, 0, 1], [10, 2, 4]]))
    Counts(ndarray of shape (2, 3))
    """

    def __init__(
        self,
        frame: TableLike | scipy.sparse.spmatrix | scipy.sparse.sparray,
        library: npt.ArrayLike | None = None,
    ) -> None:
        self.frame, self.library = frame, library

    def read(self, name: str) -> CountsTable:
        """The counts as read."""
        source: Any = self.frame
        table = read_table(name, source.toarray() if hasattr(source, "toarray") else source)
        for column, values in zip(table.columns, table.values.T, strict=True):
            check_counts(values, f"modality '{name}': column '{column}'", "counts")
        return CountsTable(
            name, table.columns, table.subjects, table.values, self._library(name, table.values)
        )

    def _library(self, name: str, values: FloatArray) -> FloatArray:
        absent = np.isnan(values).all(axis=1)
        if self.library is None:
            library = np.nansum(values, axis=1)
        else:
            library = np.asarray(self.library, dtype=np.float64)
            if library.shape != (len(values),):
                raise DataError(
                    f"modality '{name}': library has shape {library.shape}, but there are "
                    f"{len(values)} rows; give one number for each"
                )
        if not (absent | (np.isfinite(library) & (library > 0))).all():
            raise DataError(
                f"modality '{name}': a subject with counts has a library size that is not "
                "positive; leave the subject out, or set its counts to NaN"
            )
        return np.asarray(np.where(absent, np.nan, library))

    def __repr__(self) -> str:
        return f"Counts({type(self.frame).__name__} of shape {tuple(np.shape(self.frame))})"


@dataclass(frozen=True, eq=False)
class CountsTable:
    """Counts as read.

    Args:
        name: the modality.
        columns: names of the columns.
        subjects: labels of the rows; None where the input carried none.
        values: (subject, column), NaN where missing.
        library: (subject,), NaN where a subject has no counts.
    """

    name: str
    columns: tuple[str, ...]
    subjects: pd.Index | None
    values: FloatArray
    library: FloatArray

    def __len__(self) -> int:
        return len(self.values)

    def labelled(self, subjects: pd.Index) -> CountsTable:
        """The same rows under these labels."""
        return replace(self, subjects=subjects)

    def rows(self, positions: np.ndarray) -> CountsTable:
        """Rows at these positions, all cells missing where a position is -1."""
        return replace(
            self,
            values=np.where(positions[:, None] < 0, np.nan, self.values[positions]),
            library=np.where(positions < 0, np.nan, self.library[positions]),
            subjects=None if self.subjects is None else self.subjects.take(positions),
        )

    def modality(self) -> CountsModality:
        """The counts, with mean and standard deviation of each column's normalised logarithm."""
        typical = float(np.nanmedian(self.library))
        size = (self.library / typical)[:, None]
        mean, std = column_moments(self.name, self.columns, np.log1p(self.values / size))
        rate = np.nansum(self.values, 0) / np.nansum(np.where(np.isnan(self.values), 0, size), 0)
        return self._coded(typical, mean, std, rate)

    def like(self, earlier: Modality) -> CountsModality:
        """The counts with columns and typical library of earlier ones."""
        if not isinstance(earlier, CountsModality):
            raise DataError(f"modality '{self.name}' was a {earlier.kind}, and is counts now")
        check_same("columns", f"modality '{self.name}'", earlier.columns, self.columns)
        order = [self.columns.index(column) for column in earlier.columns]
        table = replace(self, columns=earlier.columns, values=self.values[:, order])
        return table._coded(earlier.typical, earlier.mean, earlier.std, earlier.rate)

    def _coded(
        self, typical: float, mean: FloatArray, std: FloatArray, rate: FloatArray
    ) -> CountsModality:
        values = self.values.astype(np.float32)
        observed = ~np.isnan(values)
        inexact = (np.nan_to_num(values) != np.nan_to_num(self.values)).any(axis=0)
        refuse_columns(self.name, self.columns, inexact, "counts above 2^24", "change the unit")
        log_size = np.where(np.isnan(self.library), 0.0, np.log(self.library / typical))
        return CountsModality(
            name=self.name,
            columns=self.columns,
            values=torch.from_numpy(np.where(observed, values, np.float32(0))),
            observed=torch.from_numpy(observed),
            log_size=torch.from_numpy(log_size.astype(np.float32))[:, None],
            typical=typical,
            mean=mean,
            std=std,
            rate=rate,
        )


@dataclass(frozen=True, eq=False)
class CountsModality(ColumnarModality):
    """Counts, the library size given.

    Args:
        name: the modality.
        columns: names of the columns.
        values: float32, (subject, column), counts; 0 where missing.
        observed: bool, (subject, column), False where a cell is missing.
        log_size: (subject, 1), logarithm of the library size over the typical one.
        typical: median library size of the subjects that were fitted.
        mean: (column,), of log(1 + count at the typical library size).
        std: (column,), likewise.
        rate: (column,), mean count at the typical library size.
    """

    log_size: torch.Tensor
    typical: float
    mean: FloatArray
    std: FloatArray
    rate: FloatArray

    @property
    def kind(self) -> str:
        """What the modality is: "counts"."""
        return "counts"

    @property
    def described(self) -> str:
        """Its number of columns in words."""
        return f"counts in {plural(self.width, 'column')}"

    def cells(self, rows: torch.Tensor | slice = EVERYBODY) -> Cells:
        """Counts of some subjects; the logarithm of their library size is given."""
        return Cells(self.values[rows], self.observed[rows], self.log_size[rows])

    def take(self, rows: torch.Tensor) -> Self:
        """The subjects in these rows, in the same units."""
        return replace(super().take(rows), log_size=self.log_size[rows])

    def to(self, device: torch.device | str) -> Self:
        """The same modality on another device."""
        return replace(super().to(device), log_size=self.log_size.to(device))

    def unmeasured(self, subjects: int, *, observed: bool = True) -> Self:
        """Subjects of whom nothing is measured yet, of typical library size."""
        blank = super().unmeasured(subjects, observed=observed)
        return replace(blank, log_size=torch.zeros(subjects, 1))

    def unstandardise(self, values: np.ndarray | torch.Tensor) -> np.ndarray:
        """Counts as they are, see `Modality.unstandardise`."""
        return self.as_columns(values)

    def features(self) -> Features:
        """log(1 + count at the typical library size), standardised."""
        counts = self.values.double().cpu().numpy()
        size = np.exp(self.log_size.double().cpu().numpy())
        observed = self.observed.cpu().numpy()
        scaled = (np.log1p(counts / size) - self.mean) / self.std
        return Features(self.columns, np.where(observed, scaled, 0.0), observed)

    def reading(self, subjects: pd.Index) -> CountsTable:
        """The counts as they were read."""
        values = self.measured()
        library = self.typical * np.exp(self.log_size[:, 0].double().cpu().numpy())
        return CountsTable(self.name, self.columns, subjects, values, library)

    def frame(self, subjects: pd.Index) -> pd.DataFrame:
        """The counts, NaN where missing, (subject, column).

        Args:
            subjects: labels of the rows.
        """
        return pd.DataFrame(self.measured(), index=subjects, columns=list(self.columns))

    def to_json(self) -> dict[str, Any]:
        """Columns and what is typical of each, see `Modality.to_json`."""
        arrays = {"mean": self.mean, "std": self.std, "rate": self.rate}
        return {
            "columns": list(self.columns),
            "typical": self.typical,
            **{key: own.tolist() for key, own in arrays.items()},
        }

    @classmethod
    def from_json(cls, name: str, stored: dict[str, Any]) -> CountsModality:
        """The counts without subjects, from `to_json`."""
        width = len(stored["columns"])
        return cls(
            name=name,
            columns=tuple(stored["columns"]),
            values=torch.zeros(0, width),
            observed=torch.zeros(0, width, dtype=torch.bool),
            log_size=torch.zeros(0, 1),
            typical=float(stored["typical"]),
            mean=np.array(stored["mean"]),
            std=np.array(stored["std"]),
            rate=np.array(stored["rate"]),
        )
