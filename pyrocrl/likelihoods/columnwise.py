"""Columns of several likelihoods side by side, as one distribution and as one encoder input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from pyro.distributions import TorchDistribution, constraints
from torch import Tensor

__all__ = ["Columnwise"]


class Columnwise(TorchDistribution):
    """Distribution of cells, batch shape (chain, subject, column), its columns of several families.

    Args:
        parts: of each family the positions of its columns and their distribution, batch shape
            (chain, subject, own column). Every column is in one part.

    Example:
        >>> from pyro.distributions import Bernoulli, Normal
        >>> first, second = torch.tensor([0, 2]), torch.tensor([1])
        >>> normal, coin = Normal(torch.zeros(1, 5, 2), 1.0), Bernoulli(torch.ones(1, 5, 1) / 2)
        >>> mixed = Columnwise([(first, normal), (second, coin)])
        >>> mixed.sample().shape, mixed.log_prob(torch.zeros(5, 3)).shape
        (torch.Size([1, 5, 3]), torch.Size([1, 5, 3]))
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}
    support = constraints.real
    has_rsample = False

    def __init__(self, parts: Sequence[tuple[Tensor, TorchDistribution]]) -> None:
        self.parts = tuple(parts)
        self._place = torch.cat([columns for columns, _ in self.parts]).argsort()
        rows = torch.broadcast_shapes(*(own.batch_shape[:-1] for _, own in self.parts))
        super().__init__(torch.Size((*rows, len(self._place))), validate_args=False)

    def expand(self, batch_shape: torch.Size, _instance: Any = None) -> Columnwise:
        """The same for more rows."""
        rows = tuple(batch_shape)[:-1]
        return Columnwise(
            [(columns, own.expand((*rows, len(columns)))) for columns, own in self.parts]
        )

    def sample(self, sample_shape: torch.Size | tuple[int, ...] = ()) -> Tensor:
        """Cells, (..., chain, subject, column)."""
        shape = torch.Size(sample_shape)
        return self._joined([own.sample(shape) for _, own in self.parts])

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density or probability of every cell, (chain, subject, column)."""
        return self._joined([own.log_prob(value[..., columns]) for columns, own in self.parts])

    @property
    def mean(self) -> Tensor:
        """Expected cells; of levels, the expected position."""
        return self._joined([_mean(own) for _, own in self.parts])

    def _joined(self, by_part: list[Tensor]) -> Tensor:
        rows = torch.broadcast_shapes(*(own.shape[:-1] for own in by_part))
        return torch.cat([own.expand(*rows, -1) for own in by_part], -1)[..., self._place]


def _mean(own: TorchDistribution) -> Tensor:
    if isinstance(own, torch.distributions.Categorical):
        levels = torch.arange(own.probs.shape[-1], dtype=own.probs.dtype, device=own.probs.device)
        return (own.probs * levels).sum(-1)
    mean: Tensor = own.mean
    return mean
