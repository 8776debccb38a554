"""Every accepted kind of input gives the same table of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from pyrocrl.data.sources import Source, read
from pyrocrl.data.table import Table
from pyrocrl.data.tables import Variables
from pyrocrl.data.tabular import LabelledTable

VALUES = np.array([[1.0, 0.0], [np.nan, 1.0], [4.5, 1.0]])
SUBJECTS = pd.Index(["p", "q", "r"])
COLUMNS = ["iron", "zinc"]
FRAME = pd.DataFrame(VALUES, index=SUBJECTS, columns=COLUMNS)


def read_any(name: str, source: Source) -> LabelledTable:
    """What a modality is given as, `Variables` too, all columns as numbers."""
    table = read(name, source if isinstance(source, Variables) else Table(source, "gaussian"))
    assert isinstance(table, LabelledTable)
    return table


LABELLED = {
    "frame": FRAME,
    "float32 frame": FRAME.astype(np.float32),
    "nullable frame": FRAME.convert_dtypes(),
    "nullable columns": pd.DataFrame(
        {
            "iron": pd.array([1.0, None, 4.5], dtype="Float64"),
            "zinc": pd.array([False, True, True], dtype="boolean"),
        },
        index=SUBJECTS,
    ),
    "bool column": FRAME.assign(zinc=[False, True, True]),
    "int8 column": FRAME.astype({"zinc": np.int8}),
    "sparse columns": FRAME.astype(pd.SparseDtype(np.float64)),
    "DataArray": xr.DataArray(VALUES, coords={"subject": SUBJECTS, "column": COLUMNS}),
    "Dataset": xr.Dataset(
        {"iron": ("subject", VALUES[:, 0]), "zinc": ("subject", VALUES[:, 1] == 1)},
        coords={"subject": SUBJECTS},
    ),
}
UNLABELLED = {
    "array": VALUES,
    "float32 array": VALUES.astype(np.float32),
    "fortran array": np.asfortranarray(VALUES),
    "masked array": np.ma.masked_array(np.nan_to_num(VALUES, nan=7.0), np.isnan(VALUES)),
    "masked integers": np.ma.masked_array([[2, 0], [9, 2], [9, 2]], np.isnan(VALUES)) / 2,
    "tensor": torch.tensor(VALUES),
    "half tensor": torch.tensor(VALUES, dtype=torch.bfloat16),
    "tensor with gradient": torch.tensor(VALUES, requires_grad=True),
    "DataArray": xr.DataArray(VALUES),
}


@pytest.mark.parametrize("kind", LABELLED)
def test_labelled_table(kind: str) -> None:
    table = read_any("labs", LABELLED[kind])
    np.testing.assert_array_equal(table.values, VALUES)
    assert table.values.dtype == np.float64
    assert table.columns == ("iron", "zinc")
    assert table.subjects is not None
    assert table.subjects.tolist() == ["p", "q", "r"]
    assert not table.is_variables


@pytest.mark.parametrize("kind", UNLABELLED)
def test_unlabelled_table(kind: str) -> None:
    table = read_any("labs", UNLABELLED[kind])
    np.testing.assert_array_equal(table.values, VALUES)
    assert table.values.dtype == np.float64
    assert table.columns == ("x1", "x2")
    assert table.subjects is None


@pytest.mark.parametrize("dtype", ["Int64", "UInt8", "boolean"])
def test_missing_in_a_nullable_column_is_nan(dtype: Any) -> None:
    frame = pd.DataFrame({"a": pd.Series([0, None, 1], dtype=dtype), "b": [0.5, 1.5, 2.5]})
    values = read_any("labs", frame).values
    np.testing.assert_array_equal(values, [[0, 0.5], [np.nan, 1.5], [1, 2.5]])


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.uint8])
def test_integer_and_bool_tensors(dtype: torch.dtype) -> None:
    values = read_any("labs", torch.tensor([[0, 1], [1, 0]]).to(dtype)).values
    np.testing.assert_array_equal(values, [[0.0, 1.0], [1.0, 0.0]])


def test_sparse_tensor() -> None:
    values = read_any("labs", torch.eye(3).to_sparse()).values
    np.testing.assert_array_equal(values, np.eye(3))


@pytest.mark.parametrize(
    ("source", "column"),
    [
        (np.arange(3.0), "x1"),
        (torch.arange(3.0), "x1"),
        (pd.Series([0.0, 1.0, 2.0], name="age"), "age"),
        (pd.Series([0.0, 1.0, 2.0]), "x1"),
        (xr.DataArray([0.0, 1.0, 2.0], name="age"), "age"),
        (xr.DataArray([0.0, 1.0, 2.0]), "x1"),
        (Variables(pd.Series([0, 1, 2], name="age")), "age"),
    ],
)
def test_one_dimension_is_one_column(source: object, column: str) -> None:
    table = read_any("labs", source)
    assert table.columns == (column,)
    np.testing.assert_array_equal(table.values, [[0.0], [1.0], [2.0]])


def test_names_of_columns_become_text() -> None:
    frame = FRAME.set_axis([2011, ("left", "ear")], axis=1)
    assert read_any("labs", frame).columns == ("2011", "('left', 'ear')")


def test_many_columns() -> None:
    frame = pd.DataFrame(np.zeros((2, 20_000))).add_prefix("gene")
    assert read_any("rna", frame).columns[-1] == "gene19999"


@pytest.mark.parametrize("source", [FRAME, VALUES, torch.tensor(VALUES)])
def test_the_source_is_not_shared(source: pd.DataFrame | np.ndarray | torch.Tensor) -> None:
    read_any("labs", source).values[:] = 0.0
    np.testing.assert_array_equal(np.asarray(source), VALUES)


def test_variables_are_marked_and_show_what_they_hold() -> None:
    assert read_any("person", Variables(FRAME)).is_variables
    assert repr(Variables(FRAME)) == "Variables(DataFrame of shape (3, 2))"
    assert repr(Variables(xr.Dataset())) == "Variables(Dataset)"
