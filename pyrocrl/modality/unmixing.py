"""The unmixing layer: the linear turn that takes an encoder's coordinates to causal latents.

An encoder and a decoder find a modality's *subspace* in coordinates y that training likes;
z = y R are the latents that obey the causal model. With R explicit, turning the latents does not
need to retrain the networks, and optimisation does not stick at rotations.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from pyro.distributions import TorchDistribution, constraints
from torch import Tensor, nn

__all__ = ["UnmixedNormal", "Unmixing"]


class Unmixing(nn.Module):
    """Block-diagonal matrices R, one per chain: z = y R, blocks only within modalities.

    Args:
        chains: number of chains.
        block: (node, node), 1 where an entry is free: both nodes are latents of one modality.

    Example:
        >>> unmixing = Unmixing(2, torch.block_diag(torch.ones(2, 2), torch.ones(1, 1)))
        >>> unmixing.matrix().shape
        torch.Size([2, 3, 3])
    """

    block: Tensor
    identity: Tensor

    def __init__(self, chains: int, block: Tensor) -> None:
        super().__init__()
        self.register_buffer("block", block, persistent=False)
        self.register_buffer("identity", torch.eye(len(block)), persistent=False)
        self.turn = nn.Parameter(torch.zeros(chains, *block.shape))

    def matrix(self) -> Tensor:
        """R, (chain, node, node)."""
        return self.identity + self.turn * self.block

    def mix(self, z: Tensor) -> Tensor:
        """Y = z R^-1, the decoder's coordinates of latents z, (chain, subject, node)."""
        return torch.matmul(z, _inverse(self.matrix()))


class UnmixedNormal(TorchDistribution):
    """Distribution of z = y R with y normal, some entries of y known exactly.

    Args:
        loc: (chain, subject, node), mean of y, and the value of entries that are known.
        scale: (chain, subject, node), standard deviation of y.
        matrix: (chain, node, node), R; the identity in known entries.
        known: (subject, node), True where an entry is known: it has no density of its own.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, scale: Tensor, matrix: Tensor, known: Tensor) -> None:
        self.loc, self.scale, self.matrix, self.known = loc, scale, matrix, known
        self._last: tuple[Tensor, Tensor] | None = None
        super().__init__(loc.shape[:-1], loc.shape[-1:], validate_args=False)

    def expand(self, batch_shape: torch.Size, _instance: Any = None) -> UnmixedNormal:
        """The same distribution; its batch shape is (chain, subject) already."""
        if torch.Size(batch_shape) != self.batch_shape:
            raise ValueError(f"cannot expand {self.batch_shape} to {batch_shape}")
        return self

    def rsample(self, sample_shape: torch.Size | tuple[int, ...] = ()) -> Tensor:
        """Draw z, differentiable in all parameters."""
        shape = torch.Size(sample_shape) + self.loc.shape
        noise = torch.randn(shape, dtype=self.loc.dtype, device=self.loc.device)
        y = self.loc + self.scale * noise.masked_fill(self.known, 0.0)
        z = torch.matmul(y, self.matrix)
        self._last = (z, y)
        return z

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density of z, (chain, subject); known entries count nothing."""
        if self._last is not None and value is self._last[0]:
            y = self._last[1]
        else:
            y = torch.matmul(value, _inverse(self.matrix))
        normal = torch.distributions.Normal(self.loc, self.scale, validate_args=False)
        density: Tensor = normal.log_prob(y)
        volume: Tensor = torch.linalg.slogdet(self.matrix)[1].unsqueeze(-1)
        return density.masked_fill(self.known, 0.0).sum(-1) - volume


def _inverse(matrix: Tensor) -> Tensor:
    # Unchecked: a chain that diverged must not stop the others.
    inverse: Tensor = torch.linalg.inv_ex(matrix).inverse
    return inverse
