"""Parents' effects on their children in latents alone, as the causal contrast learns them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pyrocrl.scm.mechanisms import ParentNetwork

__all__ = ["Effects"]

_HIDDEN = 24


class Effects(nn.Module):
    """A linear and a bent function of every child's parents.

    Args:
        chains: number of chains.
        mask: (child, parent), 1 where a parent counts.
    """

    mask: Tensor

    def __init__(self, chains: int, mask: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask.expand(chains, *mask.shape).clone(), persistent=False)
        self.weight = nn.Parameter(torch.zeros_like(self.mask))
        self.network = ParentNetwork(chains, len(mask), _HIDDEN, outputs=1)

    def forward(self, z: Tensor) -> Tensor:
        """(chain, subject, node) -> the parents' effect on each child, the same shape."""
        bent: Tensor = self.network(z, self.mask)[..., 0]
        return bent + torch.bmm(z, (self.mask * self.weight).mT)

    def slopes(self, z: Tensor) -> Tensor:
        """Derivatives of each effect by each parent, (chain, subject, child, parent)."""
        bent = self.network.jacobian(z, self.mask)[..., 0, :]
        return bent + (self.mask * self.weight).unsqueeze(1)
