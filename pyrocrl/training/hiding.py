"""Images with some of their pixels hidden, so that encoders cannot learn them by heart.

An encoder that tells one image from all others can say of it whatever its partner says. Hidden at
random anew at every step, a share of the pixels is all that is needed against that: where things
are and how bright they are is still to be seen, and the rest is never twice the same. The share
differs between images, down to none, so that encoders know whole images too.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from pyrocrl.data import Batch, Cells

__all__ = ["with_pixels_hidden"]

_LARGEST_SHARE = 0.6
_AXES_OF_IMAGES = 4


def with_pixels_hidden(batch: Batch) -> Batch:
    """The batch with random pixels of its images at their mean; whatever is no image is as it was.

    Args:
        batch: what a training step sees.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> image = Cells.of(torch.ones(100, 3, 8, 8), torch.ones(100, 3, 8, 8).bool())
        >>> table = Cells.of(torch.ones(100, 2), torch.ones(100, 2).bool())
        >>> seen = with_pixels_hidden(Batch({"retina": image, "labs": table}, size=100))
        >>> round(float(seen["retina"].values.mean()), 1), float(seen["labs"].values.mean())
        (0.7, 1.0)
    """
    return Batch({name: _hidden(cells) for name, cells in batch.cells.items()}, batch.size)


def _hidden(cells: Cells) -> Cells:
    values = cells.values
    if values.ndim != _AXES_OF_IMAGES:
        return cells
    share = _LARGEST_SHARE * torch.rand(len(values), 1, 1, 1, device=values.device)
    shown = torch.rand_like(values[:, :1]) >= share
    return replace(cells, values=values * shown)
