"""Every input that cannot be used is refused by an error that names the culprit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from pyrocrl.data import MultimodalData, Variables
from pyrocrl.errors import DataError, PyrocrlError

N = 30


def frame(*columns: str, n: int = N, seed: int = 0) -> pd.DataFrame:
    columns = columns or ("iron", "zinc")
    values = np.random.default_rng(seed).normal(size=(n, len(columns)))
    return pd.DataFrame(values, index=[f"p{i}" for i in range(n)], columns=list(columns))


def with_column(column: str, values: Any) -> pd.DataFrame:
    return frame().assign(**{column: values})


def with_cell(value: float) -> pd.DataFrame:
    table = frame()
    table.iloc[4, 1] = value
    return table


def with_index(index: Any) -> pd.DataFrame:
    return frame().set_axis(index, axis=0)


def labels(**replaced: object) -> list[object]:
    return [replaced.get(f"p{i}", f"p{i}") for i in range(N)]


ONE_MODALITY: dict[str, tuple[Callable[[], Any], list[str]]] = {
    # what is wrong: (how to make it, what the message must say)
    "empty frame": (lambda: frame().iloc[:0], ["empty", "(0, 2)"]),
    "frame without columns": (lambda: frame()[[]], ["empty", "(30, 0)"]),
    "empty array": (lambda: np.zeros((0, 3)), ["empty"]),
    "empty dataset": (xr.Dataset, ["empty"]),
    "images": (lambda: np.zeros((N, 8, 8)), ["(30, 8, 8)", "crl.Series(array)"]),
    "films": (lambda: torch.zeros(N, 2, 3, 8, 8), ["(30, 2, 3, 8, 8)", "images"]),
    "images as xarray": (lambda: xr.DataArray(np.zeros((N, 2, 2))), ["(30, 2, 2)", "images"]),
    "a number": (lambda: np.array(3.0), ["single number"]),
    "a list": (lambda: [[1.0, 2.0]] * N, ["list", "DataFrame"]),
    "a path": (lambda: "labs.csv", ["str", "DataFrame"]),
    "nothing": (lambda: None, ["NoneType"]),
    "Variables in Variables": (lambda: Variables(Variables(frame())), ["Variables"]),
    "duplicated subjects": (lambda: with_index(labels(p3="p2")), ["duplicated subjects 'p2'"]),
    "subject without a label": (
        lambda: with_index(labels(p3=np.nan)),
        ["no subject label", "1 of 30"],
    ),
    "two index levels": (
        lambda: with_index(pd.MultiIndex.from_product([["a"], range(N)])),
        ["2 levels", "one label"],
    ),
    "two column levels": (
        lambda: frame().set_axis(pd.MultiIndex.from_tuples([("l", "a"), ("l", "b")]), axis=1),
        ["2 levels", "columns"],
    ),
    "duplicated columns": (lambda: frame("iron", "zinc", "iron"), ["columns 'iron'"]),
    "columns alike as text": (
        lambda: frame("a", "b").set_axis([1, "1"], axis=1),
        ["duplicated columns '1'"],
    ),
    "column without a name": (lambda: frame("iron", " "), ["column number 2", "no name"]),
    "column named NaN": (
        lambda: frame().set_axis(["iron", np.nan], axis=1),
        ["column number 2", "no name"],
    ),
    "constant column": (lambda: with_column("sodium", 140.0), ["constant", "'sodium'"]),
    "constant but for NaN": (
        lambda: with_column("sodium", [np.nan] * 3 + [1.0] * (N - 3)),
        ["constant", "'sodium'"],
    ),
    "constant but for rounding": (
        lambda: with_column("sodium", np.where(np.arange(N) % 2, 0.1 + 0.2, 0.3)),
        ["constant", "'sodium'"],
    ),
    "column observed once": (
        lambda: with_column("sodium", [1.0] + [np.nan] * (N - 1)),
        ["constant", "'sodium'"],
    ),
    "all-missing column": (lambda: with_column("lead", np.nan), ["no observed value", "'lead'"]),
    "infinity": (lambda: with_cell(np.inf), ["infinite", "column 'zinc'"]),
    "minus infinity": (lambda: with_cell(-np.inf), ["infinite", "column 'zinc'"]),
    "infinity in a tensor": (lambda: torch.full((N, 2), torch.inf), ["infinite", "'x1', 'x2'"]),
    "too large": (
        lambda: with_column("big", np.where(np.arange(N) % 2, 1, -1) * 1.7e308),
        ["'big'"],
    ),
    "too small": (lambda: with_column("tiny", np.arange(N) * 5e-324), ["'tiny'", "unit"]),
    "strings": (lambda: with_column("sex", ["f", "m"] * 15), ["column 'sex'", "encode it"]),
    "objects": (lambda: with_column("x", pd.Series([{}] * N, dtype=object).to_numpy()), ["'x'"]),
    "strings in an array": (lambda: np.full((N, 2), "a"), ["the array", "encode it"]),
    "objects in xarray": (lambda: xr.DataArray(np.full((N, 1), None)), ["object", "encode it"]),
    "structured array": (lambda: np.zeros(N, dtype=[("a", float)]), ["encode it"]),
    "datetimes": (
        lambda: with_column("visit", pd.date_range("2020-01-01", periods=N)),
        ["column 'visit'", "datetime64"],
    ),
    "durations": (
        lambda: with_column("stay", pd.to_timedelta(np.arange(N), unit="D")),
        ["column 'stay'", "timedelta64"],
    ),
    "a category with one level": (
        lambda: with_column("stage", pd.Categorical([1] * 30)),
        ["column 'stage'"],
    ),
    "complex column": (lambda: with_column("z", 1j * np.arange(N)), ["column 'z'", "complex"]),
    "complex array": (lambda: np.ones((N, 2)) * 1j, ["complex"]),
    "complex tensor": (lambda: torch.ones(N, 2, dtype=torch.complex64), ["complex"]),
    "dataset of tables": (
        lambda: xr.Dataset({"a": ("subject", np.arange(N)), "b": (("subject", "k"), np.eye(N))}),
        ["variable 'b'", "1-D"],
    ),
    "dataset with two dimensions": (
        lambda: xr.Dataset({"a": ("subject", np.arange(N)), "b": ("visit", np.arange(N))}),
        ["variable 'b'", "same dimension"],
    ),
}


@pytest.mark.parametrize("as_variables", [False, True], ids=["table", "variables"])
@pytest.mark.parametrize("case", ONE_MODALITY)
def test_bad_modality(case: str, as_variables: bool) -> None:
    make, says = ONE_MODALITY[case]
    source = Variables(make()) if as_variables else make()
    with pytest.raises(DataError) as caught:
        MultimodalData({"sleep": frame("rem"), "labs": source})
    assert "'labs'" in str(caught.value)
    for words in says:
        assert words in str(caught.value)


@pytest.mark.parametrize("values", [[1, 2], [True, False]])
def test_categories_are_no_variables(values: list[object]) -> None:
    stage = with_column("stage", pd.Categorical(values * 15))
    with pytest.raises(DataError, match=r"'labs'.*column 'stage' holds category.*encode it"):
        MultimodalData({"sleep": frame("rem"), "labs": Variables(stage)})


@pytest.mark.parametrize("name", ["", "  ", 3, None, ("a",)])
def test_name_that_is_no_name(name: object) -> None:
    with pytest.raises(DataError, match="name of a modality must be") as caught:
        MultimodalData({name: frame()})  # type: ignore[dict-item]
    assert repr(name) in str(caught.value)


def test_name_with_a_dot() -> None:
    with pytest.raises(DataError, match=r"'labs\.blood' contains a dot.*'labs_blood'"):
        MultimodalData({"labs.blood": frame()})


def test_no_modality() -> None:
    with pytest.raises(DataError, match="no modality"):
        MultimodalData({})


def test_a_frame_in_place_of_a_dict() -> None:
    with pytest.raises(DataError, match="dict of tables by name, not a DataFrame"):
        MultimodalData(frame())


@pytest.mark.parametrize("align", ["inner", "", None, 1])
def test_unknown_alignment(align: object) -> None:
    with pytest.raises(DataError, match=r"align=.*'exact', 'intersection', 'union'"):
        MultimodalData({"labs": frame()}, align=align)  # type: ignore[arg-type]


def test_different_subjects() -> None:
    with pytest.raises(DataError) as caught:
        MultimodalData({"labs": frame(), "sleep": frame("rem", n=33).iloc[1:]})
    assert "'labs' lacks 3 of 33 (such as 'p30', 'p31', 'p32')" in str(caught.value)
    assert "'sleep' lacks 1 of 33 (such as 'p0')" in str(caught.value)
    assert "align='intersection'" in str(caught.value)
    assert "align='union'" in str(caught.value)


def test_numbered_rows_beside_named_subjects() -> None:
    with pytest.raises(DataError, match="Numbered rather than named rows in 'sleep'"):
        MultimodalData({"labs": frame(), "sleep": frame("rem").reset_index(drop=True)})


def test_no_subject_in_common() -> None:
    other = frame("rem").set_axis([f"q{i}" for i in range(N)], axis=0)
    with pytest.raises(DataError, match=r"no subject is in all.*'labs' lacks 30 of 60"):
        MultimodalData({"labs": frame(), "sleep": other}, align="intersection")


def test_too_few_subjects() -> None:
    assert MultimodalData({"labs": frame(n=20)}).n_subjects == 20
    with pytest.raises(DataError, match="too few subjects: 19, at least 20 are needed"):
        MultimodalData({"labs": frame(n=19)})


def test_too_few_subjects_in_common() -> None:
    with pytest.raises(DataError, match="too few subjects: 10 in all modalities"):
        MultimodalData(
            {"labs": frame(), "sleep": frame("rem", n=50).iloc[20:]}, align="intersection"
        )


@pytest.mark.parametrize("align", ["exact", "intersection", "union"])
def test_arrays_of_different_lengths(align: Any) -> None:
    rng = np.random.default_rng(0)
    arrays = {"labs": rng.normal(size=(N, 2)), "sleep": rng.normal(size=(N + 1, 2))}
    with pytest.raises(DataError, match="'sleep' has 31 rows but 'labs' has 30"):
        MultimodalData(arrays, align=align)


def test_array_of_another_length_than_the_labelled() -> None:
    array = torch.randn(N + 2, 2, generator=torch.Generator().manual_seed(0))
    with pytest.raises(DataError, match="'sleep' has 32 rows but 'labs' has 30"):
        MultimodalData({"sleep": array, "labs": frame()})


def test_array_beside_two_orders_of_subjects() -> None:
    array = np.random.default_rng(0).normal(size=(N, 2))
    with pytest.raises(DataError, match=r"'scan' carries no subject names.*'labs' and 'sleep'"):
        MultimodalData({"labs": frame(), "sleep": frame("rem").iloc[::-1], "scan": array})


def test_unknown_modality() -> None:
    data = MultimodalData({"labs": frame()})
    for ask in (lambda: data["lab"], lambda: data.frame("lab")):
        with pytest.raises(DataError, match="no modality 'lab'; there are 'labs'"):
            ask()


def test_values_of_another_width_cannot_be_unstandardised() -> None:
    data = MultimodalData({"labs": frame()})
    with pytest.raises(DataError, match=r"'labs'.*\(5, 3\).*2 columns"):
        data.unstandardise("labs", np.zeros((5, 3)))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([0, N, N + 1], "rows 30, 31 lie outside 0 to 29"),
        ([-1], "rows -1 lie outside"),
        ([0.5], "float64"),
        ([[0, 1]], "shape (1, 2)"),
        (np.ones(N - 1, dtype=bool), "one bool for each of the 30"),
        (["p1"], "positions of subjects"),
    ],
)
def test_rows_that_are_not_there(rows: Any, says: str) -> None:
    with pytest.raises(DataError) as caught:
        MultimodalData({"labs": frame()}).select(rows)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ({"labs": frame()}, "the new data lacks the modalities 'sleep'"),
        (
            {"labs": frame(), "sleep": frame("rem"), "scan": frame()},
            "the new data has the modalities 'scan'",
        ),
        ({"labs": frame("iron"), "sleep": frame("rem")}, "'labs' lacks the columns 'zinc'"),
        (
            {"labs": frame("iron", "zinc", "lead"), "sleep": frame("rem")},
            "'labs' has the columns 'lead'",
        ),
        ({"labs": frame().to_numpy(), "sleep": frame("rem")}, "lacks the columns 'iron', 'zinc'"),
        ({"labs": with_cell(np.inf), "sleep": frame("rem")}, "infinite values in column 'zinc'"),
        ({"labs": with_cell(1e300), "sleep": frame("rem")}, "'labs': values too far"),
        ({"labs": frame(n=31), "sleep": frame("rem")}, "'sleep' lacks 1 of 31 (such as 'p30')"),
        ({}, "no modality"),
        (frame(), "not a DataFrame"),
    ],
)
def test_new_subjects_that_do_not_fit(new: Any, says: str) -> None:
    data = MultimodalData({"labs": frame(), "sleep": frame("rem")})
    with pytest.raises(DataError) as caught:
        data.like(new)
    assert says in str(caught.value)


def test_modalities_that_do_not_fit_together() -> None:
    data = MultimodalData({"labs": frame()})
    with pytest.raises(DataError, match="'labs' has 30 rows for 29 subjects"):
        MultimodalData.from_modalities(list(data), data.subjects[:29])
    with pytest.raises(DataError, match="two modalities are called 'labs'"):
        MultimodalData.from_modalities([data["labs"], data["labs"]], data.subjects)
    with pytest.raises(DataError, match="no modality"):
        MultimodalData.from_modalities([], data.subjects)


def test_one_class_catches_them_all() -> None:
    with pytest.raises(PyrocrlError):
        MultimodalData({})
    with pytest.raises(ValueError, match="no modality"):
        MultimodalData({})
