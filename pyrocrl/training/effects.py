"""Parents' effects on their children in latents alone, as the causal contrast learns them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Effects"]

_BENDS = 8
_STEEPNESS = (0.5, 1.5)
_FARTHEST = 1.5
_BENT = 0.05


class Effects(nn.Module):
    """A line and a curve in each parent, added up over every child's parents.

    They add up as they do in the reported posterior. Where effects bend, mixtures of the true
    latents do not act on others by a sum of curves, so that this tells latents from their mixtures
    beside the number of edges.

    All curves in a parent are made of the same bends, tanh(steep z + shift), in other shares.

    Args:
        chains: number of chains.
        mask: (child, parent), 1 where a parent counts.

    Example:
        >>> effects = Effects(2, torch.ones(3, 3).tril(-1))
        >>> effects(torch.zeros(2, 5, 3)).shape, effects.slopes(torch.zeros(2, 5, 3)).shape
        (torch.Size([2, 5, 3]), torch.Size([2, 5, 3, 3]))
    """

    mask: Tensor

    def __init__(self, chains: int, mask: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask.expand(chains, *mask.shape).clone(), persistent=False)
        nodes = len(mask)
        self.weight = nn.Parameter(torch.zeros_like(self.mask))
        low, high = _STEEPNESS
        self.steep = nn.Parameter(low + (high - low) * torch.rand(chains, 1, nodes, _BENDS))
        self.shift = nn.Parameter(_FARTHEST * (2 * torch.rand(chains, 1, nodes, _BENDS) - 1))
        self.share = nn.Parameter(_BENT * torch.randn(chains, nodes, nodes, _BENDS))

    def forward(self, z: Tensor) -> Tensor:
        """(chain, subject, node) -> the parents' effect on each child, the same shape."""
        line = torch.bmm(z, (self.mask * self.weight).mT)
        return torch.baddbmm(line, self._bends(z).flatten(2), self._shares().flatten(2).mT)

    def slopes(self, z: Tensor) -> Tensor:
        """Derivatives of each effect by each parent, (chain, subject, child, parent)."""
        steepness = (1 - self._bends(z) ** 2) * self.steep
        bent = torch.einsum("kbph,kcph->kbcp", steepness, self._shares())
        return bent + (self.mask * self.weight).unsqueeze(1)

    def _bends(self, z: Tensor) -> Tensor:
        """(chain, subject, parent, bend)."""
        return torch.tanh(self.steep * z.unsqueeze(-1) + self.shift)

    def _shares(self) -> Tensor:
        """(chain, child, parent, bend)."""
        return self.share * self.mask.unsqueeze(-1)
