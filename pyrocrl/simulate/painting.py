"""Small grey pictures painted onto larger canvases: moved, turned, enlarged, tinted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["Placement", "paint"]

FloatArray = npt.NDArray[np.float64]

_AT_A_TIME = 2000


@dataclass(frozen=True, eq=False)
class Placement:
    """Where and how every picture stands on its canvas.

    Attributes:
        right: (picture,), shift of the picture's centre, in halves of the canvas.
        down: (picture,), the same.
        angle: (picture,), turn against the clock, in degrees.
        extent: width of a picture, as a share of the canvas.
        brightest: (picture, channel), brightness of the brightest pixel, between 0 and 1.
    """

    right: FloatArray
    down: FloatArray
    angle: FloatArray
    extent: float
    brightest: FloatArray


def paint(pictures: np.ndarray, placement: Placement, size: int) -> npt.NDArray[np.uint8]:
    """Paint every picture onto a black square canvas.

    Args:
        pictures: uint8, (picture, height, width), white on black.
        placement: where and how.
        size: height and width of the canvas in pixels.

    Returns:
        uint8, (picture, channel, size, size).

    Example:
        >>> middle = np.zeros(1)
        >>> where = Placement(middle + 0.5, middle, middle, 0.5, np.ones((1, 1)))
        >>> paint(np.full((1, 4, 4), 255, np.uint8), where, 8)[0, 0, 3].tolist()
        [0, 0, 0, 0, 255, 255, 255, 255]
    """
    canvases = [
        _paint(
            pictures[start : start + _AT_A_TIME], placement, size, slice(start, start + _AT_A_TIME)
        )
        for start in range(0, len(pictures), _AT_A_TIME)
    ]
    return np.concatenate(canvases)


def _paint(
    pictures: np.ndarray, placement: Placement, size: int, where: slice
) -> npt.NDArray[np.uint8]:
    grey = torch.from_numpy(np.array(pictures, dtype=np.float32))[:, None]
    # Averaged down first, or thin strokes would fall between the canvas's pixels.
    across = max(1, round(size * placement.extent))
    if across < grey.shape[-1]:
        grey = torch.nn.functional.interpolate(
            grey, size=(across, across), mode="bilinear", antialias=True
        )
    grid = torch.nn.functional.affine_grid(
        _from_canvas(placement, where), [len(grey), 1, size, size], align_corners=False
    )
    moved = torch.nn.functional.grid_sample(grey, grid, align_corners=False)
    moved = moved / moved.flatten(1).amax(1).clamp(min=1e-6)[:, None, None, None]
    tint = torch.from_numpy(placement.brightest[where]).float()[:, :, None, None]
    return (255 * moved * tint).round().to(torch.uint8).numpy()


def _from_canvas(placement: Placement, where: slice) -> torch.Tensor:
    """(picture, 2, 3), maps points of the canvas to points of the picture, both in -1 to 1."""
    turn = np.deg2rad(placement.angle[where])
    cosine, sine = np.cos(turn), np.sin(turn)
    rotation = np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)
    shift = np.stack([placement.right[where], placement.down[where]], -1)
    offset = -(rotation @ shift[..., None])
    return torch.from_numpy(np.concatenate([rotation, offset], -1) / placement.extent).float()
