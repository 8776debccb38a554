"""Tables whose columns have likelihoods of their own: read, aligned, stored and given back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import pyrocrl as crl
from pyrocrl.data import MixedModality, Modality, TableModality, modality_from_json
from pyrocrl.data.sources import read
from pyrocrl.errors import DataError, ModelError

N = 40


@pytest.fixture
def person() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(50, 9, N),
            "smoker": rng.random(N) < 0.4,
            "stage": pd.Categorical(rng.choice(["I", "II", "III"], N), ordered=True),
            "blood": pd.Categorical(rng.choice(["A", "B", "0"], N)),
            "visits": rng.poisson(3, N),
            "dose": np.exp(rng.normal(size=N)),
        },
        index=[f"p{k}" for k in range(N)],
    )
    frame.loc["p3", ["age", "stage", "blood", "dose"]] = np.nan
    return frame


ASKED = {"visits": "negative binomial", "dose": "log-normal"}


@pytest.fixture
def data(person: pd.DataFrame) -> crl.MultimodalData:
    other = pd.DataFrame({"rem": np.arange(N) % 7}, index=person.index)
    return crl.MultimodalData({"person": crl.Table(person, ASKED), "sleep": other})


def kinds(modality: Modality) -> list[str]:
    assert isinstance(modality, MixedModality)
    return [own.name for own in modality.likelihoods]


def test_dtypes_choose(person: pd.DataFrame) -> None:
    modality = read("person", person).modality()
    expected = ["gaussian", "bernoulli", "ordinal", "categorical", "gaussian", "gaussian"]
    assert kinds(modality) == expected


@pytest.mark.parametrize(
    "source",
    [
        np.arange(N)[:, None] % 3 > 0,
        torch.arange(N) % 3 > 0,
        pd.DataFrame({"x": pd.array(np.arange(N) % 3 > 0, dtype="boolean")}),
        pd.Series(np.arange(N) % 3 > 0),
    ],
)
def test_bool_of_any_kind_is_bernoulli(source: Any) -> None:
    assert kinds(read("ill", source).modality()) == ["bernoulli"]


def test_numbers_alone_are_the_plain_table(person: pd.DataFrame) -> None:
    numbers = person[["age", "dose"]]
    for source in (numbers, crl.Table(numbers), crl.Table(person, "gaussian").frame[["age"]]):
        assert isinstance(read("person", source).modality(), TableModality)


def test_one_name_is_for_all_columns(person: pd.DataFrame) -> None:
    modality = read("x", crl.Table(person[["age", "dose"]], "student t")).modality()
    assert kinds(modality) == ["student t", "student t"]


def test_the_frame_comes_back(data: crl.MultimodalData, person: pd.DataFrame) -> None:
    modality, back = data["person"], data.frame("person")
    for column in ("age", "visits", "dose"):
        np.testing.assert_allclose(back[column], person[column].astype(float), rtol=1e-5)
    for column in ("stage", "blood"):
        assert back[column].astype(object).equals(person[column].astype(object))
    assert back["stage"].dtype.ordered
    assert modality.missing == pytest.approx(4 / (6 * N))


def test_new_subjects_are_read_as_the_fitted_ones(
    data: crl.MultimodalData, person: pd.DataFrame
) -> None:
    few = person.iloc[5:9][list(reversed(person.columns))]
    few["blood"] = few["blood"].cat.remove_unused_categories()
    new = data.like({"person": few, "sleep": pd.DataFrame({"rem": range(4)}, few.index)})
    torch.testing.assert_close(new["person"].cells().values, data["person"].cells().values[5:9])


def test_a_plain_table_of_numbers_is_read_as_the_fitted_one(person: pd.DataFrame) -> None:
    numbers = person[["age", "visits", "dose", "smoker"]].astype(float)
    asked = {**ASKED, "smoker": "bernoulli"}
    data = crl.MultimodalData({"person": crl.Table(numbers, asked), "sleep": numbers})
    few = numbers.iloc[4:8]
    new = data.like({"person": few, "sleep": few})["person"].cells().values
    torch.testing.assert_close(new, data["person"].cells().values[4:8])


def test_bool_that_was_fitted_as_a_number(person: pd.DataFrame) -> None:
    both = person[["age", "smoker"]]
    data = crl.MultimodalData({"person": crl.Table(both, "gaussian"), "sleep": both[["age"]]})
    few = both.iloc[4:8]
    new = data.like({"person": few, "sleep": few[["age"]]})["person"].cells().values
    torch.testing.assert_close(new, data["person"].cells().values[4:8])
    few = few.assign(age=pd.Categorical(["a", "b", "a", "b"]))
    with pytest.raises(DataError, match="'person': columns 'age' hold categories, and were"):
        data.like({"person": few, "sleep": both.iloc[4:8][["age"]]})


def test_a_subject_without_the_table(person: pd.DataFrame) -> None:
    other = pd.DataFrame({"rem": np.arange(N + 2) % 7}, index=[f"p{k}" for k in range(N + 2)])
    data = crl.MultimodalData({"sleep": other, "person": person}, align="union")
    assert data["person"].present.tolist() == [True] * N + [False] * 2


def test_json_keeps_columns_levels_and_units(data: crl.MultimodalData) -> None:
    person = data["person"]
    back = modality_from_json({"name": "person", "kind": person.kind, **person.to_json()})
    assert isinstance(back, MixedModality)
    assert isinstance(person, MixedModality)
    assert back.likelihoods == person.likelihoods
    assert len(back) == 0


def test_features_have_names_that_a_reader_knows(data: crl.MultimodalData) -> None:
    features = data["person"].features()
    assert {"age", "stage", "blood=A", "blood=0", "visits"} <= set(features.names)
    assert features.values.shape == features.observed.shape == (N, len(features.names))


@pytest.mark.parametrize(
    ("change", "asked", "says"),
    [
        ({}, {"weight": "poisson"}, "columns 'weight' that are not there"),
        ({"visits": -1}, {"visits": "poisson"}, "column 'visits' holds -1, a negative"),
        ({"dose": 0.5}, {"dose": "poisson"}, "column 'dose' holds 0.5, not a whole"),
        ({"dose": 0.0}, {"dose": "log-normal"}, "column 'dose' holds 0, and"),
        ({}, {"age": "bernoulli"}, "column 'age' holds"),
        ({"job": "nurse"}, None, "column 'job'.*astype.'category'"),
        ({"smoker": True}, None, "constant values in column 'smoker'"),
    ],
)
def test_what_cannot_be_used(
    person: pd.DataFrame, change: dict[str, Any], asked: Any, says: str
) -> None:
    with pytest.raises(DataError, match=rf"'person'.*{says}"):
        read("person", crl.Table(person.assign(**change), asked)).modality()


def test_an_unknown_likelihood(person: pd.DataFrame) -> None:
    with pytest.raises(ModelError, match="not 'normal'"):
        read("person", crl.Table(person, {"age": "normal"}))


def test_new_subjects_with_new_levels(data: crl.MultimodalData, person: pd.DataFrame) -> None:
    few = person.iloc[:4].assign(blood=pd.Categorical(["A", "AB", "A", "0"]))
    with pytest.raises(DataError, match="'person': column 'blood' holds levels 'AB'"):
        data.like({"person": few, "sleep": pd.DataFrame({"rem": range(4)}, few.index)})


def test_numbers_where_there_were_levels(data: crl.MultimodalData, person: pd.DataFrame) -> None:
    few = person.iloc[:4].assign(blood=[1.0, 2.0, 1.0, 2.0])
    with pytest.raises(DataError, match="'person': column 'blood' holds levels 1.0, 2.0"):
        data.like({"person": few, "sleep": pd.DataFrame({"rem": range(4)}, few.index)})
