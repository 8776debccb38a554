"""Series: measurements of some channels at times, one series per subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from pyrocrl.data.arrays import ArrayModality, ArrayReading, standardised_features
from pyrocrl.data.labels import channel_names, row_labels
from pyrocrl.data.modality import Features, Modality, Readable
from pyrocrl.data.rows import Rows
from pyrocrl.errors import DataError

__all__ = ["Series", "SeriesModality"]

FloatArray = npt.NDArray[np.float64]
SingleArray = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]


class Series(Readable):
    """Series as a modality: every channel is standardised over all subjects and times.

    Args:
        values: (subject, time, channel), or (subject, time) of one channel: a numpy array or
            memmap, a torch Tensor, an HDF5 dataset or a Zarr array, read a batch at a time; or a
            list of arrays (time, channel), one per subject, whose lengths may differ. NaN is a
            missing cell.
        times: when it was measured: (time,), the same for all, (subject, time), or a list of
            arrays (time,); rising. None: 0, 1, 2, ...
        subjects: labels of the subjects, in the order of the rows; None takes rows as they come.
        channels: names of the channels.

    Raises:
        DataError: if the values are no series.

    Example:
        >>> Series([np.zeros((5, 2)), np.ones((3, 2))], channels=["steps", "pulse"])
        Series(2 subjects, 5 times x 2)
    """

    def __init__(
        self,
        values: Any,
        *,
        times: Any = None,
        subjects: Sequence[Any] | pd.Index | None = None,
        channels: Sequence[str] | None = None,
    ) -> None:
        self.values = _padded(values, np.float32) if isinstance(values, list | tuple) else values
        self.times, self.subjects, self.channels = times, subjects, channels

    def read(self, name: str) -> SeriesReading:
        """The series as read, see `Readable.read`."""
        source = Rows(name, self.values)
        if len(source.shape) == 2:
            source = Rows(name, _OneChannel(source))
        if len(source.shape) != 3 or 0 in source.shape:
            raise DataError(
                f"modality '{name}': series are (subject, time, channel), or (subject, time) of "
                f"one channel, not {source.shape}"
            )
        count, length, channels = source.shape
        return SeriesReading(
            name,
            SeriesModality,
            source,
            np.arange(count),
            channel_names(name, self.channels, channels),
            row_labels(name, self.subjects, count),
            times=_times(name, self.times, count, length),
        )

    def __repr__(self) -> str:
        subjects, length, *channels = self.values.shape
        width = f" x {channels[0]}" if channels else ""
        return f"Series({subjects:,} subjects, {length} times{width})"


@dataclass(frozen=True, eq=False)
class SeriesModality(ArrayModality):
    """Series, (time, channel) each, with their times in `Cells.given`.

    Args:
        times: (row, time), or (1, time) where all subjects have the same.
        span: the first and the last time, which become -1 and 1.
    """

    channel_axis: ClassVar[int] = -1

    times: SingleArray = field(default_factory=lambda: np.zeros((1, 1), dtype=np.float32))
    span: tuple[float, float] = (0.0, 1.0)

    @property
    def kind(self) -> str:
        """What the modality is: "series"."""
        return "series"

    @property
    def described(self) -> str:
        """Its length and number of channels."""
        length, channels = self.shape
        many = "" if channels == 1 else f", {channels} channels"
        return f"series of up to {length} times{many}"

    def given(self, positions: Positions) -> torch.Tensor:
        """Times of rows, between -1 and 1, (row, time)."""
        own = self.times if len(self.times) == 1 else self.times[positions.clip(0)]
        first, last = self.span
        scaled = torch.from_numpy((2 * (own - first) / (last - first) - 1).astype(np.float32))
        return scaled.expand(len(positions), -1).to(self.where)

    def unmeasured(self, subjects: int, *, observed: bool = True) -> Self:
        """Subjects of whom nothing is measured yet, at everybody's mean times."""
        blank = super().unmeasured(subjects, observed=observed)
        return replace(blank, times=self.times.mean(0, keepdims=True))

    def coordinates(self) -> dict[str, list[Any]]:
        """Times, where all subjects have the same, else their numbers; names of the channels."""
        length, _ = self.shape
        same = len(self.times) == 1
        return {
            "time": self.times[0].tolist() if same else list(range(length)),
            "channel": list(self.channels),
        }

    def features(self) -> Features:
        """Each channel's mean, spread and slope over time."""
        there = self.rows >= 0
        names = tuple(f"{what} of {own}" for own in self.channels for what in _SAID)
        parts, start, positions = [np.zeros((0, len(names)))], 0, self.rows[there]
        for part in self.source.parts(positions):
            times = self.given(positions[start : start + len(part)]).cpu().numpy()[:, :, None]
            start += len(part)
            parts.append(_said(part.astype(np.float64), times.astype(np.float64)))
        values = np.full((len(self), len(names)), np.nan)
        values[there] = np.concatenate(parts)
        return standardised_features(names, values)

    def reading(self, subjects: pd.Index) -> SeriesReading:
        """The series in the data's units."""
        return SeriesReading(
            self.name,
            type(self),
            self.source,
            self.rows,
            self.channels,
            subjects,
            self.lacking,
            times=self.times,
        )

    def to_json(self) -> dict[str, Any]:
        """Shape, channels, units and mean times, see `Modality.to_json`."""
        times = self.times.mean(0).tolist()
        return {**super().to_json(), "times": times, "span": list(self.span)}

    @classmethod
    def from_json(cls, name: str, stored: dict[str, Any]) -> Self:
        """The modality without subjects, from `to_json`."""
        times = np.array([stored["times"]], dtype=np.float32)
        first, last = stored["span"]
        return replace(super().from_json(name, stored), times=times, span=(first, last))


