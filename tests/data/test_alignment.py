"""Rows find their subjects, whatever the order and the kind of labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from pyrocrl.data.alignment import Alignment, aligned
from pyrocrl.data.tables import read_table
from pyrocrl.data.tabular import LabelledTable


def numbered(name: str, subjects: list[int]) -> LabelledTable:
    """Each subject's only value is its own number, so that a row shows whose it is."""
    series = pd.Series(np.array(subjects, dtype=float), index=[f"p{s}" for s in subjects])
    return read_table(name, series)


def owners(table: LabelledTable) -> list[float]:
    numbers: list[float] = table.values[:, 0].tolist()
    return numbers


@given(st.permutations(range(12)), st.permutations(range(12)))
def test_order_of_rows_does_not_matter(first: list[int], second: list[int]) -> None:
    a, b = aligned([numbered("a", first), numbered("b", second)], "exact")
    assert owners(a) == owners(b) == first
    assert a.subjects is not None
    assert a.subjects.tolist() == [f"p{s}" for s in first]
    assert a.subjects.equals(b.subjects)


@given(
    st.lists(st.lists(st.integers(0, 15), unique=True, min_size=1), min_size=1, max_size=4),
)
def test_union_keeps_everybody_and_marks_the_absent(subjects: list[list[int]]) -> None:
    tables = [numbered(f"m{i}", some) for i, some in enumerate(subjects)]
    matched = aligned(tables, "union")
    everybody = list(dict.fromkeys(s for some in subjects for s in some))
    for table, present in zip(matched, subjects, strict=True):
        assert table.subjects is not None
        assert table.subjects.tolist() == [f"p{s}" for s in everybody]
        expected = [float(s) if s in present else np.nan for s in everybody]
        np.testing.assert_array_equal(owners(table), expected)


@given(
    st.lists(st.lists(st.integers(0, 15), unique=True), min_size=1, max_size=4),
    st.integers(16, 20),
)
def test_intersection_keeps_the_common(subjects: list[list[int]], shared: int) -> None:
    everyone = [[*some, shared] for some in subjects]
    matched = aligned([numbered(f"m{i}", s) for i, s in enumerate(everyone)], "intersection")
    common = [float(s) for s in everyone[0] if all(s in others for others in everyone)]
    assert all(owners(table) == common for table in matched)


@pytest.mark.parametrize("align", ["exact", "intersection", "union"])
def test_arrays_follow_the_labelled_tables(align: Alignment) -> None:
    order = [3, 1, 2, 0]
    array = read_table("scan", np.arange(4.0))
    matched = aligned([array, numbered("a", order), numbered("b", order)], align)
    assert [owners(table) for table in matched] == [[0.0, 1.0, 2.0, 3.0], order, order]
    for table in matched:
        assert table.subjects is not None
        assert table.subjects.tolist() == ["p3", "p1", "p2", "p0"]


def test_arrays_alone_are_numbered() -> None:
    a, b = aligned([read_table("a", np.arange(3.0)), read_table("b", np.eye(3))], "exact")
    assert a.subjects is not None
    assert a.subjects.tolist() == [0, 1, 2]
    assert a.subjects.equals(b.subjects)


def test_default_index_is_a_label_like_any_other() -> None:
    frame = pd.DataFrame({"age": np.arange(4.0)})
    a, b = aligned([read_table("a", frame), read_table("b", frame.iloc[::-1])], "exact")
    assert owners(a) == owners(b)


def test_coordinates_of_xarray_are_labels() -> None:
    frame = pd.DataFrame({"age": np.arange(3.0)}, index=[7, 8, 9])
    array = xr.DataArray([2.0, 1.0, 0.0], coords={"subject": [9, 8, 7]})
    a, b = aligned([read_table("a", frame), read_table("b", array)], "exact")
    assert owners(a) == owners(b) == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    "labels",
    [
        [3, 1, 2],
        [0.5, 1.5, -2.0],
        pd.to_datetime(["2020-01-02", "2020-01-01", "2020-01-03"]),
        pd.CategoricalIndex(["b", "a", "c"]),
        ["a", 1, (2, 3)],
    ],
    ids=["int", "float", "datetime", "category", "mixed"],
)
@pytest.mark.parametrize("align", ["exact", "intersection", "union"])
def test_any_kind_of_label(labels: object, align: Alignment) -> None:
    index = pd.Index(labels, tupleize_cols=False)
    series = pd.Series([0.0, 1.0, 2.0], index=index)
    tables = [read_table("a", series), read_table("b", series.iloc[::-1])]
    a, b = aligned(tables, align)
    assert owners(a) == owners(b) == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("align", ["exact", "intersection", "union"])
def test_the_first_labelled_table_names_the_subjects(align: Alignment) -> None:
    first = pd.Series([0.0, 1.0], index=pd.Index(["p", "q"], name="patient"))
    second = pd.Series([2.0, 1.0], index=pd.Index(["q", "p"], name="id"))
    if align != "exact":
        second.loc["r"] = 5.0
    matched = aligned([read_table("a", first), read_table("b", second)], align)
    for table in matched:
        assert table.subjects is not None
        assert table.subjects.name == "patient"


def test_text_and_numbers_are_different_labels() -> None:
    numbers = pd.Series([0.0, 1.0], index=[1, 2])
    text = pd.Series([0.0, 1.0], index=["1", "2"])
    matched = aligned([read_table("a", numbers), read_table("b", text)], "union")
    assert matched[0].values.shape == (4, 1)
