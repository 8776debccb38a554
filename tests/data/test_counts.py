"""Counts with a library size: read, aligned, stored and given back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

import pyrocrl as crl
from pyrocrl.data import CountsModality, modality_from_json
from pyrocrl.data.sources import read
from pyrocrl.errors import DataError

N = 30


@pytest.fixture
def genes() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size = np.exp(0.5 * rng.normal(size=(N, 1)))
    return pd.DataFrame(
        rng.poisson(size * [2.0, 30.0, 0.5]), [f"c{k}" for k in range(N)], ["a", "b", "c"]
    )


def counts(source: Any, **keywords: Any) -> CountsModality:
    modality = read("rna", crl.Counts(source, **keywords)).modality()
    assert isinstance(modality, CountsModality)
    return modality


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array, np.asarray, pd.DataFrame])
def test_dense_and_sparse_are_read_alike(genes: pd.DataFrame, form: Any) -> None:
    read_back = counts(form(genes.to_numpy()))
    torch.testing.assert_close(read_back.cells().values, counts(genes).cells().values)


def test_the_library_is_given_and_says_how_much_was_counted(genes: pd.DataFrame) -> None:
    cells = counts(genes).cells()
    total = genes.sum(axis=1).to_numpy()
    np.testing.assert_allclose(cells.given[:, 0].exp(), total / np.median(total), rtol=1e-5)
    known = counts(genes, library=total * 10)
    torch.testing.assert_close(known.cells().given, cells.given)


def test_what_a_reader_sees_does_not_depend_on_the_library() -> None:
    shares = np.tile([[10, 20, 70], [30, 30, 40]], (15, 1))
    deep = np.where(np.arange(N)[:, None] < 10, 8, 1)
    features = counts(shares * deep, library=100 * deep[:, 0]).features().values
    np.testing.assert_allclose(features[0], features[20], atol=1e-5)


def test_a_subject_without_counts(genes: pd.DataFrame) -> None:
    other = pd.DataFrame({"x": np.arange(N + 1.0)}, [f"c{k}" for k in range(N + 1)])
    data = crl.MultimodalData({"rna": crl.Counts(genes), "other": other}, align="union")
    cells = data["rna"].cells()
    assert cells.present.tolist() == [True] * N + [False]
    assert bool(torch.isfinite(cells.given).all())


def test_new_subjects_and_stored_ones_have_the_fitted_units(genes: pd.DataFrame) -> None:
    rna = counts(genes)
    data = crl.MultimodalData({"rna": crl.Counts(genes), "other": genes})
    few = genes.iloc[[4, 2], ::-1]
    new = data.like({"rna": crl.Counts(few, library=few.sum(axis=1)), "other": few})
    torch.testing.assert_close(new["rna"].cells().values, rna.cells().values[[4, 2]])
    torch.testing.assert_close(new["rna"].cells().given, rna.cells().given[[4, 2]])
    again = data.like(data)
    torch.testing.assert_close(again["rna"].cells().given, rna.cells().given)
    stored = modality_from_json({"name": "rna", "kind": rna.kind, **rna.to_json()})
    assert stored.to_json() == rna.to_json()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"a": 1.5}, "column 'a' holds 1.5, not a whole number"),
        ({"b": -2}, "column 'b' holds -2, a negative number"),
        ({"c": 0}, "constant values in column 'c'"),
        ({"a": "x"}, "column 'a'"),
    ],
)
def test_what_is_no_count(genes: pd.DataFrame, change: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=f"'rna'.*{says}"):
        counts(genes.assign(**change))


def test_a_library_that_does_not_fit(genes: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"'rna': library has shape \(3,\), but there are 30 rows"):
        counts(genes, library=[1, 2, 3])
    with pytest.raises(DataError, match="'rna': a subject with counts has a library size"):
        counts(genes, library=np.zeros(N))


def test_a_table_where_counts_were(genes: pd.DataFrame) -> None:
    data = crl.MultimodalData({"rna": crl.Counts(genes), "other": genes})
    with pytest.raises(DataError, match="'rna' was counts, and is a table now; give it as it"):
        data.like({"rna": genes, "other": genes})


def test_counts_where_a_table_was(genes: pd.DataFrame) -> None:
    data = crl.MultimodalData({"rna": genes, "other": genes})
    with pytest.raises(DataError, match="'rna' was a table, and is counts now"):
        data.like({"rna": crl.Counts(genes), "other": genes})
