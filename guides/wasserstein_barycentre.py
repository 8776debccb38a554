"""A guide whose modalities must agree on what they share, and their opinions merged.

System
    Two tables show one latent in common and one each of their own. Nobody says which is which: the
    Wasserstein module brings the two opinions of the same subjects together where they can agree,
    leaves the others alone, and merges what it brought together.

Equations
    z_m  ~ Normal(0, 1)                        latents of each table
    x_m  ~ Normal(g_m(z_m), .3)                measurements, g_m linear
    q(z_m | x_m) = Normal(a_m, d_m)            a table's opinion
    W^2(q_1, q_2) = (a_1 - a_2)^2 + (d_1 - d_2)^2
    merged: Normal((a_1 + a_2) / 2, (d_1 + d_2) / 2), the barycentre

Assumptions
    - Opinions are compared subject by subject; a latent and its mirror image count as the same.
    - Something else keeps encoders from telling nothing, here reconstruction. A brake keeps the
      latents of one table apart.

What to change
    - the encoders: `WassersteinSharing` takes means and standard deviations, however made.
    - `alone`: the distance above which two latents stay apart.

Run
    python guides/wasserstein_barycentre.py [--quick]
"""

from __future__ import annotations

import argparse

import pyro
import pyro.distributions as dist
import torch
from torch import Tensor, nn

import pyrocrl as crl

LATENTS = 2
COLUMNS = 6


class Sharing(nn.Module):
    """Encoders and decoders of two tables that share one of two latents each."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict({name: nn.Linear(COLUMNS, 2 * LATENTS) for name in names})
        self.decoders = nn.ModuleDict({name: nn.Linear(LATENTS, COLUMNS) for name in names})
        self.sharing = crl.sharing.WassersteinSharing(alone=0.3, softness=0.05)

    def opinions(self, x: dict[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
        """Mean and standard deviation of every modality's latents, (subject, latent)."""
        said = {}
        for name, values in x.items():
            loc, log_scale = self.encoders[name](values).chunk(2, -1)
            said[name] = (loc, log_scale.clamp(-4, 1).exp())
        return said

    def model(self, x: dict[str, Tensor]) -> None:
        """Latents z ~ N(0, 1) and measurements x ~ N(g(z), 0.3)."""
        for name, values in x.items():
            with pyro.plate(f"{name}.subjects", len(values)):
                z = pyro.sample(f"{name}.z", dist.Normal(0.0, 1.0).expand([LATENTS]).to_event(1))
                pyro.sample(name, dist.Normal(self.decoders[name](z), 0.3).to_event(1), obs=values)

    def guide(self, x: dict[str, Tensor]) -> None:
        """q(z | x) of each modality; their disagreement costs."""
        said = self.opinions(x)
        for name, (loc, scale) in said.items():
            with pyro.plate(f"{name}.subjects", len(loc)):
                pyro.sample(f"{name}.z", dist.Normal(loc, scale).to_event(1))
        weight = 0.5 * len(next(iter(x.values())))
        loss = self.sharing(said).loss
        pyro.factor("sharing", -weight * loss, has_rsample=True)


def simulate(subjects: int) -> tuple[dict[str, Tensor], Tensor]:
    """Two tables, and the latent that both show."""
    shared, one, other = torch.randn(3, subjects)
    pairs = {"left": torch.stack([shared, one], -1), "right": torch.stack([other, shared], -1)}
    tables = {
        name: latents @ torch.randn(LATENTS, COLUMNS) + 0.3 * torch.randn(subjects, COLUMNS)
        for name, latents in pairs.items()
    }
    return tables, shared


def main() -> None:
    """Train by SVI and merge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short training")
    steps = 60 if parser.parse_args().quick else 500
    torch.manual_seed(0)
    x, shared = simulate(1000)
    program = Sharing(tuple(x))
    elbo = pyro.infer.Trace_ELBO()(program.model, program.guide)
    optimizer = torch.optim.Adam(program.parameters(), lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = elbo(x)
        loss.backward()
        optimizer.step()
    merged = crl.sharing.WassersteinSharing(alone=0.5).merge(program.opinions(x))
    together = torch.corrcoef(torch.stack([merged[0].opinion.loc, shared]))[0, 1].abs()
    print("latents and where they are:", [latent.slots for latent in merged])
    print(f"correlation of the first with the truth: {float(together):.3f}")


if __name__ == "__main__":
    main()
