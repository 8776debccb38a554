"""Modalities that are arrays with channels, images and series: standardised when they are read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from pyrocrl.data.batch import Cells
from pyrocrl.data.columns import check_same
from pyrocrl.data.modality import EVERYBODY, Features, Modality
from pyrocrl.data.rows import Rows
from pyrocrl.errors import DataError

__all__ = ["ArrayModality", "ArrayReading", "standardised_features"]

FloatArray = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ArrayModality(Modality):
    """Arrays with channels, one per subject, that stay where they are until a batch wants them.

    Args:
        name: the modality.
        source: (row, *shape), in the data's units.
        rows: (subject,), which row is whose; -1 where a subject has none.
        lacking: (subject,), number of missing cells.
        channels: names of the channels.
        mean: (channel,), in the data's units.
        std: (channel,), likewise.
        where: the device that batches go to.
    """

    channel_axis: ClassVar[int]

    name: str
    source: Rows
    rows: Positions
    lacking: Positions
    channels: tuple[str, ...]
    mean: FloatArray
    std: FloatArray
    where: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one subject's values."""
        return self.source.shape[1:]

    @property
    def device(self) -> torch.device:
        """Where batches go."""
        return self.where

    @property
    def missing(self) -> float:
        """Share of the cells that are missing."""
        cells = len(self) * prod(self.shape)
        return float(self.lacking.sum()) / cells if cells else 0.0

    @property
    def present(self) -> torch.Tensor:
        """(subject,), False for who lacks the whole modality."""
        return torch.from_numpy(self.lacking < prod(self.shape)).to(self.where)

    def __len__(self) -> int:
        return len(self.rows)

    def cells(self, rows: torch.Tensor | slice = EVERYBODY) -> Cells:
        """What was measured of some subjects, read and standardised."""
        chosen = rows.cpu().numpy() if isinstance(rows, torch.Tensor) else rows
        positions = self.rows[chosen]
        values = torch.from_numpy(self.source.read(positions.clip(0))).to(self.where).float()
        values = (values - self._along(self.mean)) / self._along(self.std)
        if bool((self.lacking[chosen] == 0).all()):
            present = torch.ones(len(values), *[1] * len(self.shape), dtype=torch.bool)
            return Cells(values, present.to(self.where), self.given(positions))
        there = torch.from_numpy(positions >= 0).to(self.where)
        observed = ~values.isnan() & there.reshape(-1, *[1] * len(self.shape))
        return Cells(values.where(observed, values.new_zeros(())), observed, self.given(positions))

    def given(self, positions: Positions) -> torch.Tensor:
        """What is known of rows beforehand, (row, number)."""
        return torch.zeros(len(positions), 0, device=self.where)

    def take(self, rows: torch.Tensor) -> Self:
        """The subjects in these rows, standardised as before."""
        chosen = rows.cpu().numpy()
        return replace(self, rows=self.rows[chosen], lacking=self.lacking[chosen])

    def to(self, device: torch.device | str) -> Self:
        """The same modality, with batches on another device."""
        return replace(self, where=torch.device(device))

    def unmeasured(self, subjects: int, *, observed: bool = True) -> Self:
        """Subjects of whom nothing is measured yet, see `Modality.unmeasured`."""
        average = np.broadcast_to(self._along(self.mean).cpu().numpy(), (1, *self.shape))
        nobody = np.full(subjects, 0 if observed else -1)
        lacking = np.full(subjects, 0 if observed else prod(self.shape))
        return replace(self, source=Rows(self.name, average), rows=nobody, lacking=lacking)

    def unstandardise(self, values: np.ndarray | torch.Tensor) -> np.ndarray:
        """From standard deviations to the data's units, see `Modality.unstandardise`."""
        if isinstance(values, torch.Tensor):
            values = values.detach().cpu().numpy()
        values = np.asarray(values, dtype=np.float64)
        if values.shape[-len(self.shape) :] != self.shape:
            raise DataError(
                f"modality '{self.name}': values of shape {values.shape} do not end in its shape "
                f"{self.shape}"
            )
        along = [1] * len(self.shape)
        along[self.channel_axis] = len(self.channels)
        original: np.ndarray = values * self.std.reshape(along) + self.mean.reshape(along)
        return original

    def reading(self, subjects: pd.Index) -> ArrayReading:
        """The rows in the data's units."""
        return ArrayReading(
            self.name, type(self), self.source, self.rows, self.channels, subjects, self.lacking
        )

    def to_json(self) -> dict[str, Any]:
        """Shape, channels and units, see `Modality.to_json`."""
        return {
            "shape": list(self.shape),
            "channels": list(self.channels),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
        }

    @classmethod
    def from_json(cls, name: str, stored: dict[str, Any]) -> Self:
        """The modality without subjects, from `to_json`."""
        nothing = np.zeros((1, *stored["shape"]), dtype=np.float32)
        nobody = np.zeros(0, dtype=np.int64)
        return cls(
            name=name,
            source=Rows(name, nothing),
            rows=nobody,
            lacking=nobody,
            channels=tuple(stored["channels"]),
            mean=np.array(stored["mean"]),
            std=np.array(stored["std"]),
        )

    def _along(self, values: FloatArray) -> torch.Tensor:
        """One number a channel, to be broadcast over cells of a subject."""
        along = [1] * len(self.shape)
        along[self.channel_axis] = len(values)
        return torch.from_numpy(values).float().reshape(along).to(self.where)


