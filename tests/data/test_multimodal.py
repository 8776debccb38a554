"""What goes into MultimodalData comes out again, for these subjects and for new ones."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pyrocrl.data import Image, MultimodalData, Series, Variables
from pyrocrl.data.tables import TableLike
from pyrocrl.errors import DataError

CELLS = st.floats(-1e3, 1e3, width=32) | st.just(np.nan)


@st.composite
def frames(draw: st.DrawFn, n_subjects: int = 22) -> pd.DataFrame:
    """A frame with gaps, in any unit, whose columns are neither constant nor empty."""
    width = draw(st.integers(1, 3))
    values: np.ndarray = draw(arrays(np.float64, (n_subjects, width), elements=CELLS))
    values[:2] = [[-1.0], [1.0]]
    values = (values + draw(st.floats(-1e3, 1e3))) * 10.0 ** draw(st.integers(-9, 9))
    subjects = [f"p{i}" for i in range(n_subjects)]
    return pd.DataFrame(values, index=subjects, columns=[f"c{i}" for i in range(width)])


def cohort(n: int = 30, seed: int = 0) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    subjects = [f"p{seed}-{i}" for i in range(n)]
    labs = pd.DataFrame(rng.normal(90, 12, (n, 2)), index=subjects, columns=["iron", "zinc"])
    sleep = pd.DataFrame({"rem": rng.gamma(2.0, 30.0, n)}, index=subjects)
    labs.iloc[0, 0] = np.nan
    return {"labs": labs, "sleep": sleep}


def assert_frames_close(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Equal to the precision of float32, relative to the spread of each column."""
    assert found.index.equals(expected.index)
    assert list(found.columns) == list(expected.columns)
    center, spread = expected.mean(), expected.std(ddof=0)
    np.testing.assert_allclose(
        (found - center) / spread, (expected - center) / spread, rtol=1e-6, atol=1e-8
    )


@given(frames(), frames())
def test_frames_come_back(labs: pd.DataFrame, person: pd.DataFrame) -> None:
    data = MultimodalData({"labs": labs, "person": Variables(person)})
    assert_frames_close(data.frame("labs"), labs)
    assert_frames_close(data.frame("person"), person)


@given(frames(), frames(), st.permutations(range(22)))
def test_order_of_rows_does_not_matter(
    labs: pd.DataFrame, sleep: pd.DataFrame, order: list[int]
) -> None:
    straight = MultimodalData({"labs": labs, "sleep": sleep})
    permuted = MultimodalData({"labs": labs, "sleep": sleep.iloc[order]})
    pd.testing.assert_frame_equal(permuted.frame("sleep"), straight.frame("sleep"))
    assert torch.equal(permuted.table("sleep").observed, straight.table("sleep").observed)


@given(frames(), st.lists(st.integers(0, 21)))
def test_select_keeps_values_and_standardisation(labs: pd.DataFrame, rows: list[int]) -> None:
    data = MultimodalData({"labs": labs})
    some = data.select(rows)
    assert some.n_subjects == len(rows)
    pd.testing.assert_frame_equal(some.frame("labs"), data.frame("labs").iloc[rows])
    assert torch.equal(some.table("labs").values, data.table("labs").values[rows])
    np.testing.assert_array_equal(some.table("labs").std, data.table("labs").std)


@given(frames(), frames(n_subjects=3))
def test_new_subjects_are_standardised_as_the_old(old: pd.DataFrame, new: pd.DataFrame) -> None:
    new = new.reindex(columns=old.columns[::-1])
    data = MultimodalData({"labs": old})
    like = data.like({"labs": new})
    mean, std = old.mean().to_numpy(), old.std(ddof=0).to_numpy()
    expected = (new[old.columns].to_numpy() - mean) / std
    assert like.table("labs").columns == data.table("labs").columns
    observed = like.table("labs").observed.numpy()
    np.testing.assert_array_equal(observed, ~np.isnan(expected))
    np.testing.assert_allclose(
        like.table("labs").values.numpy(), np.where(observed, expected, 0.0), rtol=1e-5, atol=1e-6
    )


