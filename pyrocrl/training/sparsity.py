"""The sparsity penalty that leads the latents to the turn with the fewest edges."""

from __future__ import annotations

from torch import Tensor

__all__ = ["edge_penalty"]

_HALF = 0.3


def edge_penalty(influence: Tensor, cost: Tensor) -> Tensor:
    """How many edges there are, softly: a / (0.3 + a) for an influence a, times the edge's cost.

    It saturates, so that it does not shrink edges that are surely there: under a plain L1 penalty
    latents stay turned a little, where that makes a strong edge weaker.

    Args:
        influence: (chain, child, parent), `Mechanism.influence`.
        cost: (child, parent).

    Returns:
        (chain,).

    Source: takes the place of the L1 norm in Sun et al. (2025), section 5.

    Example:
        >>> import torch
        >>> edge_penalty(torch.tensor([[[0.0, 0.0], [0.9, 0.0]]]), torch.ones(2, 2))
        tensor([0.7500])
    """
    penalty: Tensor = (cost * influence / (_HALF + influence)).sum((1, 2))
    return penalty
