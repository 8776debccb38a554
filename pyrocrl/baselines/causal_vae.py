"""CausalVAE: a linear causal layer between an encoder and its decoders."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from pyrocrl.baselines.face import Baseline, Learned
from pyrocrl.baselines.problem import Problem
from pyrocrl.baselines.training import Budget, Decoders, JointEncoder, train
from pyrocrl.data import Batch
from pyrocrl.errors import ModelError
from pyrocrl.modality.mlp import ChainMLP

__all__ = ["CausalLayer", "CausalVAE"]

_NOISE_WEIGHT = 0.3
_SAMPLED_VARIANCE = 1e-3
_MASK_HIDDEN = 32


@dataclass(frozen=True)
class CausalVAE(Baseline):
    """CausalVAE of Yang et al. (2021), with labels or without.

        eps, eta ~ q(. | x),  z = A z + eps,  f_i = g_i(A_i * z) + eps_i,  x^(m) <- f^(m), eta^(m)

    A is learned under the acyclicity penalty of NOTEARS. The mask layer has one network g_i per
    latent, which reads its parents only. The loss is that of the public code: half the squared
    error of x (a normal likelihood in place of Bernoulli's), half that of z and of f as estimates
    of the labels u, the mean squared error of u told from its own parents, .3 times half of
    |eps|^2 and |eta|^2, and 3 h + h^2 / 2 for the acyclicity h. As there, q has a fixed variance: 1
    in the divergences, .001 where it is sampled.

    It differs from the public code so: a latent is one number, not four; each modality has a
    decoder of its own, and a code eta of its noise, without which it could not be reconstructed; A
    starts at 0, not at a graph that contains the true one; eps enters f as it is, as in the paper,
    not through attention. The encoder sees all modalities at once, because eps = z - A z of one
    depends on the others; it has as many hidden units as the other methods' encoders together.

    Without labels the terms that contain u are left out.

    Args:
        supervised: learn from the true latents as labels, which no other method is given.
        threshold: smallest absolute weight of an edge that counts.
        budget: size of the networks, length of training.

    Raises:
        ModelError: if the threshold is negative.

    Source: Yang et al. (2021), "CausalVAE: Disentangled Representation Learning via Neural
    Structural Causal Models", and its public code; Zheng et al. (2018), "DAGs with NO TEARS", for
    the acyclicity and the threshold of .3.
    """

    supervised: bool = False
    threshold: float = 0.3
    budget: Budget = field(default_factory=Budget)

    def __post_init__(self) -> None:
        if not self.threshold >= 0:
            raise ModelError(f"threshold must be at least 0, not {self.threshold}")

    @property
    def name(self) -> str:
        """What tables of results call it."""
        return "causal-vae-supervised" if self.supervised else "causal-vae"

    def learn(self, problem: Problem) -> Learned:
        """Train encoder, causal layer, mask layer and decoders together."""
        labels = problem.labelled if self.supervised else None
        network = _Network(problem, self.budget.hidden)

        def loss(rows: Tensor) -> Tensor:
            given = None if labels is None else labels[rows]
            return network.loss(problem.data.batch(rows), given)

        train([network], loss, problem.data.n_subjects, self.budget)
        weight = network.causal.weight().detach().double().numpy()
        weight[abs(weight) < self.threshold] = 0.0
        return Learned(network.latents, adjacency=weight)


class CausalLayer(nn.Module):
    """Linear structural equations z = A z + eps, and the mask layer behind them.

    Args:
        size: number of latents.

    Example:
        >>> layer = CausalLayer(3)
        >>> eps = torch.randn(5, 3)
        >>> torch.equal(layer(eps), eps), layer.acyclicity().item()
        (True, 0.0)
    """

    off_diagonal: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.free = nn.Parameter(torch.zeros(size, size))
        self.register_buffer("off_diagonal", 1 - torch.eye(size))
        self.mask = ChainMLP(size, [size, _MASK_HIDDEN, 1])

    def weight(self) -> Tensor:
        """A, (child, parent)."""
        return self.free * self.off_diagonal

    def forward(self, eps: Tensor) -> Tensor:
        """The z that these eps make, both (subject, latent)."""
        identity = torch.eye(len(self.free))
        z: Tensor = torch.linalg.solve(identity - self.weight(), eps.T).T
        return z

    def from_parents(self, z: Tensor) -> Tensor:
        """g_i(A_i * z) for every latent i, (subject, latent)."""
        return self.parents_of(z, self.mask)

    def parents_of(self, z: Tensor, networks: ChainMLP) -> Tensor:
        """What one network per latent makes of A_i * z, (subject, latent)."""
        told: Tensor = networks(self.weight()[:, None, :] * z)[..., 0].T
        return told

    def acyclicity(self) -> Tensor:
        """h(A) = tr((I + A * A / d)^d) - d, 0 if and only if A has no cycle."""
        size = len(self.free)
        walk = torch.eye(size) + self.weight() ** 2 / size
        closed: Tensor = torch.linalg.matrix_power(walk, size).trace()
        return closed - size


class _Network(nn.Module):
    def __init__(self, problem: Problem, hidden: int) -> None:
        super().__init__()
        self.counts = list(problem.latents.values())
        self.noises = list(problem.noise.values())
        self.size = len(problem.nodes)
        self.encoder = JointEncoder(problem.data, self.size + sum(self.noises), hidden)
        self.causal = CausalLayer(self.size)
        self.labels_from_parents = ChainMLP(self.size, [self.size, _MASK_HIDDEN, 1])
        self.decoders = Decoders(problem.data, problem.code_sizes, hidden)

    def encode(self, batch: Batch) -> Tensor:
        """Means of eps and of all eta, (subject, code)."""
        code: Tensor = self.encoder(batch)
        return code

    def latents(self, batch: Batch) -> Tensor:
        """Means of z, (subject, latent)."""
        z: Tensor = self.causal(self.encode(batch)[:, : self.size])
        return z

    def loss(self, batch: Batch, labels: Tensor | None) -> Tensor:
        """Loss of a batch; labels are those of its subjects, (subject, latent)."""
        code = self.encode(batch)
        eps, eta = code[:, : self.size], code[:, self.size :]
        z = self.causal(eps)
        f = self.causal.from_parents(z) + eps
        error = self.reconstruction_error(batch, f, eta)
        loss = 0.5 * (error + _NOISE_WEIGHT * (code**2).sum(1)).mean()
        if labels is not None:
            told = self.causal.parents_of(labels, self.labels_from_parents)
            missed = (z - labels) ** 2 + (f - labels) ** 2
            loss = loss + 0.5 * missed.sum(1).mean() + ((told - labels) ** 2).mean()
        h = self.causal.acyclicity()
        return loss + 3 * h + 0.5 * h**2

    def reconstruction_error(self, batch: Batch, f: Tensor, eta: Tensor) -> Tensor:
        """Squared error over all measured cells, from a sample of the code, (subject,)."""
        deviation = math.sqrt(_SAMPLED_VARIANCE)
        f = f + deviation * torch.randn_like(f)
        eta = eta + deviation * torch.randn_like(eta)
        parts = zip(f.split(self.counts, 1), eta.split(self.noises, 1), strict=True)
        codes = [torch.cat(part, 1) for part in parts]
        return self.decoders.squared_error(batch, codes).sum(1)
