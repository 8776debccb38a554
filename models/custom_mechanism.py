"""A mechanism of one's own: dose and response that saturates, and spreads as it grows.

System
    A drug's effect rises with the logarithm of the dose along an S and levels off, and patients
    differ more where the effect is larger. A straight line misses the plateau, and additive noise
    the spread. Shown on simulated patients whose doses and responses are measured: a class of
    thirty lines is fitted beside the built-in mechanisms.

Equations
    c_ij(z) = 1 / (1 + exp(-k_ij (z - m_ij)))               the Emax model, z a log dose
    z_i ~ Normal(b_i + sum_j A_ij w_ij c_ij(z_j),           w_ij the largest effect
                 s_i exp(sum_j A_ij g_ij c_ij(z_j)))        g_ij what it adds to the log spread

Assumptions
    - Effects of several causes add up, in the mean and in the logarithm of the spread.
    - A mechanism is part of the density of the nodes: it decides what is trained, and the held-out
      ELBO. The reported P(edge) comes from the collapsed posterior, which takes smooth additive
      curves (or straight lines) whatever the mechanism is.

What to change
    - `forward`: any distribution of every node given its parents, of batch shape (chain, subject,
      node). Look at `z` through `adjacency` only, so that an absent edge has no effect.
    - `influence`: how strongly each parent moves each child. Training prices it, so it must be 0
      for an absent edge and differentiable.

Run
    python models/custom_mechanism.py [--quick]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
import pyro.distributions as dist
import torch
from torch import Tensor, nn

import pyrocrl as crl


class DoseResponse(crl.Mechanism):
    """Equation above; all parameters lead with the chain dimension, (chain, 1, child, parent)."""

    def __init__(self, chains: int, nodes: int) -> None:
        super().__init__(chains, nodes)
        shape = (chains, 1, nodes, nodes)
        self.log_steepness = nn.Parameter(torch.zeros(shape))
        self.middle = nn.Parameter(torch.zeros(shape))
        self.spread = nn.Parameter(torch.zeros(shape))

    def forward(self, z: Tensor, adjacency: Tensor, weight: Tensor) -> dist.TorchDistribution:
        """p(z_i | Pa(z_i)) of every node, batch shape (chain, subject, node)."""
        curve = adjacency.unsqueeze(1) * self._curve(z)
        mean = self.intercept + (weight.unsqueeze(1) * curve).sum(-1)
        more = (self.spread * curve).sum(-1).clamp(-3, 3)
        return dist.Normal(mean, self.scale() * more.exp())

    def influence(self, z: Tensor, adjacency: Tensor, weight: Tensor) -> Tensor:
        """Slope of mean and spread, in standard deviations, (chain, child, parent)."""
        curve = self._curve(z)
        slope = (self.log_steepness.exp() * curve * (1 - curve)).mean(1)
        spread = self.scale().transpose(1, 2) * self.spread.squeeze(1).abs()
        deviation = z.std(1) + 1e-6
        moved = adjacency * slope * (weight.abs() + spread)
        return moved * deviation.unsqueeze(1) / deviation.unsqueeze(2)

    def _curve(self, z: Tensor) -> Tensor:
        """Share of the largest effect, (chain, subject, child, parent)."""
        return torch.sigmoid(self.log_steepness.exp() * (z.unsqueeze(-2) - self.middle))


def simulate(patients: int = 600, seed: int = 200) -> crl.MultimodalData:
    """Log dose, weight, and a response that levels off and spreads."""
    rng = np.random.default_rng(seed)
    log_dose, weight = rng.uniform(-1, 2, patients), rng.normal(75, 12, patients)
    share = 1 / (1 + np.exp(-5 * (log_dose - 0.3)))
    noise = np.exp(1.5 * share) * rng.normal(size=patients)
    response = 12 * share - 0.05 * weight + 0.8 * noise
    return crl.MultimodalData(
        {
            "given": crl.Variables(pd.DataFrame({"log_dose": log_dose, "weight": weight})),
            "outcome": crl.Variables(pd.DataFrame({"response": response})),
        }
    )


def fit(
    data: crl.MultimodalData, mechanism: str | type[crl.Mechanism], quick: bool
) -> crl.Posterior:
    """Fit with one mechanism."""
    return crl.fit(
        data,
        mechanism=mechanism,
        restarts=2,
        max_epochs=5 if quick else 100,
        progress=False,
        seed=0,
    )


def main() -> None:
    """Fit three mechanisms, and print how well each foretells patients it has not seen."""
    parser = argparse.ArgumentParser(description="A user's own mechanism beside the built-in ones.")
    parser.add_argument("--quick", action="store_true", help="a few passes only, to try it out")
    quick = parser.parse_args().quick
    data = simulate()
    print("mechanism       held-out nats per patient   P(log_dose -> response)")
    for mechanism in ("linear", "additive", DoseResponse):
        posterior = fit(data, mechanism, quick)
        name = mechanism if isinstance(mechanism, str) else mechanism.__name__
        edge = posterior.edge_probabilities().loc["outcome.response", "given.log_dose"]
        print(f"{name:<16}{posterior.restarts.held_out_elbo.max():>25.3f}{edge:>26.2f}")


if __name__ == "__main__":
    main()
