"""The multimodal biomedical model: latent causes behind body and blood, and a measured outcome.

System
    Subjects i = 1..N are measured in several ways (modalities m): here the diabetes patients of
    scikit-learn, whose body and serum are tables with latent causes behind them, and whose age,
    sex and progression of the disease are causal variables that were measured themselves.

Equations (Sun et al., 2025, Identifiable multimodal causal representation learning)
    A_ij ~ Bernoulli(pi)                            is node j a direct cause of node i?
    w_ij ~ Normal(0, 2)                             slope of that effect
    z_i  = f_i(Pa(z_i), eps_i)                      (1) latent causal relations
         = sum_j A_ij [w_ij z_j + h_ij(z_j)] + b_i + s_i eps_i,   eps_i ~ Normal(0, 1)
    eta^(m) ~ Normal(0, I)                          each modality's own noise
    x^(m) = g_m(z^(m), eta^(m)) + s e^(m),          (2) measurements, e^(m) ~ Normal(0, I)
    with h_ij a smooth curve (a few tanh steps) and g_m a network. A measured variable is its node:
    x = z. All columns are standardised.

Assumptions
    - The order of the modalities is the causal order: A is zero against it, so it has no cycle.
    - A modality is caused by its own latents and its own noise, and no latent by two modalities.
    - Effects of several causes add up; exogenous noise is normal and independent.
    - No hidden cause of two nodes besides the latents.

What to change
    - f_i: `CurvesOfParents.forward` (and `influence`, its derivative). Interactions of two causes
      would go there.
    - The likelihood: the line marked (2); a Student t in place of the normal resists outliers.
    - The prior of the edges: `graph`, and the same as `edge_prior=`, which the reported edge
      probabilities are computed from; models/hierarchical_edge_prior.py writes its own.
    - The data: `patients()`; any tables of the same subjects, causes first.
    - `LATENTS`: so few patients do not determine a second latent of the serum; restarts then
      disagree, and the posterior says so.

Run
    python models/multimodal_biomedical.py [--quick]
"""

from __future__ import annotations

import argparse
from functools import partial

import pyro
import pyro.distributions as dist
import torch
from torch import Tensor, nn

import pyrocrl as crl

LATENTS = {"body": 1, "serum": 1}
NOISES = {"body": 1, "serum": 1}
EDGE_RATE, SLAB = 0.1, 2.0
STEPS = 4


class CurvesOfParents(crl.Mechanism):
    """Equation (1): each parent acts on each child along a line plus a smooth curve of its own."""

    def __init__(self, chains: int, nodes: int) -> None:
        super().__init__(chains, nodes)
        self.height = nn.Parameter(0.05 * torch.randn(chains, nodes, nodes, STEPS))
        self.slope = nn.Parameter(torch.ones(chains, nodes, nodes, STEPS))
        self.shift = nn.Parameter(4 * torch.rand(chains, nodes, nodes, STEPS) - 2)

    def forward(self, z: Tensor, adjacency: Tensor, weight: Tensor) -> dist.TorchDistribution:
        """p(z_i | Pa(z_i)) of every node, batch shape (chain, subject, node)."""
        curve = (self.height.unsqueeze(1) * self._steps(z)).sum(-1)
        effect = weight.unsqueeze(1) * z.unsqueeze(-2) + curve
        mean = (adjacency.unsqueeze(1) * effect).sum(-1) + self.intercept
        return dist.Normal(mean, self.scale())

    def influence(self, z: Tensor, adjacency: Tensor, weight: Tensor) -> Tensor:
        """Mean absolute derivative of each effect, in standard deviations, (chain, child, parent).

        Training prefers latents that need little of it; see `crl.Mechanism`.
        """
        derivative = (self.height * self.slope).unsqueeze(1) * (1 - self._steps(z) ** 2)
        slope = adjacency * (weight.unsqueeze(1) + derivative.sum(-1)).abs().mean(1)
        deviation = z.std(1) + 1e-6
        return slope * deviation.unsqueeze(1) / deviation.unsqueeze(2)

    def _steps(self, z: Tensor) -> Tensor:
        """Tanh steps of every parent for every child, (chain, subject, child, parent, step)."""
        parents = z[:, :, None, :, None]
        return torch.tanh(self.slope.unsqueeze(1) * parents + self.shift.unsqueeze(1))


class MultimodalBiomedicalModel(crl.MultimodalSCM):
    """The generative process, equations (1) and (2), written out.

    `chain` is the plate of restarts, which train together; every draw leads with that dimension.
    What is inherited: names and order of the nodes, the decoders g_m, and `unmixing`, the linear
    turn between the latents and the decoders' coordinates, which is part of g_m.
    """

    def forward(self, batch: crl.data.Batch) -> Tensor:
        """Latents and measurements of a batch of subjects."""
        z: Tensor
        with pyro.plate("chain", self.chains, dim=-2):
            adjacency, weight = self.graph()
            with self.subject_plate(batch):
                z = pyro.sample("z", self.latent_causal_model(adjacency, weight))  # (1)
                y = self.unmixing.mix(z)
                for name in LATENTS:
                    standard = dist.Normal(self.zero, 1.0).expand([NOISES[name]])
                    eta = pyro.sample(f"{name}.eta", standard.to_event(1))
                    x = self.decoders[name](y[..., self.positions[name]], eta, batch[name])  # (2)
                    cells = x.mask(batch[name].observed).to_event(1)
                    pyro.sample(name, cells, obs=batch[name].values)
                for name in self.variable_names:
                    itself = dist.Delta(z[..., self.positions[name]])
                    cells = itself.mask(batch[name].observed).to_event(1)
                    pyro.sample(name, cells, obs=batch[name].values)
        return z

    def graph(self) -> tuple[Tensor, Tensor]:
        """Edges and slopes, (chain, 1, child, parent): which effects there are, how strong."""
        size = len(self.nodes)
        adjacency: Tensor = pyro.sample("adjacency", self.space.edges(EDGE_RATE))
        slab = dist.Normal(self.zero, SLAB).expand([size, size]).to_event(2)
        weight: Tensor = pyro.sample("weight", slab)
        return adjacency, weight


def patients() -> crl.MultimodalData:
    """Measurements of 442 diabetes patients, causes first."""
    return crl.datasets.diabetes().data


def fit(*, quick: bool) -> crl.Posterior:
    """Fit the model; `quick` shows that it runs and no more."""
    model = partial(
        MultimodalBiomedicalModel,
        latents=LATENTS,
        noise=NOISES,
        edge_prior=crl.SpikeAndSlab(EDGE_RATE, SLAB),
        mechanism=CurvesOfParents,
        knowledge=crl.BackgroundKnowledge(
            forbidden=[("person.age", "person.sex"), ("person.sex", "person.age")]
        ),
    )
    return crl.fit(
        patients(),
        model=model,
        restarts=2 if quick else 4,
        max_epochs=5 if quick else None,
        progress=not quick,
        seed=0,
    )


def main() -> None:
    """Fit, and print the most probable edges."""
    parser = argparse.ArgumentParser(description="Latent causes behind body and serum.")
    parser.add_argument("--quick", action="store_true", help="a few passes only, to try it out")
    posterior = fit(quick=parser.parse_args().quick)
    columns = ["parent", "child", "probability", "strength", "effect"]
    print(posterior.edge_table()[columns].head(8).round(3).to_string(index=False, na_rep="-"))
    for warning in posterior.warnings:
        print("Note:", warning)


if __name__ == "__main__":
    main()
