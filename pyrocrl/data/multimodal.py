"""Several kinds of measurements of the same subjects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import torch

from pyrocrl.data.alignment import Alignment, aligned, check_alignment
from pyrocrl.data.batch import Batch
from pyrocrl.data.columnar import ColumnarModality
from pyrocrl.data.columns import check_same
from pyrocrl.data.modality import Modality, Reading
from pyrocrl.data.scverse import Found, of_anndata, of_mudata, to_mudata
from pyrocrl.data.sources import Source, read
from pyrocrl.data.tabular import TableModality
from pyrocrl.errors import DataError, listing, plural

__all__ = ["MultimodalData"]

_FEWEST_SUBJECTS = 20


class MultimodalData:
    """Modalities of the same subjects, aligned, standardised, with missing cells marked.

    Nothing is filled in: a missing cell stays missing, and a subject may lack whole modalities;
    `Posterior.impute` draws both.

    Args:
        modalities: per modality its table (subject, column): a pandas DataFrame or Series, a numpy
            array, a torch Tensor, an xarray DataArray (first dimension: subject) or Dataset; or
            `Variables` around one, whose columns are causal variables themselves; `Table` around
            one says how its columns were measured, `Counts` that they are counts with a library
            size. NaN is a missing cell. Tables with labels (an index, a coordinate) are aligned by
            them; others are taken in the order of the labelled ones. The default index 0, 1, ...
            of a DataFrame is a label like any other.
        align: what to do when the labelled modalities hold different subjects: "exact" refuses,
            "intersection" keeps the common ones, "union" keeps all, with all cells missing where
            a subject lacks a modality.

    Raises:
        DataError: the data cannot be used; names the modality, the columns or subjects, and what
            to do.

    >>> rng = np.random.default_rng(0)
    >>> labs = pd.DataFrame(rng.normal(5.0, 2.0, (30, 2)), columns=["iron", "zinc"])
    >>> labs.loc[3, "iron"] = np.nan
    >>> person = pd.DataFrame({"age": rng.integers(20, 80, 30)})
    >>> from pyrocrl.data import Variables
    >>> data = MultimodalData({"labs": labs, "person": Variables(person)})
    >>> data
    MultimodalData(30 subjects: labs (2 columns), person (1 variable))
    >>> data.batch(slice(0, 8))["labs"].values.shape
    torch.Size([8, 2])
    """

    def __init__(self, modalities: Mapping[str, Source], *, align: Alignment = "exact") -> None:
        check_alignment(align)
        readings = aligned(_read_all(modalities), align)
        subjects = _subjects_of(readings)
        if len(subjects) < _FEWEST_SUBJECTS:
            raise DataError(
                f"too few subjects: {len(subjects)}"
                + (" in all modalities" if align == "intersection" else "")
                + f", at least {_FEWEST_SUBJECTS} are needed"
            )
        own = [reading.modality() for reading in readings]
        _check_seen_by(own)
        self._set(own, subjects, align)

    @classmethod
    def from_modalities(
        cls, modalities: Sequence[Modality], subjects: pd.Index, *, align: Alignment = "exact"
    ) -> MultimodalData:
        """Put together modalities that are aligned and standardised already.

        Args:
            modalities: all with the same subjects in the same order.
            subjects: labels of the rows.
            align: how `like` aligns new data.

        Returns:
            The data.

        Raises:
            DataError: none given, two of one name, or one with another number of rows than
                `subjects`.

        >>> labs = read("labs", np.arange(3.0)).modality()
        >>> MultimodalData.from_modalities([labs], pd.RangeIndex(3)).n_subjects
        3
        """
        check_alignment(align)
        if not modalities:
            raise DataError("no modality given")
        names = [modality.name for modality in modalities]
        for modality in modalities:
            if names.count(modality.name) > 1:
                raise DataError(f"two modalities are called '{modality.name}'")
            if len(modality) != len(subjects):
                raise DataError(
                    f"modality '{modality.name}' has {len(modality)} rows for "
                    f"{len(subjects)} subjects"
                )
        data = cls.__new__(cls)
        data._set(modalities, subjects, align)
        return data

    @classmethod
    def from_mudata(
        cls,
        mdata: Any,
        *,
        counts: Collection[str] = (),
        layers: Mapping[str, str] | None = None,
        variables: Mapping[str, Sequence[str]] | None = None,
        align: Alignment = "union",
    ) -> MultimodalData:
        """The modalities of a `mudata.MuData`; its order of modalities is kept.

        Args:
            mdata: the container; a subject may lack modalities.
            counts: names of the modalities that hold counts, see `Counts`.
            layers: per modality the layer that is taken in place of X.
            variables: groups of causal variables, which come first: columns of `mdata.obs` by name
                of the group.
            align: as for `MultimodalData`.

        Raises:
            DataError: the data cannot be used, or a name is not there.
        """
        return cls(of_mudata(mdata, counts, layers, variables), align=align)

    @classmethod
    def from_anndata(
        cls,
        adata: Any,
        modality: str = "feature_types",
        *,
        counts: Collection[str] = (),
        layer: str | None = None,
        variables: Mapping[str, Sequence[str]] | None = None,
    ) -> MultimodalData:
        """The modalities of an `anndata.AnnData` whose columns are of several.

        Args:
            adata: the container.
            modality: the column of `adata.var` that says of which modality each column is.
            counts: names of the modalities that hold counts, see `Counts`.
            layer: taken in place of X.
            variables: groups of causal variables, which come first: columns of `adata.obs` by name
                of the group.

        Raises:
            DataError: the data cannot be used, or a name is not there.
        """
        return cls(of_anndata(adata, modality, counts, layer, variables))

    def to_mudata(self, posterior: Found | None = None, *, into: Any = None) -> Any:
        """The measurements as a `mudata.MuData`, and what a fit found in them.

        Latents go to `obsm["X_pyrocrl"]`, of all subjects and of each modality its own; names,
        edges and their probabilities to `uns["pyrocrl"]`. Tables are in the units of the data,
        variables are columns of `obs`, other kinds of modalities hold no X.

        Args:
            posterior: what was found; None writes measurements alone.
            into: a MuData of the same subjects to write into, such as the one that was read.

        Raises:
            DataError: mudata is not installed, or `into` has other subjects.
        """
        return to_mudata(self, posterior, into)

    def _set(self, modalities: Sequence[Modality], subjects: pd.Index, align: Alignment) -> None:
        self._modalities = {modality.name: modality for modality in modalities}
        self._subjects = subjects
        self._align: Alignment = align

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the modalities, in the order given."""
        return tuple(self._modalities)

    @property
    def subjects(self) -> pd.Index:
        """Labels of the subjects, in the order of the rows."""
        return self._subjects

    @property
    def device(self) -> torch.device:
        """Where the measurements are."""
        return next(iter(self)).device

    @property
    def n_subjects(self) -> int:
        """Number of subjects."""
        return len(self._subjects)

    def __len__(self) -> int:
        return self.n_subjects

    def __iter__(self) -> Iterator[Modality]:
        return iter(self._modalities.values())

    def __contains__(self, name: object) -> bool:
        return name in self._modalities

    def __getitem__(self, name: str) -> Modality:
        if name not in self._modalities:
            raise DataError(f"no modality {name!r}; there are {listing(self.names)}")
        return self._modalities[name]

    def table(self, name: str) -> TableModality:
        """A modality that is a table, or variables.

        Args:
            name: the modality.

        Raises:
            DataError: no such modality, or it is no table.
        """
        modality = self[name]
        if not isinstance(modality, TableModality):
            raise DataError(f"modality '{name}' is no table but holds {modality.described}")
        return modality

    def batch(self, rows: torch.Tensor | slice | None = None) -> Batch:
        """The values of some subjects, as training wants them.

        Args:
            rows: indices (subject,) or a slice, which copies nothing; None: everybody.

        Returns:
            Slices of the standardised values and of what is observed.
        """
        where = slice(None) if rows is None else rows
        cells = {modality.name: modality.cells(where) for modality in self}
        return Batch(cells, size=len(next(iter(cells.values())).values))

    def select(self, rows: Sequence[int] | np.ndarray | torch.Tensor) -> MultimodalData:
        """Some of the subjects, standardised as before.

        Args:
            rows: positions (subject,), in any order, repeated ones too; or a bool per subject.

        Returns:
            The data of these subjects, with the mean and standard deviation of this data.

        Raises:
            DataError: not positions of subjects.
        """
        chosen = _positions(rows, self.n_subjects)
        taken = [modality.take(torch.from_numpy(chosen)) for modality in self]
        return self.from_modalities(taken, self._subjects[chosen], align=self._align)

    def without(self, name: str, rows: Sequence[int] | np.ndarray | torch.Tensor) -> MultimodalData:
        """The same subjects, of whom some lack a modality: to test what is foretold of it.

        Args:
            name: the modality.
            rows: positions of the subjects who are to lack it, or a bool for each subject.

        Raises:
            DataError: no such modality, or not positions of subjects.

        Example:
            >>> tables = {"labs": np.random.rand(20, 2), "scan": np.random.rand(20, 2)}
            >>> incomplete = MultimodalData(tables).without("scan", [1])
            >>> incomplete.frame("scan").isna().all(axis=1).to_numpy().nonzero()[0].tolist()
            [1]
        """
        kept = np.arange(self.n_subjects)
        kept[_positions(rows, self.n_subjects)] = -1
        lacking = self[name].reading(self._subjects).rows(kept).labelled(self._subjects)
        own = {modality.name: modality for modality in self} | {name: lacking.like(self[name])}
        return self.from_modalities(list(own.values()), self._subjects, align=self._align)

    def like(self, modalities: Mapping[str, Source] | MultimodalData) -> MultimodalData:
        """New subjects, standardised with the mean and standard deviation of this data.

        Args:
            modalities: the same modalities with the same columns, in any order; any number of
                subjects, aligned as this data was.

        Returns:
            The data of the new subjects; modalities and columns in the order of this data.

        Raises:
            DataError: a modality or column is absent, or was not in this data.
        """
        if isinstance(modalities, MultimodalData):
            given = [modality.reading(modalities.subjects) for modality in modalities]
        else:
            given = _read_all(modalities)
        by_name = {own.name: own for own in given}
        check_same("modalities", "the new data", self.names, tuple(by_name))
        readings = [by_name[name] for name in self.names]
        if not isinstance(modalities, MultimodalData):
            readings = aligned(readings, self._align)
        new = [own.like(self._modalities[own.name]) for own in readings]
        return self.from_modalities(new, _subjects_of(readings), align=self._align)

    def unmeasured(self, subjects: int, *, observed: bool = True) -> MultimodalData:
        """Subjects of whom nothing is measured yet, in the shape and units of this data.

        Args:
            subjects: their number.
            observed: whether their cells count as observed, to be drawn by a model.
        """
        blank = [modality.unmeasured(subjects, observed=observed) for modality in self]
        return self.from_modalities(blank, pd.RangeIndex(subjects), align=self._align)

    def frame(self, name: str) -> pd.DataFrame:
        """One modality in the data's units, NaN where missing.

        Args:
            name: the modality: a table, counts or variables.

        Returns:
            (subject, column), float64 or categories; equal to what was given to the precision of
            float32.

        Raises:
            DataError: no such modality, or it is no table.
        """
        modality = self[name]
        if not isinstance(modality, ColumnarModality):
            raise DataError(f"modality '{name}' is no table but holds {modality.described}")
        return modality.frame(self._subjects)

    def unstandardise(self, name: str, values: np.ndarray | torch.Tensor) -> np.ndarray:
        """From standard deviations to the data's units.

        Args:
            name: the modality.
            values: (..., *shape of the modality), in standard deviations.

        Returns:
            float64, of the same shape, in the data's units.

        Raises:
            DataError: no such modality, or the last dimensions are not those of its shape.
        """
        return self[name].unstandardise(values)

    def summary(self) -> pd.DataFrame:
        """One row per modality.

        Returns:
            Columns: modality, kind ("table", "variables", ...), columns (how many numbers are
            measured of a subject), missing (share of the cells).
        """
        return pd.DataFrame(
            [(m.name, m.kind, m.width, m.missing) for m in self],
            columns=["modality", "kind", "columns", "missing"],
        )

    def to(self, device: torch.device | str) -> MultimodalData:
        """The same data on another device."""
        moved = [modality.to(device) for modality in self]
        return self.from_modalities(moved, self._subjects, align=self._align)

    def __repr__(self) -> str:
        described = ", ".join(f"{modality.name} ({modality.described})" for modality in self)
        return f"MultimodalData({plural(self.n_subjects, 'subject')}: {described})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(modality.name)}</td><td>{modality.described}</td>"
            f"<td>{modality.missing:.1%}</td></tr>"
            for modality in self
        )
        return (
            f"<p><b>{plural(self.n_subjects, 'subject')}</b></p>"
            "<table><thead><tr><th>modality</th><th>holds</th><th>cells missing</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )


def _read_all(modalities: Mapping[str, Source]) -> list[Reading]:
    if not isinstance(modalities, Mapping):
        raise DataError(
            f"modalities must be a dict of tables by name, not a {type(modalities).__name__}; "
            "for example {'labs': frame}"
        )
    if not modalities:
        raise DataError("no modality given; for example {'labs': frame}")
    for name in modalities:
        _check_name(name)
    return [read(name, source) for name, source in modalities.items()]


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise DataError(f"the name of a modality must be a non-empty string, not {name!r}")
    if "." in name:
        raise DataError(
            f"the name of modality {name!r} contains a dot, which separates modality and latent "
            f"in 'labs.z1'; call it {name.replace('.', '_')!r}"
        )


def _check_seen_by(modalities: Sequence[Modality]) -> None:
    measured = [modality.name for modality in modalities if not modality.is_variables]
    for modality in modalities:
        for name in modality.seen_by:
            if name not in measured:
                raise DataError(
                    f"modality '{modality.name}': seen_by names {name!r}, which is no modality "
                    f"with latents; there are {listing(measured) or 'none'}"
                )


def _subjects_of(readings: Sequence[Reading]) -> pd.Index:
    subjects = readings[0].subjects
    assert subjects is not None, "aligned readings have subjects"
    return subjects


def _positions(rows: Sequence[int] | np.ndarray | torch.Tensor, n_subjects: int) -> np.ndarray:
    chosen = rows.cpu().numpy() if isinstance(rows, torch.Tensor) else np.asarray(rows)
    if chosen.dtype == bool and chosen.shape == (n_subjects,):
        return np.flatnonzero(chosen)
    if chosen.size == 0:
        chosen = chosen.astype(np.int64)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        raise DataError(
            f"rows must be positions of subjects, or one bool for each of the {n_subjects}; not "
            f"{chosen.dtype} of shape {chosen.shape}"
        )
    outside = chosen[(chosen < 0) | (chosen >= n_subjects)]
    if outside.size:
        raise DataError(f"rows {listing(outside.tolist())} lie outside 0 to {n_subjects - 1}")
    return chosen.astype(np.int64)