def test_the_same_subjects_again_are_the_same() -> None:
    data = MultimodalData(cohort())
    for again in (data.like(cohort()), data.like(data)):
        for name in data.names:
            assert torch.allclose(again[name].cells().values, data[name].cells().values, atol=1e-6)
            assert torch.equal(again[name].cells().observed, data[name].cells().observed)
        assert again.subjects.equals(data.subjects)


def test_like_takes_other_data_even_with_repeated_subjects() -> None:
    data, other = MultimodalData(cohort()), MultimodalData(cohort(seed=1))
    like = data.like(other.select([3, 3, 5]))
    assert like.subjects.tolist() == ["p1-3", "p1-3", "p1-5"]
    assert_frames_close(like.frame("labs"), other.frame("labs").iloc[[3, 3, 5]])
    np.testing.assert_array_equal(like.table("labs").mean, data.table("labs").mean)


def test_like_keeps_the_order_and_the_kind_of_modalities() -> None:
    first, new = cohort(), cohort(n=2, seed=1)
    data = MultimodalData({"labs": first["labs"], "sleep": Variables(first["sleep"])})
    like = data.like({"sleep": new["sleep"], "labs": new["labs"].iloc[::-1]})
    assert like.names == ("labs", "sleep")
    assert like["sleep"].is_variables
    assert like.subjects.tolist() == ["p1-1", "p1-0"]
    assert_frames_close(like.frame("sleep"), new["sleep"].iloc[::-1])


def test_like_aligns_as_the_data_was() -> None:
    union = MultimodalData(cohort(), align="union").select([])
    new = cohort(n=3, seed=1)
    like = union.like({"labs": new["labs"], "sleep": new["sleep"].iloc[1:]})
    assert like.n_subjects == 3
    assert like.table("sleep").observed.ravel().tolist() == [False, True, True]


def test_a_constant_or_missing_column_of_new_subjects_is_fine() -> None:
    new = cohort(n=2, seed=1)
    new["labs"]["iron"], new["labs"]["zinc"] = 90.0, np.nan
    like = MultimodalData(cohort()).like(new)
    assert like.table("labs").observed.tolist() == [[True, False]] * 2
    assert like.frame("labs")["iron"].tolist() == pytest.approx([90.0, 90.0])


def test_a_subject_may_lack_a_modality() -> None:
    tables = cohort()
    tables["sleep"] = tables["sleep"].iloc[5:]
    data = MultimodalData(tables, align="union")
    assert data.n_subjects == 30
    assert (~data.table("sleep").observed[:, 0]).nonzero().ravel().tolist() == [0, 1, 2, 3, 4]
    assert MultimodalData(tables, align="intersection").n_subjects == 25


def test_container() -> None:
    tables = cohort()
    data = MultimodalData({"sleep": tables["sleep"], "labs": Variables(tables["labs"])})
    assert data.names == ("sleep", "labs") == tuple(modality.name for modality in data)
    assert len(data) == data.n_subjects == 30
    assert "labs" in data
    assert "scan" not in data
    labs = data["labs"]
    assert (labs.width, labs.kind, labs.has_missing) == (2, "variables", True)
    assert (data["sleep"].kind, data["sleep"].has_missing) == ("table", False)


