"""A multi-layer perceptron for every chain, evaluated together by batched matrix products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

__all__ = ["ChainMLP"]


class ChainMLP(nn.Module):
    """Leaky-ReLU perceptron with one set of weights per chain.

    Args:
        chains: number of chains.
        widths: inputs, hidden units of each layer, outputs.

    Example:
        >>> ChainMLP(3, [5, 16, 2])(torch.zeros(10, 5)).shape
        torch.Size([3, 10, 2])
    """

    def __init__(self, chains: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.chains = chains
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for inputs, outputs in pairwise(widths):
            bound = 1 / math.sqrt(inputs)
            self.weights.append(bound * (2 * torch.rand(chains, inputs, outputs) - 1))
            self.biases.append(bound * (2 * torch.rand(chains, 1, outputs) - 1))

    def forward(self, x: Tensor) -> Tensor:
        """(subject, input), the same for all chains, or (chain, subject, input) -> outputs.

        Returns:
            (chain, subject, output).
        """
        if x.ndim == 2:
            x = x.expand(self.chains, *x.shape)
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if layer < last:
                x = nn.functional.leaky_relu(x, 0.2)
        return x
