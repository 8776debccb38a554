"""Tables as users give them: a likelihood for every column, chosen from dtypes or said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from pyrocrl.data.mixed import MixedTable
from pyrocrl.data.modality import Readable
from pyrocrl.data.tables import TableLike, read_table
from pyrocrl.data.tabular import LabelledTable
from pyrocrl.likelihoods import Asked, Gaussian, choose

__all__ = ["Table"]


class Table(Readable):
    """A table and how its columns were measured.

    Without `likelihood` columns get one by their dtype: numbers are Gaussian, bool is Bernoulli,
    pandas categories are categorical, or ordinal if ordered. Integers are numbers, not counts,
    unless you say so.

    Args:
        frame: (subject, column), any kind of table that a modality accepts.
        likelihood: one for all columns, or some by name: "gaussian", "student t", "log-normal",
            "bernoulli", "categorical", "ordinal", "poisson", "negative binomial", or a
            `pyrocrl.likelihoods.Likelihood` such as `Gaussian(noise="varying")` or one of your own.

    >>> person = pd.DataFrame({"smoker": [True, False], "visits": [0, 3], "age": [31.0, 60.0]})
    >>> Table(person, likelihood={"visits": "negative binomial"})
    Table(DataFrame of shape (2, 3))
    """

    def __init__(self, frame: TableLike, likelihood: Asked = None) -> None:
        self.frame, self.likelihood = frame, likelihood

    def read(self, name: str) -> LabelledTable | MixedTable:
        """The columns as read; with likelihoods where any column is not plainly Gaussian."""
        numbers, frame = _typed(name, self.frame)
        likelihoods = choose(name, frame, self.likelihood)
        if all(own == Gaussian() for own in likelihoods):
            return numbers
        return MixedTable(name, _without_bool(frame), numbers.subjects, likelihoods)

    def __repr__(self) -> str:
        shape = getattr(self.frame, "shape", None)
        described = type(self.frame).__name__ + (f" of shape {tuple(shape)}" if shape else "")
        return f"Table({described})"


def _typed(name: str, source: TableLike) -> tuple[LabelledTable, pd.DataFrame]:
    """The table as numbers, checked, and the same with bool and category columns as they are."""
    if isinstance(source, pd.Series):
        source = source.to_frame(name="x1" if source.name is None else source.name)
    if isinstance(source, pd.DataFrame) and source.columns.nlevels == 1:
        is_level = [isinstance(dtype, pd.CategoricalDtype) for dtype in source.dtypes]
        numbers = read_table(name, _coded(source, is_level))
        frame = pd.DataFrame(numbers.values, columns=list(numbers.columns))
        for k, (column, dtype) in enumerate(zip(numbers.columns, source.dtypes, strict=True)):
            if is_level[k]:
                frame[column] = source.iloc[:, k].reset_index(drop=True)
            elif pd.api.types.is_bool_dtype(dtype):
                frame[column] = frame[column].astype("boolean")
        return numbers, frame
    numbers = read_table(name, source)
    frame = pd.DataFrame(numbers.values, columns=list(numbers.columns))
    bools = [c for c, dtype in zip(frame, _dtypes(source, frame), strict=True) if _is_bool(dtype)]
    return numbers, frame.astype(dict.fromkeys(bools, "boolean"))


def _coded(frame: pd.DataFrame, is_level: list[bool]) -> pd.DataFrame:
    """Categories replaced by their positions, so that everything else can be checked."""
    if not any(is_level):
        return frame
    columns = [
        frame.iloc[:, k].cat.codes.where(frame.iloc[:, k].notna(), np.nan).astype(np.float64)
        if level
        else frame.iloc[:, k]
        for k, level in enumerate(is_level)
    ]
    return pd.concat(columns, axis=1).set_axis(frame.columns, axis=1)


def _dtypes(source: Any, frame: pd.DataFrame) -> list[Any]:
    """The dtype of each column of what is no DataFrame."""
    if hasattr(source, "data_vars"):
        return [variable.dtype for variable in source.data_vars.values()]
    return [source.dtype] * frame.shape[1]


def _is_bool(dtype: Any) -> bool:
    return dtype == torch.bool or (isinstance(dtype, np.dtype) and dtype == np.bool_)


def _without_bool(frame: pd.DataFrame) -> pd.DataFrame:
    bools = [column for column in frame if pd.api.types.is_bool_dtype(frame[column].dtype)]
    return frame.astype(dict.fromkeys(bools, np.float64))
