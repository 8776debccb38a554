"""A likelihood of one's own: measurements with outliers, Student t in place of normal.

System
    Laboratory values hold gross errors: units mixed up, samples swapped. Under a normal likelihood
    a few such cells pull decoder and encoder out of place. A Student t distribution expects them.
    Shown on two simulated modalities with two latents each, some cells of which are spoilt.

Equations
    A ~ spike and slab,  z_i = f_i(Pa(z_i), eps_i)                          (1)
    x^(m) ~ StudentT(nu^(m), g_m(z^(m), eta^(m)), s^(m))                    (2)
    with nu^(m) > 1 learned: the nearer to 1, the heavier the tails

Assumptions
    - Errors strike single cells, independently of what was measured there.
    - The rest is the default model: `crl.MultimodalSCM` with another likelihood in each decoder.

What to change
    - `HeavyTails.forward`: any distribution of the cells, batch shape (chain, subject, column).
      Missing cells are masked by the model. Values are standardised: counts and categories would
      need a modality that leaves them as they are.
    - `FOR`: the modalities that get it; the others keep the normal likelihood.

Run
    python models/custom_likelihood.py [--quick]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyro.distributions as dist
import torch
from torch import Tensor, nn

import pyrocrl as crl

FOR = ("m1", "m2")
SPOILT = 0.02


class HeavyTails(nn.Module):
    """A decoder's mean and scale in a Student t distribution, its degrees of freedom learned."""

    def __init__(self, decoder: nn.Module, chains: int) -> None:
        super().__init__()
        self.decoder = decoder
        self.log_freedom = nn.Parameter(torch.full((chains, 1, 1), 1.0))

    def forward(self, y: Tensor, eta: Tensor, cells: crl.Cells) -> dist.TorchDistribution:
        """Distribution of every cell, (chain, subject, column)."""
        normal = self.decoder(y, eta, cells)
        return dist.StudentT(1 + self.log_freedom.exp(), normal.loc, normal.scale)


class RobustModel(crl.MultimodalSCM):
    """The default model with heavy tails."""

    def __init__(self, data: crl.MultimodalData, chains: int) -> None:
        super().__init__(data, latents=2, noise=1, chains=chains)
        for name in FOR:
            self.decoders[name] = HeavyTails(self.decoders[name], chains)


def normal_model(data: crl.MultimodalData, chains: int) -> crl.MultimodalSCM:
    """The default model."""
    return crl.MultimodalSCM(data, latents=2, noise=1, chains=chains)


def simulate(*, quick: bool, seed: int = 200) -> tuple[crl.MultimodalData, crl.simulate.Truth]:
    """Case 1 of Sun et al. (2025), some cells of it spoilt, and the truth behind it."""
    rng = np.random.default_rng(seed)
    clean, truth = crl.simulate.numerical_case(1, seed=seed, n_subjects=300 if quick else 1500)
    tables = {}
    for name in clean.names:
        table = clean.frame(name)
        error = 8 * rng.normal(size=table.shape) * table.std().to_numpy()
        spoilt = rng.random(table.shape) < SPOILT
        tables[name] = pd.DataFrame(table + spoilt * error, table.index, table.columns)
    return crl.MultimodalData(tables), truth


def fit(
    data: crl.MultimodalData, model: Callable[..., crl.MultimodalSCM], *, quick: bool
) -> crl.Posterior:
    """Fit one of the models."""
    return crl.fit(
        data, model=model, restarts=2, max_epochs=5 if quick else 60, progress=False, seed=0
    )


def main() -> None:
    """Fit both, and print how well latents are found and unseen subjects foretold."""
    parser = argparse.ArgumentParser(description="A Student t likelihood for spoilt measurements.")
    parser.add_argument("--quick", action="store_true", help="a few passes only, to try it out")
    quick = parser.parse_args().quick
    data, truth = simulate(quick=quick)
    print("likelihood    MCC of latents   held-out nats per subject")
    for name, model in {"normal": normal_model, "Student t": RobustModel}.items():
        posterior = fit(data, model, quick=quick)
        found = posterior.latents().to_numpy()
        mcc = crl.metrics.mcc(truth.latents.to_numpy(), found, truth.groups)
        print(f"{name:<14}{mcc:>14.3f}{posterior.restarts.held_out_elbo.max():>28.2f}")


if __name__ == "__main__":
    main()
