"""Measurements that were missing, drawn given what is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.data import ColumnarModality, MultimodalData
from pyrocrl.errors import DataError, ModelError

if TYPE_CHECKING:
    import xarray

__all__ = ["Imputed"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Imputed:
    """Draws of missing measurements, in the units of the data.

    Attributes:
        data: the data with what is missing.
        draws: per modality that lacks anything, (draw, subject, ...), of the subjects in whom it
            does; what was measured is the same in every draw, so that each draw is a completed
            data set.
        missing: per modality, (subject, ...), True for what was drawn.
    """

    data: MultimodalData
    draws: dict[str, xarray.DataArray]
    missing: dict[str, npt.NDArray[np.bool_]]

    def table(self, interval: float = 0.9) -> pd.DataFrame:
        """Every missing cell: its mean and how sure it is.

        Args:
            interval: mass between `low` and `high`, cut equally at both ends.

        Returns:
            Columns: modality, subject, column (of a table; else the indices), mean, sd, low, high.
            Levels that are no numbers are given by their position.

        Raises:
            ModelError: if the mass is not between 0 and 1.
        """
        if not 0 < interval < 1:
            raise ModelError(f"interval must be between 0 and 1, not {interval}")
        ends = [(1 - interval) / 2, (1 + interval) / 2]
        parts = []
        for name, drawn in self.draws.items():
            values = drawn.to_numpy()
            where = np.nonzero(self.missing[name])
            own = values[:, self.missing[name]]
            low, high = np.quantile(own, ends, axis=0)
            parts.append(
                pd.DataFrame(
                    {
                        "modality": name,
                        "subject": drawn.indexes["subject"][where[0]],
                        "column": _labels(drawn, where[1:]),
                        "mean": own.mean(axis=0),
                        "sd": own.std(axis=0),
                        "low": low,
                        "high": high,
                    }
                )
            )
        columns = ["modality", "subject", "column", "mean", "sd", "low", "high"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

    def frame(self, name: str) -> pd.DataFrame:
        """A table of all subjects, what is missing filled by the mean of its draws.

        Args:
            name: the modality, a table, counts or variables.

        Returns:
            (subject, column), in the units of the data; a level that is no number is the one that
            was drawn most often.

        Raises:
            DataError: no such modality, or it is no table.
        """
        modality = self.data[name]
        if not isinstance(modality, ColumnarModality):
            raise DataError(f"modality '{name}' is no table but {modality.described}; see draws")
        frame = modality.frame(self.data.subjects)
        if name not in self.draws:
            return frame
        drawn = self.draws[name]
        rows = self.data.subjects.get_indexer(drawn.indexes["subject"])
        for k, column in enumerate(frame):
            gone = self.missing[name][:, k]
            values = drawn.to_numpy()[:, gone, k]
            filled: Any = values.mean(axis=0)
            if isinstance(frame[column].dtype, pd.CategoricalDtype):
                filled = frame[column].cat.categories[_most_frequent(values)]
            frame.iloc[rows[gone], k] = filled
        return frame

    def __repr__(self) -> str:
        words = ", ".join(
            f"{name} ({drawn.sizes['subject']} subjects)" for name, drawn in self.draws.items()
        )
        return f"Imputed({words or 'nothing was missing'})"


def _labels(drawn: xarray.DataArray, where: tuple[Array, ...]) -> Array:
    """The label of each cell along the axes behind the subject, joined by commas if several."""
    axes = [drawn.indexes[name].astype(str) for name in drawn.dims[2:]]
    parts = [axis.to_numpy()[own] for axis, own in zip(axes, where, strict=True)]
    return np.array([", ".join(cell) for cell in zip(*parts, strict=True)], dtype=object)


def _most_frequent(codes: Array) -> npt.NDArray[np.intp]:
    """Of each column the code that stands in most rows."""
    levels = np.arange(int(codes.max(initial=0)) + 1)
    return np.asarray((codes[..., None] == levels).sum(axis=0).argmax(axis=-1))