@dataclass(frozen=True, eq=False)
class ArrayReading:
    """Arrays with channels as read.

    Args:
        name: the modality.
        kind: what becomes of them.
        source: (row, *shape), in the data's units.
        positions: (subject,), which row is whose; -1 where a subject has none.
        channels: names of the channels.
        subjects: labels of the rows; None where the input carried none.
        lacking: (subject,), number of missing cells, if that was counted before.
    """

    name: str
    kind: type[ArrayModality]
    source: Rows
    positions: Positions
    channels: tuple[str, ...]
    subjects: pd.Index | None = None
    lacking: Positions | None = None

    def __len__(self) -> int:
        return len(self.positions)

    def labelled(self, subjects: pd.Index) -> Self:
        """The same rows under these labels."""
        return replace(self, subjects=subjects)

    def rows(self, positions: np.ndarray) -> Self:
        """Rows at these positions; none where a position is -1."""
        chosen = np.where(positions < 0, -1, self.positions[positions])
        subjects = None if self.subjects is None else self.subjects.take(positions)
        return replace(self, positions=chosen, subjects=subjects, lacking=None)

    def modality(self) -> ArrayModality:
        """The modality, every channel in its own mean and standard deviation."""
        there = self.positions >= 0
        axis = self.kind.channel_axis % (len(self.source.shape) - 1) + 1
        scan = self.source.scan(self.positions[there], axis, self.channels)
        return self._made(self._lacking(there, scan.missing), scan.mean, scan.std)

    def like(self, earlier: Modality) -> ArrayModality:
        """The modality, in the units of an earlier one."""
        if not isinstance(earlier, self.kind):
            raise DataError(f"modality '{self.name}' was {earlier.kind}, and is no longer")
        check_same("channels", f"modality '{self.name}'", earlier.channels, self.channels)
        if self.source.shape[1:] != earlier.shape:
            raise DataError(
                f"modality '{self.name}' has the shape {self.source.shape[1:]} per subject, and "
                f"had {earlier.shape} in the earlier data"
            )
        there = self.positions >= 0
        lacking = self.lacking
        if lacking is None:
            lacking = self._lacking(there, self.source.missing(self.positions[there]))
        return self._made(lacking, earlier.mean, earlier.std)

    def _made(self, lacking: Positions, mean: FloatArray, std: FloatArray) -> ArrayModality:
        return self.kind(self.name, self.source, self.positions, lacking, self.channels, mean, std)

    def _lacking(self, there: npt.NDArray[np.bool_], missing: Positions) -> Positions:
        lacking = np.full(len(there), prod(self.source.shape[1:]), dtype=np.int64)
        lacking[there] = missing
        return lacking


def standardised_features(names: tuple[str, ...], values: FloatArray) -> Features:
    """Features in standard deviations, 0 where missing; a constant one says nothing.

    Args:
        names: of the features.
        values: (subject, feature), NaN where missing.
    """
    observed = np.isfinite(values)
    count = observed.sum(0).clip(1)
    filled = np.where(observed, values, 0)
    centred = np.where(observed, values - filled.sum(0) / count, 0)
    deviation = np.sqrt((centred**2).sum(0) / count)
    varies = deviation > 1e-12
    kept = tuple(name for name, keep in zip(names, varies, strict=True) if keep)
    return Features(kept, centred[:, varies] / deviation[varies], observed[:, varies])
