"""Counts with a library size: an encoder of normalised logarithms, a negative binomial decoder."""

from __future__ import annotations

import math

import torch
from pyro.distributions import TorchDistribution
from torch import Tensor, nn

from pyrocrl.data import Cells, CountsModality
from pyrocrl.likelihoods import negative_binomial
from pyrocrl.modality.mlp import ChainMLP
from pyrocrl.modality.tabular import TabularEncoder

__all__ = ["CountsDecoder", "CountsEncoder"]

_LOG_OVERDISPERSION = math.log(0.5)


class CountsEncoder(nn.Module):
    """log(1 + count at the typical library size), standardised, then the encoder of tables.

    Args:
        chains: number of chains.
        counts: columns, and what is typical of each.
        outputs: latents and noises together.
        hidden: units of each of the two hidden layers.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, chains: int, counts: CountsModality, outputs: int, hidden: int = 64) -> None:
        super().__init__()
        self.table = TabularEncoder(chains, counts.width, outputs, hidden)
        self.register_buffer("mean", torch.from_numpy(counts.mean).float(), persistent=False)
        self.register_buffer("std", torch.from_numpy(counts.std).float(), persistent=False)

    def forward(self, cells: Cells) -> tuple[Tensor, Tensor]:
        """Encode a batch.

        Args:
            cells: counts (subject, column); given is the logarithm of the library size over the
                typical one, (subject, 1).

        Returns:
            Mean and standard deviation, (chain, subject, output) each.
        """
        logarithm = (cells.values / cells.given.exp()).log1p()
        scaled = (logarithm - self.mean) / self.std * cells.observed
        encoded: tuple[Tensor, Tensor] = self.table(Cells.of(scaled, cells.observed))
        return encoded


class CountsDecoder(nn.Module):
    """A modality's coordinates -> counts in proportion to the library size, negative binomial.

    Every column's overdispersion is learned; its root never falls below the floor, as a share of
    the standard deviation of the column's logarithm.

    Args:
        chains: number of chains.
        inputs: latents and noises together.
        counts: columns, and what is typical of each.
        hidden: units of each of the two hidden layers.
        floor: see above.

    Source: Lopez et al. (2018), Deep generative modeling for single-cell transcriptomics, for the
    likelihood.
    """

    least: Tensor

    def __init__(
        self,
        chains: int,
        inputs: int,
        counts: CountsModality,
        hidden: int = 64,
        floor: float = 0.3,
    ) -> None:
        super().__init__()
        self.network = ChainMLP(chains, [inputs, hidden, hidden, counts.width])
        log_rate = torch.from_numpy(counts.rate).float().log().expand(chains, 1, -1)
        self.log_rate = nn.Parameter(log_rate.clone())
        self.log_overdispersion = nn.Parameter(torch.full_like(log_rate, _LOG_OVERDISPERSION))
        least = torch.from_numpy((floor * counts.std) ** 2).float()
        self.register_buffer("least", least, persistent=False)

    def forward(self, y: Tensor, eta: Tensor, cells: Cells) -> TorchDistribution:
        """Distribution of every count, batch shape (chain, subject, column)."""
        log_rate = cells.given + self.log_rate + self.network(torch.cat([y, eta], -1))
        return negative_binomial(log_rate, self.least + (2 * self.log_overdispersion).exp())