@pytest.mark.parametrize(
    "source",
    [
        np.arange(20),
        torch.arange(20, dtype=torch.float64),
        pd.Series(range(20), dtype="Int64"),
        xr.DataArray(np.arange(20.0)[:, None], dims=("subject", "column")),
        xr.Dataset({"x1": ("subject", np.arange(20))}),
    ],
    ids=lambda source: type(source).__name__,
)
def test_every_kind_of_input_gives_the_same_data(source: TableLike) -> None:
    data = MultimodalData({"labs": source})
    expected = (np.arange(20) - 9.5) / np.sqrt((20**2 - 1) / 12)
    np.testing.assert_allclose(data.table("labs").values[:, 0].numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(
        data.frame("labs")[["x1"]].to_numpy()[:, 0], np.arange(20), atol=1e-5
    )


def test_bool_is_0_or_1() -> None:
    data = MultimodalData({"person": Variables(pd.DataFrame({"ill": [True, False] * 10}))})
    assert data.frame("person")["ill"].tolist() == [1.0, 0.0] * 10


def test_select_by_bool_and_by_tensor() -> None:
    data = MultimodalData(cohort())
    mask = np.arange(30) % 7 == 0
    rows = torch.tensor([0, 7, 14, 21, 28])
    assert data.select(mask).subjects.equals(data.select(rows).subjects)
    assert data.select(torch.from_numpy(mask)).subjects.equals(data.subjects[mask])


@pytest.mark.parametrize("leading", [(), (4,), (3, 4)])
def test_unstandardise_any_leading_dimensions(leading: tuple[int, ...]) -> None:
    data = MultimodalData(cohort())
    ones = np.ones((*leading, 2))
    expected = np.broadcast_to(data.table("labs").mean + data.table("labs").std, ones.shape)
    np.testing.assert_allclose(data.unstandardise("labs", ones), expected)
    np.testing.assert_allclose(data.unstandardise("labs", torch.from_numpy(ones)), expected)


def test_summary() -> None:
    data = MultimodalData({"labs": cohort()["labs"], "sleep": Variables(cohort()["sleep"])})
    summary = data.summary()
    assert summary.columns.tolist() == ["modality", "kind", "columns", "missing"]
    assert summary.iloc[0].tolist() == ["labs", "table", 2, pytest.approx(1 / 60)]
    assert summary.iloc[1].tolist() == ["sleep", "variables", 1, 0.0]
    assert data.select([]).summary()["missing"].tolist() == [0.0, 0.0]


def test_shows_itself() -> None:
    data = MultimodalData({"<labs>": cohort()["labs"], "sleep": Variables(cohort()["sleep"])})
    assert repr(data) == "MultimodalData(30 subjects: <labs> (2 columns), sleep (1 variable))"
    html = data._repr_html_()
    assert "30 subjects" in html
    assert "&lt;labs&gt;" in html
    assert "<labs>" not in html
    assert "1.7%" in html


def test_to_another_device() -> None:
    moved = MultimodalData(cohort()).to("meta")
    for modality in moved:
        cells = modality.cells()
        assert {own.device.type for own in (cells.values, cells.observed, cells.given)} == {"meta"}


def test_put_together_from_its_parts() -> None:
    data = MultimodalData(cohort())
    for again in (
        MultimodalData.from_modalities(list(data), data.subjects),
        copy.deepcopy(data),
        pickle.loads(pickle.dumps(data)),
    ):
        assert again.names == data.names
        pd.testing.assert_frame_equal(again.frame("labs"), data.frame("labs"))


def test_the_caller_keeps_tables_and_random_state() -> None:
    tables = cohort()
    before, state = copy.deepcopy(tables), torch.get_rng_state()
    data = MultimodalData(tables)
    data.table("labs").values.zero_()
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[name])
    assert torch.equal(torch.get_rng_state(), state)


def test_some_subjects_can_be_made_to_lack_a_modality() -> None:
    rng = np.random.default_rng(3)
    subjects = [f"p{i}" for i in range(24)]
    data = MultimodalData(
        {
            "person": Variables(pd.DataFrame({"age": rng.normal(size=24)}, index=subjects)),
            "labs": pd.DataFrame(rng.normal(90, 12, (24, 2)), index=subjects),
            "days": Series(rng.normal(size=(24, 5)), subjects=subjects),
            "scan": Image(rng.random((24, 1, 8, 8)), subjects=subjects),
        }
    )
    for name in ("labs", "days", "scan"):
        lacking = data.without(name, [1, 4])
        assert lacking.subjects.equals(data.subjects)
        assert lacking.names == data.names
        assert np.flatnonzero(~lacking[name].present.numpy()).tolist() == [1, 4]
        kept = [k for k in range(24) if k not in (1, 4)]
        for own in data:
            before, after = own.measured(), lacking[own.name].measured()
            np.testing.assert_allclose(after[kept], before[kept], rtol=1e-5)
            if own.name != name:
                np.testing.assert_array_equal(after, before)
    by_mask = data.without("labs", np.arange(24) == 4)
    assert np.flatnonzero(~by_mask["labs"].present.numpy()).tolist() == [4]
    with pytest.raises(DataError, match="no modality 'blood'"):
        data.without("blood", [0])
    with pytest.raises(DataError, match="outside 0 to 23"):
        data.without("labs", [24])
