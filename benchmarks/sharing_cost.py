"""What `WassersteinSharing` costs: a training step of autoencoders with it, against one without.

python benchmarks/sharing_cost.py
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor, nn

from pyrocrl.modality import ChainMLP
from pyrocrl.sharing import WassersteinSharing

MODALITIES, COLUMNS, LATENTS, CHAINS, SUBJECTS = 3, 15, 4, 4, 256
STEPS, ROUNDS = 40, 7


class Autoencoders(nn.Module):
    """One for each modality, as in `fit`: two hidden layers of 64 units, four chains at once."""

    def __init__(self) -> None:
        super().__init__()
        widths = [COLUMNS, 64, 64, 2 * LATENTS]
        self.encoders = nn.ModuleList(ChainMLP(CHAINS, widths) for _ in range(MODALITIES))
        back = [LATENTS, 64, 64, COLUMNS]
        self.decoders = nn.ModuleList(ChainMLP(CHAINS, back) for _ in range(MODALITIES))

    def forward(self, tables: list[Tensor]) -> tuple[Tensor, dict[str, tuple[Tensor, Tensor]]]:
        """Negative ELBO, and the opinions."""
        loss, opinions = torch.zeros(()), {}
        for m, x in enumerate(tables):
            loc, log_scale = self.encoders[m](x).chunk(2, -1)
            scale = log_scale.clamp(-5, 2).exp()
            back = self.decoders[m](loc + scale * torch.randn_like(scale))
            divergence = 0.5 * (loc**2 + scale**2) - scale.log()
            loss = loss + ((back - x) ** 2).sum(-1).mean() + divergence.sum(-1).mean()
            opinions[f"m{m}"] = (loc, scale)
        return loss, opinions


def seconds_per_step(module: WassersteinSharing | None) -> float:
    """Processor time of a step, the smallest of some rounds."""
    torch.manual_seed(0)
    networks = Autoencoders()
    optimizer = torch.optim.Adam(networks.parameters(), foreach=True)
    tables = [torch.randn(SUBJECTS, COLUMNS) for _ in range(MODALITIES)]
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(STEPS):
            loss, opinions = networks(tables)
            if module is not None:
                loss = loss + module(opinions).loss.sum()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        taken.append((time.process_time() - started) / STEPS)
    return float(np.min(taken))


def main() -> None:
    """Measure both and print the ratio."""
    torch.set_num_threads(1)
    plain, with_module = seconds_per_step(None), seconds_per_step(WassersteinSharing())
    print(f"{1e3 * plain:.1f} ms, with the module {1e3 * with_module:.1f} ms: ", end="")
    print(f"{with_module / plain:.2f} times")


if __name__ == "__main__":
    main()
