"""Any accepted kind of input -> one labelled table of numbers, or an error naming the culprit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import torch

from pyrocrl.data.columns import refuse_columns
from pyrocrl.data.modality import Readable
from pyrocrl.data.tabular import LabelledTable
from pyrocrl.errors import DataError, listing

if TYPE_CHECKING:
    import xarray

__all__ = ["TableLike", "Variables", "read_table"]

TableLike: TypeAlias = (
    "pd.DataFrame | pd.Series | np.ndarray | torch.Tensor | xarray.DataArray | xarray.Dataset"
)


class Variables(Readable):
    """Columns that are causal variables themselves: nodes of the graph beside the latents.

    They have no encoder and no decoder; each column is a node called `group.column`.

    Args:
        frame: (subject, column), any kind of table that a modality accepts.
        seen_by: other modalities whose measurements show these variables too, as an image of the
            eye shows age, and a latent that two modalities share is seen by both: their decoders
            are given them, and their own latents are looked for beyond them.

    >>> Variables(pd.DataFrame({"age": [61.0, 48.0], "sex": [0, 1]}))
    Variables(DataFrame of shape (2, 2))
    """

    def __init__(self, frame: TableLike, *, seen_by: Sequence[str] = ()) -> None:
        self.frame, self.seen_by = frame, tuple(seen_by)

    def read(self, name: str) -> LabelledTable:
        """The columns as read, see `read_table`."""
        return replace(read_table(name, self.frame), is_variables=True, seen_by=self.seen_by)

    def __repr__(self) -> str:
        shape = getattr(self.frame, "shape", None)
        described = type(self.frame).__name__ + (f" of shape {tuple(shape)}" if shape else "")
        seen = f", seen by {listing(self.seen_by)}" if self.seen_by else ""
        return f"Variables({described}{seen})"


def read_table(name: str, source: object) -> LabelledTable:
    """Read a table and check everything that can be said without the other modalities.

    Args:
        name: the modality, for error messages.
        source: (subject, column): a pandas DataFrame or Series, a numpy array, a torch Tensor,
            an xarray DataArray or Dataset.

    Returns:
        The table; rows and columns in the order of the source.

    Raises:
        DataError: not a table of finite or missing numbers with unambiguous names.

    >>> read_table("labs", np.array([[1.0, np.nan], [2.0, 5.0]])).columns
    ('x1', 'x2')
    """
    columns, subjects, values = _read(name, source)
    if 0 in values.shape:
        raise DataError(f"modality '{name}': the table is empty (shape {values.shape})")
    _check_subjects(name, subjects)
    labels = _column_names(name, columns, values.shape[1])
    infinite = np.any(np.isinf(values), axis=0)
    remedy = "replace them, or use NaN where they mean missing"
    refuse_columns(name, labels, infinite, "infinite values", remedy)
    return LabelledTable(name, labels, subjects, values)


_Parts: TypeAlias = tuple["Sequence[Any] | None", "pd.Index | None", np.ndarray]


def _read(name: str, table: object) -> _Parts:
    """Column labels (None: unnamed), subject labels (None: unnamed) and float64 values."""
    if isinstance(table, pd.Series):
        return _read_frame(name, _one_column(table))
    if isinstance(table, pd.DataFrame):
        return _read_frame(name, table)
    if isinstance(table, np.ndarray):
        return None, None, _read_array(name, table)
    if isinstance(table, torch.Tensor):
        return None, None, _read_tensor(name, table)

    import xarray

    if isinstance(table, xarray.DataArray):
        return _read_data_array(name, table)
    if isinstance(table, xarray.Dataset):
        return _read_dataset(name, table)
    raise DataError(
        f"modality '{name}': cannot read a {type(table).__name__} as a table; pass a pandas "
        "DataFrame, a numpy array, a torch Tensor or an xarray DataArray or Dataset"
    )


def _one_column(series: pd.Series) -> pd.DataFrame:
    return series.to_frame(name="x1" if series.name is None else series.name)


def _read_frame(name: str, frame: pd.DataFrame) -> _Parts:
    if frame.columns.nlevels > 1:
        raise DataError(
            f"modality '{name}': the columns have {frame.columns.nlevels} levels of names; "
            "join them into one, such as 'left_height'"
        )
    for column, dtype in zip(frame.columns, frame.dtypes, strict=True):
        _check_dtype(name, dtype, f"column {column!r}")
    values = frame.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    return list(frame.columns), frame.index, values


def _read_array(name: str, array: np.ndarray) -> np.ndarray:
    _check_dimensions(name, array.shape)
    _check_dtype(name, array.dtype, "the array")
    values = np.array(array, dtype=np.float64)
    # A masked cell is missing, whatever number lies under the mask.
    values[np.ma.getmaskarray(array)] = np.nan
    return values[:, None] if values.ndim == 1 else values


def _read_tensor(name: str, tensor: torch.Tensor) -> np.ndarray:
    if tensor.is_complex():
        raise _complex_error(name, "the tensor")
    dense = tensor.detach().to_dense() if tensor.layout != torch.strided else tensor.detach()
    return _read_array(name, dense.to("cpu", torch.float64).numpy())


def _read_data_array(name: str, array: xarray.DataArray) -> _Parts:
    values = _read_array(name, np.asarray(array.values))
    subjects = array.indexes.get(array.dims[0])
    if array.ndim == 1:
        return (None if array.name is None else [array.name]), subjects, values
    columns = array.indexes.get(array.dims[1])
    return (None if columns is None else list(columns)), subjects, values


def _read_dataset(name: str, dataset: xarray.Dataset) -> _Parts:
    dimensions = {column: variable.dims for column, variable in dataset.data_vars.items()}
    if not dimensions:
        raise DataError(f"modality '{name}': the table is empty (a Dataset without variables)")
    first = next(iter(dimensions.values()))
    for column, found in dimensions.items():
        if len(found) != 1 or found != first:
            raise DataError(
                f"modality '{name}': variable {column!r} has dimensions {found}; every variable of "
                "the Dataset must be 1-D along one and the same dimension, the subjects"
            )
    frame = pd.DataFrame({column: dataset[column].to_numpy() for column in dimensions})
    columns, _, values = _read_frame(name, frame)
    return columns, dataset.indexes.get(first[0]), values


def _check_dimensions(name: str, shape: tuple[int, ...]) -> None:
    if len(shape) > 2:
        raise DataError(
            f"modality '{name}': an array of shape {shape} is not a table (subject, column); "
            "pass series (subject, time, channel) as crl.Series(array), images as crl.Image(array)"
        )
    if not shape:
        raise DataError(f"modality '{name}': a single number is not a table (subject, column)")


def _check_dtype(name: str, dtype: Any, what: str) -> None:
    if pd.api.types.is_complex_dtype(dtype):
        raise _complex_error(name, what)
    is_number = pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)
    if isinstance(dtype, pd.CategoricalDtype) or not is_number:
        raise DataError(
            f"modality '{name}': {what} holds {dtype} values, not numbers; "
            "make text a category (astype('category')), encode it as numbers, or "
            "leave it out"
        )


def _complex_error(name: str, what: str) -> DataError:
    return DataError(
        f"modality '{name}': {what} holds complex numbers; "
        "pass real and imaginary parts as columns of their own"
    )


def _check_subjects(name: str, subjects: pd.Index | None) -> None:
    if subjects is None:
        return
    if subjects.nlevels > 1:
        raise DataError(
            f"modality '{name}': the index has {subjects.nlevels} levels; "
            "name every subject by one label"
        )
    unnamed = int(np.count_nonzero(subjects.isna()))
    if unnamed:
        raise DataError(
            f"modality '{name}': no subject label (NaN in the index) in {unnamed} of "
            f"{len(subjects)} rows; name these subjects or drop the rows"
        )
    if not subjects.is_unique:
        repeated = subjects[subjects.duplicated()].unique()
        raise DataError(
            f"modality '{name}': duplicated subjects {listing(repeated.tolist())}; "
            "keep one row per subject"
        )


def _column_names(name: str, labels: Sequence[Any] | None, width: int) -> tuple[str, ...]:
    if labels is None:
        return tuple(f"x{number}" for number in range(1, width + 1))
    names = tuple("" if pd.isna(label) else str(label) for label in labels)
    for position, column in enumerate(names):
        if not column.strip():
            raise DataError(f"modality '{name}': column number {position + 1} has no name")
    repeated = [column for column, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(
            f"modality '{name}': duplicated columns {listing(repeated)}; give each its own name"
        )
    return names
