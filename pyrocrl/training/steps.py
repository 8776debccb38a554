"""What every loop of training steps needs: batches, and chains kept apart when one diverges."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from pyrocrl.data import Batch, MultimodalData

__all__ = ["forget_divergence", "minibatches"]


def minibatches(data: MultimodalData, size: int) -> Iterator[Batch]:
    """One pass over the data in random order, in slices of tensors; a short rest is left out.

    Args:
        data: the subjects to go through.
        size: subjects in a batch; no more than there are.
    """
    device = data.device
    shuffled = torch.randperm(data.n_subjects).to(device)
    for start in range(0, data.n_subjects - size + 1, size):
        yield data.batch(shuffled[start : start + size])


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