@dataclass(frozen=True, eq=False)
class SeriesReading(ArrayReading):
    """Series as read.

    Args:
        times: (row, time), or (1, time) where all subjects have the same.
    """

    times: SingleArray = field(default_factory=lambda: np.zeros((1, 1), dtype=np.float32))

    def modality(self) -> ArrayModality:
        """The series, every channel in its own mean and standard deviation."""
        first, last = float(self.times.min()), float(self.times.max())
        span = first, last if last > first else first + 1
        return self._timed(super().modality(), span)

    def like(self, earlier: Modality) -> ArrayModality:
        """The series, in the units of an earlier one; they may be shorter than it was."""
        mine = self
        if isinstance(earlier, SeriesModality):
            lacking = earlier.shape[0] - self.source.shape[1]
            if lacking > 0:
                mine = self._longer(lacking)
            return mine._timed(super(SeriesReading, mine).like(earlier), earlier.span)
        return super().like(earlier)

    def _timed(self, made: ArrayModality, span: tuple[float, float]) -> ArrayModality:
        assert isinstance(made, SeriesModality)
        return replace(made, times=self.times, span=span)

    def _longer(self, steps: int) -> Self:
        """The same with missing steps at the end."""
        values = np.concatenate(list(self.source.parts(np.arange(len(self.source)))))
        padded = np.pad(
            values.astype(np.float32), ((0, 0), (0, steps), (0, 0)), constant_values=np.nan
        )
        times = np.pad(self.times, ((0, 0), (0, steps)), mode="edge")
        return replace(self, source=Rows(self.name, padded), times=times, lacking=None)


_SAID = ("mean", "spread", "slope")


def _said(values: FloatArray, times: FloatArray) -> FloatArray:
    """Mean, spread and slope of each channel, (subject, 3 * channel), NaN where unknown."""
    observed = ~np.isnan(values)
    count = observed.sum(1).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(observed, values, 0).sum(1) / count
        off = np.where(observed, values - mean[:, None], 0)
        when = np.where(observed, times, 0).sum(1) / count
        later = np.where(observed, times - when[:, None], 0)
        spread = np.sqrt((off**2).sum(1) / count)
        slope = (off * later).sum(1) / np.where((later**2).sum(1) > 0, (later**2).sum(1), np.nan)
    return np.stack([mean, spread, slope], axis=-1).reshape(len(values), -1)


def _times(name: str, times: Any, count: int, length: int) -> SingleArray:
    """Times of the rows, (row, time), or (1, time)."""
    if times is None:
        return np.arange(length, dtype=np.float32)[None]
    if isinstance(times, list | tuple) and np.ndim(times[0]) == 1:
        if len(times) != count or max(len(own) for own in times) > length:
            raise DataError(f"modality '{name}': times must be as many as values, for each subject")
        padded = _padded([np.asarray(own)[:, None] for own in times], np.float64)[:, :, 0]
        given = pd.DataFrame(padded.T).ffill().to_numpy().T
        given = np.pad(given, ((0, 0), (0, length - given.shape[1])), mode="edge")
    else:
        given = np.asarray(times, dtype=np.float64)
        given = given[None] if given.ndim == 1 else given
    if given.shape not in ((1, length), (count, length)):
        raise DataError(
            f"modality '{name}': times are (time,) or (subject, time), here ({length},) or "
            f"({count}, {length}), not {np.shape(times)}"
        )
    if not np.isfinite(given).all():
        raise DataError(f"modality '{name}': a time is not finite; give a time to every step")
    if (np.diff(given, axis=1) < 0).any() or (length > 1 and given.min() == given.max()):
        raise DataError(f"modality '{name}': times must rise within each subject")
    return given.astype(np.float32)


def _padded(series: Sequence[Any], dtype: type) -> npt.NDArray[Any]:
    """Arrays (time, channel) of different lengths as one, NaN at their ends."""
    arrays: list[npt.NDArray[Any]] = [np.asarray(own, dtype=dtype) for own in series]
    arrays = [own[:, None] if own.ndim == 1 else own for own in arrays]
    widths = {own.shape[1:] for own in arrays}
    if len(widths) != 1 or len(next(iter(widths))) != 1:
        raise DataError(
            "a list of series holds arrays (time, channel) with the same channels, one per "
            f"subject; the shapes of one time step here are {sorted(widths)}"
        )
    longest = max(len(own) for own in arrays)
    shape = (len(arrays), longest, arrays[0].shape[1])
    padded: npt.NDArray[Any] = np.full(shape, np.nan, dtype=dtype)
    for row, own in zip(padded, arrays, strict=True):
        row[: len(own)] = own
    return padded


class _OneChannel:
    """Series of one channel with an axis for it."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.dtype = rows, rows.dtype
        self.shape = (*rows.shape, 1)

    def __getitem__(self, positions: Positions) -> np.ndarray:
        return self.rows.read(positions)[..., None]
