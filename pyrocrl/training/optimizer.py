"""Which optimiser moves which parameter, and how fast."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from pyrocrl.training.muon import Muon
from pyrocrl.training.steps import forget_divergence

__all__ = ["ChainOptimizer"]

_MATRIX_RATE = 0.02
_NETWORK_RATE = 6e-3
_CONVOLUTION_RATE = 2e-3
_CAUSAL_RATE = 2e-2


class ChainOptimizer:
    """Muon for the networks' weight matrices, Adam for the rest; causal parameters move faster.

    A chain whose gradients are not finite skips its step.

    Args:
        networks: encoders, decoders and critics.
        causal: what is not a network: unmixing, mechanisms, edge weights.
    """

    def __init__(self, networks: Iterable[nn.Parameter], causal: Iterable[nn.Parameter]) -> None:
        networks = _once(networks)
        known = {id(p) for p in networks}
        matrices = [p for p in networks if p.ndim == 3 and p.shape[1] > 1]
        convolutions = [p for p in networks if p.ndim > 3]
        others = [p for p in networks if p.ndim <= 3 and not (p.ndim == 3 and p.shape[1] > 1)]
        fast = [p for p in _once(causal) if id(p) not in known]
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Adam(
                [
                    {"params": others, "base": _NETWORK_RATE},
                    {"params": convolutions, "base": _CONVOLUTION_RATE},
                    {"params": fast, "base": _CAUSAL_RATE},
                ],
                foreach=True,
            )
        ]
        if matrices:
            self.optimizers.append(Muon(matrices, lr=_MATRIX_RATE))
            self.optimizers[-1].param_groups[0]["base"] = _MATRIX_RATE

    def step(self, loss: torch.Tensor, factor: float) -> None:
        """Take one step down the gradient of `loss`.

        Args:
            loss: a number; its graph is used up.
            factor: on the learning rates.
        """
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        forget_divergence(*self.optimizers)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = factor * group["base"]
            optimizer.step()


def _once(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    return list({id(p): p for p in parameters}.values())
