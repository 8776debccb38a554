"""A likelihood of one's own: measurements of which a share are gross errors.

System
    Laboratory values hold gross errors: units mixed up, samples swapped. Under a normal likelihood
    a few such cells pull decoder and encoder out of place. A mixture of a narrow and a wide normal
    expects them, and says how many there are. Shown on two simulated modalities with two latents
    each, some cells of which are spoilt; Student t, which is shipped, stands beside it.

Equations
    A ~ spike and slab,  z_i = f_i(Pa(z_i), eps_i)                          (1)
    x ~ (1 - p) Normal(g(z, eta), s) + p Normal(g(z, eta), 10 s)            (2)
    with the share of errors p and the noise s of each column learned

Assumptions
    - Errors strike single cells, independently of what was measured there.
    - The rest is the default model; `crl.Table(frame, likelihood)` puts the likelihood into it.

What to change
    - `Spoilt.distribution`: any distribution of the cells, batch shape (chain, subject, column).
      Cells are standardised, unless `cells` and `units` say otherwise; missing ones are masked.
    - `outputs`: numbers that the decoder's network gives for a column, more than one for a noise
      that varies, say. `start`: numbers that are learned for every column, and where they begin.

Run
    python models/custom_likelihood.py [--quick]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pyro.distributions as dist
import torch
from torch import Tensor

import pyrocrl as crl

SPOILT = 0.02


@dataclass(frozen=True, kw_only=True)
class Spoilt(crl.likelihoods.StudentT):
    """A normal with gross errors, ten times as wide; how many there are is learned.

    From Student t it has what the encoder is told, and units that errors do not move.
    """

    name: ClassVar[str] = "spoilt"

    def start(self, numbers: np.ndarray) -> tuple[float, ...]:
        """Logarithm of the noise, and log odds of an error."""
        return (-0.9, -3.0)

    def law(self, loc: Tensor, scale: Tensor, own: crl.likelihoods.Own) -> dist.TorchDistribution:
        """Distribution of every cell, (chain, subject, column)."""
        odds = own.free[..., 1].expand_as(loc)
        narrow_or_wide = dist.Categorical(logits=torch.stack([torch.zeros_like(odds), odds], -1))
        widths = torch.stack([scale, 10 * scale], -1)
        return dist.MixtureSameFamily(narrow_or_wide, dist.Normal(loc.unsqueeze(-1), widths))


def simulate(*, quick: bool, seed: int = 200) -> tuple[dict[str, pd.DataFrame], crl.simulate.Truth]:
    """Case 1 of Sun et al. (2025), some cells of it spoilt, and the truth behind it."""
    rng = np.random.default_rng(seed)
    clean, truth = crl.simulate.numerical_case(1, seed=seed, n_subjects=300 if quick else 1500)
    tables = {}
    for name in clean.names:
        table = clean.frame(name)
        error = 8 * rng.normal(size=table.shape) * table.std().to_numpy()
        spoilt = rng.random(table.shape) < SPOILT
        tables[name] = pd.DataFrame(table + spoilt * error, table.index, table.columns)
    return tables, truth


def main() -> None:
    """Fit under each likelihood, and print how well latents are found."""
    parser = argparse.ArgumentParser(description="A likelihood for spoilt measurements.")
    parser.add_argument("--quick", action="store_true", help="a few passes only, to try it out")
    quick = parser.parse_args().quick
    tables, truth = simulate(quick=quick)
    print("likelihood    MCC of latents")
    for likelihood in ("gaussian", "student t", Spoilt()):
        data = {name: crl.Table(table, likelihood) for name, table in tables.items()}
        epochs = 5 if quick else 60
        posterior = crl.fit(data, restarts=2, max_epochs=epochs, progress=False, seed=0)
        mcc = crl.metrics.mcc(truth.latents, posterior.latents(), truth.groups)
        name = likelihood if isinstance(likelihood, str) else likelihood.name
        print(f"{name:<14}{mcc:>14.3f}")


if __name__ == "__main__":
    main()
