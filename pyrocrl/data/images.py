"""Images: arrays with channels, height and width, one per subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.data.arrays import ArrayModality, ArrayReading, standardised_features
from pyrocrl.data.labels import channel_names, row_labels
from pyrocrl.data.modality import Features, Readable
from pyrocrl.data.rows import Rows
from pyrocrl.errors import DataError

__all__ = ["Image", "ImageFolder", "ImageModality"]

FloatArray = npt.NDArray[np.float64]

_COLOURS = ("red", "green", "blue")


class Image(Readable):
    """Images as a modality: every channel is standardised over all images.

    Args:
        pixels: (subject, channel, height, width), or (subject, height, width) of grey images: a
            numpy array or memmap, a torch Tensor, an HDF5 dataset, a Zarr array, or an
            `ImageFolder`; bytes or numbers, NaN is a missing pixel. It is read by rows, a batch at
            a time, and may be larger than memory.
        subjects: labels of the subjects, in the order of the rows; None takes rows as they come,
            or the names of the files in a folder.
        channels: names of the channels; None: red, green, blue where there are three.

    Example:
        >>> Image(np.zeros((30, 3, 28, 28), np.uint8))
        Image(30 subjects, 3 x 28 x 28)
    """

    def __init__(
        self,
        pixels: Any,
        *,
        subjects: Sequence[Any] | pd.Index | None = None,
        channels: Sequence[str] | None = None,
    ) -> None:
        self.pixels, self.channels = pixels, channels
        self.subjects = getattr(pixels, "subjects", None) if subjects is None else subjects

    def read(self, name: str) -> ArrayReading:
        """The images as read, see `Readable.read`."""
        source = Rows(name, self.pixels)
        if len(source.shape) == 3:
            source = Rows(name, _WithChannel(source))
        if len(source.shape) != 4 or 0 in source.shape:
            raise DataError(
                f"modality '{name}': images are (subject, channel, height, width) or, where they "
                f"are grey, (subject, height, width), not {source.shape}"
            )
        count = source.shape[1]
        if count > 4 >= source.shape[3]:
            raise DataError(
                f"modality '{name}': images of shape {source.shape} seem to have their channels "
                "last; put them before height and width: numpy.moveaxis(images, -1, 1)"
            )
        named = _COLOURS if self.channels is None and count == 3 else self.channels
        return ArrayReading(
            name,
            ImageModality,
            source,
            np.arange(len(source)),
            channel_names(name, named, count),
            row_labels(name, self.subjects, len(source)),
        )

    def __repr__(self) -> str:
        subjects, *shape = self.pixels.shape
        return f"Image({subjects:,} subjects, {' x '.join(map(str, shape))})"


class ImageFolder:
    """Image files in a folder, one per subject, read when they are wanted.

    Args:
        folder: holds the files; the name of a file without its ending is the subject.
        pattern: which files.

    Raises:
        DataError: if there are no such files, or they cannot be read as images of one size.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, folder: str | Path, pattern: str = "*.png") -> None:
        self.files = sorted(Path(folder).glob(pattern))
        if not self.files:
            raise DataError(f"there is no file {pattern} in {folder}")
        self.subjects = pd.Index([file.stem for file in self.files])
        self.shape = (len(self.files), *self._read(self.files[0]).shape)

    def __getitem__(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Images in these rows, uint8, (row, channel, height, width)."""
        images = [self._read(self.files[row]) for row in rows]
        for row, image in zip(rows, images, strict=True):
            if image.shape != self.shape[1:]:
                raise DataError(
                    f"{self.files[row]} is {image.shape}, (channel, height, width), and the first "
                    f"image is {self.shape[1:]}; bring all images to one size"
                )
        return np.stack(images) if images else np.zeros((0, *self.shape[1:]), np.uint8)

    def _read(self, file: Path) -> npt.NDArray[np.uint8]:
        from PIL import Image as Picture
        from PIL import UnidentifiedImageError

        try:
            with Picture.open(file) as picture:
                mode = "L" if picture.mode in ("L", "1", "I;16", "I") else "RGB"
                pixels = np.asarray(picture.convert(mode), dtype=np.uint8)
        except (OSError, UnidentifiedImageError) as error:
            raise DataError(f"{file} cannot be read as an image: {error}") from error
        return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)


@dataclass(frozen=True, eq=False)
class ImageModality(ArrayModality):
    """Images, (channel, height, width) each."""

    channel_axis: ClassVar[int] = 0

    @property
    def kind(self) -> str:
        """What the modality is: "image"."""
        return "image"

    @property
    def described(self) -> str:
        """Its size in pixels."""
        channels, height, width = self.shape
        colours = "" if channels == 1 else f", {channels} channels"
        return f"images of {height} x {width} pixels{colours}"

    def coordinates(self) -> dict[str, list[Any]]:
        """Names of the channels, and numbers of pixel rows and columns."""
        _, height, width = self.shape
        return {
            "channel": list(self.channels),
            "row": list(range(height)),
            "column": list(range(width)),
        }

    def features(self) -> Features:
        """What can be said of an image in a few numbers: brightness, contrast, centre.

        The centre is that of what is brighter than the image's darkest pixel.
        """
        many = len(self.channels) > 1
        names = tuple(_FEATURES) + (self.channels if many else ())
        there = self.rows >= 0
        parts = [np.zeros((0, len(names)))]
        for part in self.source.parts(self.rows[there]):
            pixels = part.astype(np.float64)
            columns = [say(np.nanmean(pixels, axis=1)) for say in _FEATURES.values()]
            columns += [_mean(pixels[:, k]) for k in range(len(self.channels))] if many else []
            parts.append(np.stack(columns, axis=1))
        values = np.full((len(self), len(names)), np.nan)
        values[there] = np.concatenate(parts)
        return standardised_features(names, values)


def _mean(grey: FloatArray) -> FloatArray:
    return np.asarray(np.nanmean(grey, axis=(1, 2)))


def _centre(grey: FloatArray, axis: int) -> FloatArray:
    """Where an image's brightness lies along an axis, (image,), in pixels."""
    ink = np.nan_to_num(grey - np.nanmin(grey, axis=(1, 2), keepdims=True))
    along = ink.sum(axis=3 - axis)
    return np.asarray(along @ np.arange(along.shape[1]) / np.maximum(along.sum(axis=1), 1e-12))


_FEATURES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "brightness": _mean,
    "contrast": lambda grey: np.asarray(np.nanstd(grey, axis=(1, 2))),
    "brightest": lambda grey: np.asarray(np.nanmax(grey, axis=(1, 2))),
    "centre to the right": lambda grey: _centre(grey, 2),
    "centre down": lambda grey: _centre(grey, 1),
}


class _WithChannel:
    """Grey images with an axis for their one channel."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.dtype = rows, rows.dtype
        count, height, width = rows.shape
        self.shape = (count, 1, height, width)

    def __getitem__(self, positions: npt.NDArray[np.int64]) -> np.ndarray:
        return self.rows.read(positions)[:, None]
