"""MuData and AnnData: in, and out with what was found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import sparse

import pyrocrl as crl
from pyrocrl.errors import DataError

# anndata and zarr warn of their own future as they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

N = 40


@pytest.fixture(scope="module")
def mdata() -> Any:
    """Genes of all cells, proteins of all but ten."""
    mudata, anndata = pytest.importorskip("mudata"), pytest.importorskip("anndata")
    rng = np.random.default_rng(0)
    cells = pd.DataFrame({"age": rng.normal(size=N)}, [f"c{k}" for k in range(N)])
    counts = rng.poisson(4.0, (N, 3))
    rna = anndata.AnnData(
        sparse.csr_matrix(np.log1p(counts)), cells.copy(), pd.DataFrame(index=["a", "b", "c"])
    )
    rna.layers["counts"] = sparse.csr_matrix(counts)
    prot = anndata.AnnData(
        rng.normal(size=(N - 10, 2)),
        pd.DataFrame(index=cells.index[10:]),
        pd.DataFrame(index=["p", "q"]),
    )
    made = mudata.MuData({"rna": rna, "prot": prot})
    made.obs["age"] = cells["age"]
    return made


@pytest.fixture(scope="module")
def data(mdata: Any) -> crl.MultimodalData:
    return crl.MultimodalData.from_mudata(
        mdata, counts=["rna"], layers={"rna": "counts"}, variables={"donor": ["age"]}
    )


class Found:
    """What a fit would have found."""

    names = ("donor.age", "rna.z1", "rna.z2", "prot.z1")

    def latents(self, data: Any = None) -> xr.DataArray:
        values = np.arange(3.0 * data.n_subjects).reshape(-1, 3)
        coords = {"subject": data.subjects.to_numpy(), "latent": list(self.names[1:])}
        return xr.DataArray(values, coords=coords, dims=list(coords))

    def edge_table(self) -> pd.DataFrame:
        return pd.DataFrame({"parent": ["rna.z1"], "child": ["prot.z1"], "probability": [0.9]})

    def edge_probabilities(self) -> pd.DataFrame:
        return pd.DataFrame(np.eye(4), list(self.names), list(self.names))


def test_mudata_in(mdata: Any, data: crl.MultimodalData) -> None:
    assert data.names == ("donor", "rna", "prot")
    assert [modality.kind for modality in data] == ["variables", "counts", "table"]
    np.testing.assert_array_equal(data["rna"].measured(), mdata["rna"].layers["counts"].toarray())
    np.testing.assert_allclose(data["prot"].measured()[10:], mdata["prot"].X, rtol=1e-5)
    assert data["prot"].present.tolist() == [False] * 10 + [True] * (N - 10)


def test_anndata_in() -> None:
    anndata = pytest.importorskip("anndata")
    rng = np.random.default_rng(0)
    kinds = ["Gene Expression", "Gene Expression", "Antibody Capture"]
    adata = anndata.AnnData(
        rng.poisson(4.0, (N, 3)).astype(float),
        pd.DataFrame(index=[f"c{k}" for k in range(N)]),
        pd.DataFrame({"feature_types": kinds}, ["a", "b", "p"]),
    )
    data = crl.MultimodalData.from_anndata(adata, counts=["Gene Expression"])
    assert [modality.described for modality in data] == ["counts in 2 columns", "1 column"]
    with pytest.raises(DataError, match="modality: 'kind' not found; there are 'feature_types'"):
        crl.MultimodalData.from_anndata(adata, "kind")


def test_mudata_out_and_in_again(mdata: Any, data: crl.MultimodalData, tmp_path: Any) -> None:
    import mudata

    data.to_mudata(Found()).write(tmp_path / "found.h5mu")
    read = mudata.read(tmp_path / "found.h5mu")
    assert list(read.mod) == ["rna", "prot"]
    assert read["prot"].n_obs == N - 10
    latents = Found().latents(data).to_pandas()
    pd.testing.assert_frame_equal(
        read.obsm["X_pyrocrl"].loc[data.subjects],
        latents,
        check_names=False,
        check_index_type=False,
    )
    assert list(read["rna"].obsm["X_pyrocrl"]) == ["rna.z1", "rna.z2"]
    assert len(read["prot"].obsm["X_pyrocrl"]) == N - 10
    assert list(read.uns["pyrocrl"]["nodes"]) == list(Found.names)
    assert read.uns["pyrocrl"]["edges"]["probability"].tolist() == [0.9]
    np.testing.assert_allclose(
        read.obs.loc[data.subjects, "donor.age"], mdata.obs["age"], rtol=1e-5
    )


def test_found_is_written_into_the_mudata_that_was_read(
    mdata: Any, data: crl.MultimodalData
) -> None:
    own = mdata.copy()
    assert data.to_mudata(Found(), into=own) is own
    assert own.obsm["X_pyrocrl"].shape == (N, 3)
    with pytest.raises(DataError, match="other subjects"):
        data.select(range(25)).to_mudata(Found(), into=own)


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"counts": ["atac"]}, "counts: 'atac' not found; there are 'rna', 'prot'"),
        ({"layers": {"rna": "raw"}}, "layers of 'rna': 'raw' not found"),
        ({"variables": {"donor": ["sex"]}}, "variables of 'donor': 'sex' not found"),
    ],
)
def test_names_that_are_not_there(mdata: Any, keywords: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        crl.MultimodalData.from_mudata(mdata, **keywords)


def test_what_is_no_container() -> None:
    with pytest.raises(DataError, match=r"takes a mudata.MuData, not a DataFrame"):
        crl.MultimodalData.from_mudata(pd.DataFrame())
    with pytest.raises(DataError, match=r"takes an anndata.AnnData, not a dict"):
        crl.MultimodalData.from_anndata({})


def test_without_mudata(small_data: crl.MultimodalData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "anndata", None)
    with pytest.raises(DataError, match=r"pip install 'pyrocrl\[scverse\]'"):
        small_data.to_mudata()
