"""Tables: an encoder that is told what is missing, a decoder, a normal likelihood."""

from __future__ import annotations

import math

import pyro.distributions as dist
import torch
from torch import Tensor, nn

from pyrocrl.data import Cells
from pyrocrl.modality.mlp import ChainMLP

__all__ = ["TabularDecoder", "TabularEncoder", "bounded_deviation"]

_LOG_SCALES = (-7.0, 2.0)
_LOG_EXCESS = math.log(0.4)


def bounded_deviation(log_deviation: Tensor) -> Tensor:
    """Standard deviations of an encoder from the logarithms that its network gives."""
    return log_deviation.clamp(*_LOG_SCALES).exp()


class TabularEncoder(nn.Module):
    """Measured columns -> mean and standard deviation of a modality's coordinates.

    Args:
        chains: number of chains.
        columns: measured columns.
        outputs: latents and noises together.
        hidden: units of each of the two hidden layers.

    Example:
        >>> encoder = TabularEncoder(2, columns=4, outputs=3)
        >>> loc, scale = encoder(Cells.of(torch.zeros(5, 4), torch.ones(5, 4).bool()))
        >>> loc.shape, scale.shape
        (torch.Size([2, 5, 3]), torch.Size([2, 5, 3]))
    """

    def __init__(self, chains: int, columns: int, outputs: int, hidden: int = 64) -> None:
        super().__init__()
        self.network = ChainMLP(chains, [2 * columns, hidden, hidden, 2 * outputs])
        with torch.no_grad():
            self.network.weights[0][:, columns:] = 0.0

    def forward(self, cells: Cells) -> tuple[Tensor, Tensor]:
        """Encode a batch.

        Args:
            cells: values (subject, column), standardised, 0 where missing.

        Returns:
            Mean and standard deviation, (chain, subject, output) each.
        """
        missing = (~cells.observed).to(cells.values.dtype)
        loc, log_scale = self.network(torch.cat([cells.values, missing], -1)).chunk(2, -1)
        return loc, bounded_deviation(log_scale)


class TabularDecoder(nn.Module):
    """A modality's coordinates -> distribution of its measured columns, equation (2).

    The standard deviation of the measurements is learned for every column, and never falls below a
    floor: without one it shrinks where columns can be reconstructed exactly, until reconstruction
    drowns the causal model.

    Args:
        chains: number of chains.
        inputs: latents and noises together.
        columns: measured columns.
        hidden: units of each of the two hidden layers.
        floor: smallest standard deviation of the measurements given the coordinates, in standard
            deviations of the columns.
    """

    def __init__(
        self, chains: int, inputs: int, columns: int, hidden: int = 64, floor: float = 0.3
    ) -> None:
        super().__init__()
        self.network = ChainMLP(chains, [inputs, hidden, hidden, columns])
        self.floor = floor
        self.log_excess = nn.Parameter(torch.full((chains, 1, columns), _LOG_EXCESS))

    def forward(self, y: Tensor, eta: Tensor, cells: Cells) -> dist.TorchDistribution:
        """Distribution of every cell, batch shape (chain, subject, column)."""
        return dist.Normal(self.network(torch.cat([y, eta], -1)), self.scale())

    def scale(self) -> Tensor:
        """Standard deviation of the measurements given the coordinates, (chain, 1, column)."""
        return (self.floor**2 + (2 * self.log_excess).exp()).sqrt()
