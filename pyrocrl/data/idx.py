"""IDX files, the format of MNIST and its relatives: arrays of bytes with a short header."""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyrocrl.errors import DataError, listing

__all__ = ["LabelledImages", "read_idx", "read_labelled_images"]

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_PREFIXES = {"train": "train", "test": "t10k"}


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Grey images with their classes.

    Attributes:
        images: uint8, (image, height, width).
        labels: int64, (image,), classes from 0 on.
    """

    images: np.ndarray
    labels: np.ndarray


def read_labelled_images(folder: str | Path, part: str = "train") -> LabelledImages:
    """Images and labels from a folder in the layout of MNIST, gzipped or not.

    Args:
        folder: holds `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, or the same with
            `t10k-`, each with or without `.gz`; a dot may stand in place of the hyphen before
            `idx`.
        part: "train" or "test" (the files that start with `t10k`).

    Returns:
        The images.

    Raises:
        DataError: if the folder or a file is absent or damaged, or images and labels do not go
            together.

    Source: LeCun, Cortes and Burges, the MNIST database; Xiao et al. (2017), Fashion-MNIST.
    """
    if part not in _PREFIXES:
        raise DataError(f"part must be one of {listing(_PREFIXES)}, not {part!r}")
    folder = Path(folder)
    images = read_idx(_found(folder, f"{_PREFIXES[part]}-images", "idx3-ubyte"))
    labels = read_idx(_found(folder, f"{_PREFIXES[part]}-labels", "idx1-ubyte"))
    if images.dtype != np.uint8 or images.ndim != 3 or labels.ndim != 1:
        raise DataError(
            f"{folder}: images must be bytes (image, height, width) and labels (image,), not "
            f"{images.dtype} {images.shape} and {labels.shape}"
        )
    if len(images) != len(labels):
        raise DataError(f"{folder} holds {len(images)} images but {len(labels)} labels")
    return LabelledImages(images, labels.astype(np.int64))


def read_idx(path: str | Path) -> np.ndarray:
    """An array from an IDX file.

    Args:
        path: the file; one that ends in `.gz` is unpacked.

    Returns:
        The array, of the file's type and shape.

    Raises:
        DataError: if the file is absent, damaged or no IDX file.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
        ...     _ = file.seek(0)
        ...     read_idx(file.name).tolist()
        [7, 8, 9]
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _DTYPES:
        raise DataError(f"{path} is no IDX file: its first bytes are {content[:4].hex(' ')!r}")
    dtype, dimensions = np.dtype(_DTYPES[content[2]]), content[3]
    start = 4 + 4 * dimensions
    shape = tuple(np.frombuffer(content[4:start], ">i4").tolist()) if len(content) >= start else ()
    expected = start + math.prod(shape) * dtype.itemsize
    if len(shape) != dimensions or min(shape, default=0) < 0 or len(content) != expected:
        raise DataError(
            f"{path} is damaged: an array of shape {shape} takes {expected} bytes, and the file "
            f"has {len(content)}"
        )
    values = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="))


def _found(folder: Path, start: str, end: str) -> Path:
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; name the one that holds {start}-{end}")
    for separator in ("-", "."):
        for suffix in ("", ".gz"):
            path = folder / f"{start}{separator}{end}{suffix}"
            if path.is_file():
                return path
    raise DataError(f"{folder} does not hold {start}-{end}, with or without .gz")
