"""From and to MuData and AnnData, the containers of scverse (mudata and anndata are extras)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from pyrocrl.data.counts import Counts
from pyrocrl.data.modality import Readable
from pyrocrl.data.table import Table
from pyrocrl.data.tables import Variables
from pyrocrl.errors import DataError, listing

if TYPE_CHECKING:
    import xarray

    from pyrocrl.data.multimodal import MultimodalData

__all__ = ["KEY", "Found", "of_anndata", "of_mudata", "to_mudata"]

KEY = "X_pyrocrl"
_UNS = "pyrocrl"


class Found(Protocol):
    """What of a posterior is written into a container."""

    def latents(self, data: Any = None) -> xarray.DataArray:
        """(subject, latent)."""

    def edge_table(self) -> pd.DataFrame:
        """One row per edge."""

    def edge_probabilities(self) -> pd.DataFrame:
        """Rows children, columns parents."""


def of_mudata(
    mdata: Any,
    counts: Collection[str] = (),
    layers: Mapping[str, str] | None = None,
    variables: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Readable]:
    """The modalities of a MuData, to be given to `MultimodalData`.

    Args:
        mdata: a `mudata.MuData`.
        counts: names of the modalities that hold counts.
        layers: per modality the layer that is taken in place of X.
        variables: groups of causal variables: columns of `mdata.obs` by name of the group.

    Raises:
        DataError: a name is not there.
    """
    modalities = getattr(mdata, "mod", None)
    if not isinstance(modalities, Mapping):
        raise DataError(f"from_mudata takes a mudata.MuData, not a {type(mdata).__name__}")
    layers = dict(layers or {})
    _check_known("counts", counts, modalities)
    _check_known("layers", layers, modalities)
    read: dict[str, Readable] = dict(_variables(mdata.obs, variables or {}))
    for name, own in modalities.items():
        read[name] = _matrix(_layer(own, name, layers.get(name)), own, name in counts)
    return read


def of_anndata(
    adata: Any,
    modality: str,
    counts: Collection[str] = (),
    layer: str | None = None,
    variables: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Readable]:
    """The modalities of an AnnData whose columns are of several, to be given to `MultimodalData`.

    Args:
        adata: an `anndata.AnnData`.
        modality: the column of `adata.var` that says of which modality each column is, such as
            "feature_types".
        counts: names of the modalities that hold counts.
        layer: taken in place of X.
        variables: groups of causal variables: columns of `adata.obs` by name of the group.

    Raises:
        DataError: a name is not there.
    """
    if not hasattr(adata, "var") or not hasattr(adata, "obs"):
        raise DataError(f"from_anndata takes an anndata.AnnData, not a {type(adata).__name__}")
    _check_known("modality", [modality], adata.var)
    named = adata.var[modality].astype(str)
    _check_known("counts", counts, set(named))
    matrix = _layer(adata, "the AnnData", layer)
    read: dict[str, Readable] = dict(_variables(adata.obs, variables or {}))
    for name in dict.fromkeys(named):
        where = np.flatnonzero(named == name)
        read[name] = _matrix(matrix[:, where], adata[:, where], name in counts)
    return read


def to_mudata(data: MultimodalData, posterior: Found | None = None, into: Any = None) -> Any:
    """Measurements, and what was found in them, as a MuData.

    A table becomes an AnnData of the subjects who have it, in the units of the data; variables
    become columns of `obs`, with the name of their group before a dot. Modalities that are no
    tables hold no X. Latents go to `obsm["X_pyrocrl"]`, of all subjects and of each modality its
    own; names, edges and their probabilities to `uns["pyrocrl"]`.

    Args:
        data: the measurements.
        posterior: what was found; None writes measurements alone.
        into: a MuData of the same subjects that is written into in place of a new one.

    Returns:
        The MuData.

    Raises:
        DataError: mudata is not installed, or `into` has other subjects.
    """
    made = _new(data) if into is None else into
    names = data.subjects.astype(str)
    if set(made.obs_names) != set(names):
        raise DataError("into: the MuData has other subjects than the data")
    if posterior is None:
        return made
    latents = posterior.latents(data).to_pandas().set_axis(names, axis=0)
    made.obsm[KEY] = latents.loc[made.obs_names]
    for name, own in made.mod.items():
        columns = [c for c in latents if str(c).rpartition(".")[0] == name]
        if columns:
            own.obsm[KEY] = latents.loc[own.obs_names, columns]
    probabilities = posterior.edge_probabilities()
    made.uns[_UNS] = {
        "nodes": np.array(probabilities.index, dtype=object),
        "edge_probabilities": probabilities.to_numpy(),
        "edges": posterior.edge_table().rename(index=str),
    }
    return made


def _new(data: MultimodalData) -> Any:
    try:
        from anndata import AnnData
        from mudata import MuData
    except ImportError:
        raise DataError("MuData needs mudata and anndata: pip install 'pyrocrl[scverse]'") from None
    names = data.subjects.astype(str)
    modalities, variables = {}, {}
    for modality in data:
        if modality.is_variables:
            columns = modality.coordinates()["column"]
            for column, values in zip(columns, modality.measured().T, strict=True):
                variables[f"{modality.name}.{column}"] = values
            continue
        there = modality.present.cpu().numpy()
        obs = pd.DataFrame(index=names[there])
        if len(modality.shape) == 1:
            var = pd.DataFrame(index=[str(c) for c in modality.coordinates()["column"]])
            modalities[modality.name] = AnnData(modality.measured()[there], obs=obs, var=var)
        else:
            modalities[modality.name] = AnnData(obs=obs)
    made = MuData(modalities)
    obs = pd.DataFrame(variables, index=names).loc[made.obs_names]
    for column in obs:
        made.obs[column] = obs[column]
    return made


def _variables(
    obs: pd.DataFrame, groups: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, Readable]]:
    for name, columns in groups.items():
        _check_known(f"variables of {name!r}", columns, obs)
        yield name, Variables(obs[list(columns)])


def _layer(own: Any, name: str, layer: str | None) -> Any:
    if layer is None:
        return own.X
    _check_known(f"layers of {name!r}", [layer], own.layers)
    return own.layers[layer]


def _matrix(matrix: Any, own: Any, is_counts: bool) -> Readable:
    dense = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
    frame = pd.DataFrame(dense, index=own.obs_names, columns=own.var_names)
    return Counts(frame) if is_counts else Table(frame)


def _check_known(argument: str, names: Collection[str], known: Collection[Any]) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise DataError(f"{argument}: {listing(unknown)} not found; there are {listing(known)}")
