"""One kind of measurement of all subjects: what every kind offers to the rest of the library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import prod
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
import torch

from pyrocrl.data.batch import Cells

__all__ = ["EVERYBODY", "Features", "Modality", "Readable", "Reading"]

EVERYBODY = slice(None)


class Features:
    """Named numbers that say in a reader's words what was measured of every subject.

    Args:
        names: of the numbers.
        values: float64, (subject, feature).
        observed: bool, (subject, feature).
    """

    def __init__(self, names: tuple[str, ...], values: np.ndarray, observed: np.ndarray) -> None:
        self.names, self.values, self.observed = names, values, observed


class Modality(ABC):
    """Measurements of one kind, ready for encoder and likelihood, missing cells marked.

    A kind of modality is a subclass here, and an encoder and a decoder in `pyrocrl.modality`.

    Attributes:
        name: the modality.
        kind: what it is, in one word.
        shape: of one subject's values.
        is_variables: whether its columns are nodes of the graph themselves.
        seen_by: modalities whose measurements show these variables too.
    """

    name: str
    is_variables: bool = False
    seen_by: tuple[str, ...] = ()

    @property
    @abstractmethod
    def kind(self) -> str:
        """What the modality is, in one word: "table", "variables", ..."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of one subject's values."""

    @property
    @abstractmethod
    def described(self) -> str:
        """What it holds, in a few words, such as "6 columns"."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where its cells are."""

    @property
    @abstractmethod
    def missing(self) -> float:
        """Share of the cells that are missing."""

    @property
    @abstractmethod
    def present(self) -> torch.Tensor:
        """(subject,), False for who lacks the whole modality."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of subjects."""

    @abstractmethod
    def cells(self, rows: torch.Tensor | slice = EVERYBODY) -> Cells:
        """What was measured of some subjects.

        Args:
            rows: indices (subject,) or a slice.
        """

    @abstractmethod
    def take(self, rows: torch.Tensor) -> Self:
        """The subjects in these rows, standardised as before."""

    @abstractmethod
    def to(self, device: torch.device | str) -> Self:
        """The same modality on another device."""

    @abstractmethod
    def unmeasured(self, subjects: int, *, observed: bool = True) -> Self:
        """Subjects of whom nothing is measured yet, in the shape and units of these.

        Args:
            subjects: their number.
            observed: whether their cells count as observed, to be drawn by a model.
        """

    @abstractmethod
    def unstandardise(self, values: np.ndarray | torch.Tensor) -> np.ndarray:
        """From what the likelihood takes to the data's units.

        Args:
            values: (..., *shape).

        Returns:
            float64, of the same shape.

        Raises:
            DataError: the last dimensions are not those of the modality.
        """

    @abstractmethod
    def features(self) -> Features:
        """Numbers that a reader knows by name, to hold latents against."""

    @abstractmethod
    def coordinates(self) -> dict[str, list[Any]]:
        """Labels along each axis of `shape`, by the name of the axis, in order."""

    @abstractmethod
    def reading(self, subjects: pd.Index) -> Reading:
        """The measurements as they were read, in the data's units.

        Args:
            subjects: labels of the rows.
        """

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Names, shape and units as JSON values, for saved fits; no measurement."""

    @classmethod
    @abstractmethod
    def from_json(cls, name: str, stored: dict[str, Any]) -> Self:
        """The modality without subjects, from `to_json`."""

    def measured(self) -> np.ndarray:
        """The measurements in the data's units, (subject, *shape), NaN where missing."""
        cells = self.cells().map(lambda own: own.cpu())
        values: np.ndarray = np.where(cells.observed, self.unstandardise(cells.values), np.nan)
        return values

    @property
    def width(self) -> int:
        """How many numbers are measured of a subject."""
        return prod(self.shape)

    @property
    def has_missing(self) -> bool:
        """Whether any cell is missing."""
        return self.missing > 0


class Reading(Protocol):
    """One modality as read, in the data's units, before its rows are matched to subjects."""

    @property
    def name(self) -> str:
        """The modality."""

    @property
    def subjects(self) -> pd.Index | None:
        """Labels of the rows; None where the input carried none."""

    def __len__(self) -> int:
        """Number of rows."""

    def labelled(self, subjects: pd.Index) -> Self:
        """The same rows under these labels."""

    def rows(self, positions: np.ndarray) -> Self:
        """Rows at these positions, all missing where a position is -1."""

    def modality(self) -> Modality:
        """The modality, in its own mean and standard deviation.

        Raises:
            DataError: it cannot be standardised; names the column.
        """

    def like(self, earlier: Modality) -> Modality:
        """The modality, in the units of an earlier one.

        Raises:
            DataError: it does not hold what the earlier one held.
        """


class Readable(ABC):
    """What a user wraps around measurements to say of which kind they are, such as `Variables`."""

    @abstractmethod
    def read(self, name: str) -> Reading:
        """The modality of this name as read.

        Raises:
            DataError: it cannot be used; names the modality.
        """
