"""What every loop of training steps needs: batches, and chains kept apart when one diverges."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from pyrocrl.data import MultimodalData

__all__ = ["alike", "forget_divergence", "shuffled_rows"]


def shuffled_rows(
    data: MultimodalData, size: int, block: int | None = None
) -> Iterator[torch.Tensor]:
    """One pass over the data in random order: rows of each batch; a short rest is left out.

    Args:
        data: the subjects to go through.
        size: subjects in a batch; no more than there are.
        block: where modalities show variables (`Variables(seen_by=...)`), so many subjects that
            are alike in these stand together.
    """
    device = data.device
    shuffled = torch.randperm(data.n_subjects).to(device)
    if block is not None and any(modality.seen_by for modality in data):
        shuffled = alike(data, shuffled, min(block, size))
    for start in range(0, len(shuffled) - size + 1, size):
        yield shuffled[start : start + size]


def alike(data: MultimodalData, rows: torch.Tensor, block: int) -> torch.Tensor:
    """Subjects in blocks that are alike in the variables that modalities show.

    Their values are halved at the median of one direction after another, which are drawn anew at
    each call; of every part `block` subjects are taken, and the others left out.

    Args:
        data: the subjects.
        rows: positions, in random order.
        block: subjects in a block.

    Returns:
        Positions, blocks in random order.

    >>> import numpy as np
    >>> from pyrocrl.data import Variables
    >>> tables = {"age": Variables(np.arange(64.0), seen_by=["eye"]), "eye": np.random.rand(64, 2)}
    >>> rows = alike(MultimodalData(tables), torch.randperm(64), block=16)
    >>> bool((rows.view(4, 16).sort().values.diff() == 1).all())
    True
    """
    shown = [modality.cells().values for modality in data if modality.seen_by]
    values = torch.cat(shown, -1)
    turned = values @ torch.linalg.qr(torch.randn(values.shape[1], values.shape[1]))[0].to(values)
    blocks = [part[:block] for part in _halved(turned, rows, block)]
    order = torch.randperm(len(blocks)).tolist()
    return torch.cat([blocks[place] for place in order])


def _halved(values: torch.Tensor, rows: torch.Tensor, block: int) -> Iterator[torch.Tensor]:
    if len(rows) < 2 * block:
        yield rows
        return
    widest = int(values[rows].var(0).argmax())
    ordered = rows[values[rows, widest].argsort(stable=True)]
    half = torch.zeros(len(values), dtype=torch.bool, device=rows.device)
    half[ordered[: len(rows) // 2]] = True
    for part in (rows[half[rows]], rows[~half[rows]]):
        yield from _halved(values, part, block)


def forget_divergence(*optimizers: torch.optim.Optimizer) -> None:
    """Skip the step of chains whose gradients are not finite; chains share no parameters."""
    gradients = [
        p.grad
        for optimizer in optimizers
        for group in optimizer.param_groups
        for p in group["params"]
        if p.grad is not None
    ]
    sizes = torch.stack([gradient.abs().flatten(1).amax(1) for gradient in gradients])
    finite = torch.isfinite(sizes).all(0)
    if not bool(finite.all()):
        for gradient in gradients:
            gradient[~finite] = 0.0
