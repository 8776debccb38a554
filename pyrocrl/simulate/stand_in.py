"""Pictures to paint with where MNIST is not at hand."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

__all__ = ["stand_in_pictures"]

_EACH = 3


def stand_in_pictures(folder: str | Path) -> Path:
    """Write bars, whose breadth is their class, as IDX files where `variant_mnist` looks for them.

    Args:
        folder: gets `mnist/` and `fashion_mnist/`.

    Returns:
        The folder.

    Example:
        >>> import tempfile
        >>> from pyrocrl.simulate import variant_mnist
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     data, _ = variant_mnist(stand_in_pictures(folder), n_subjects=50, size=16)
        >>> data["digit"].shape
        (3, 16, 16)
    """
    labels = np.repeat(np.arange(10, dtype=np.uint8), _EACH)
    images = np.zeros((len(labels), 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[6:22, 13 - label : 15 + label] = 255
    root = Path(folder)
    for name in ("mnist", "fashion_mnist"):
        (root / name).mkdir(parents=True, exist_ok=True)
        for part, values in (("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels)):
            header = struct.pack(f">BBBB{values.ndim}i", 0, 0, 8, values.ndim, *values.shape)
            (root / name / f"train-{part}").write_bytes(header + values.tobytes())
    return root
