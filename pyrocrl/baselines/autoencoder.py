"""Autoencoders of each modality by itself, plain and variational."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyro
import torch
from torch import Tensor, nn

from pyrocrl.baselines.face import Baseline, Learned
from pyrocrl.baselines.problem import Problem
from pyrocrl.baselines.shared_part import shared_latents
from pyrocrl.baselines.training import Budget, Decoders, Encoders, train
from pyrocrl.data import Batch, MultimodalData
from pyrocrl.errors import ModelError
from pyrocrl.modality import decoder_for

__all__ = ["Autoencoder", "BetaVAE"]


@dataclass(frozen=True)
class Autoencoder(Baseline):
    """A plain autoencoder per modality, trained on the squared error.

    Its code has as many dimensions as latents and noises together; see
    `pyrocrl.baselines.shared_part` for which of them count as latents.

    Args:
        budget: size of the networks, length of training.
    """

    budget: Budget = field(default_factory=Budget)

    @property
    def name(self) -> str:
        """What tables of results call it."""
        return "autoencoder"

    def learn(self, problem: Problem) -> Learned:
        """Train all modalities' autoencoders at once; they have nothing in common."""
        hidden = self.budget.hidden
        encoders = Encoders(problem.data, problem.code_sizes, hidden)
        decoders = Decoders(problem.data, problem.code_sizes, hidden)

        def loss(rows: Tensor) -> Tensor:
            batch = problem.data.batch(rows)
            return decoders.squared_error(batch, encoders.means(batch)).sum(1).mean()

        train([encoders, decoders], loss, problem.data.n_subjects, self.budget)
        return shared_latents(encoders, problem)


@dataclass(frozen=True)
class BetaVAE(Baseline):
    """A beta-VAE per modality: codes are independent standard normal, with weight beta.

    The likelihood is that of `pyrocrl.fit`, a normal whose standard deviation is learned for every
    column above a floor of .3; with a fixed one of 1 more of the code collapses. The code and the
    choice of latents are those of the autoencoder; latents are posterior means.

    Args:
        beta: weight of the Kullback-Leibler divergence.
        budget: size of the networks, length of training.

    Raises:
        ModelError: if beta is negative.

    Source: Higgins et al. (2017), "beta-VAE", equation (4).
    """

    beta: float = 4.0
    budget: Budget = field(default_factory=Budget)

    def __post_init__(self) -> None:
        if not self.beta >= 0:
            raise ModelError(f"beta must be at least 0, not {self.beta}")

    @property
    def name(self) -> str:
        """What tables of results call it."""
        return "beta-vae"

    def learn(self, problem: Problem) -> Learned:
        """Train all modalities' VAEs at once; they have nothing in common."""
        hidden = self.budget.hidden
        encoders = Encoders(problem.data, problem.code_sizes, hidden)
        decoders = _NormalDecoders(problem.data, problem.code_sizes, hidden)

        def loss(rows: Tensor) -> Tensor:
            batch = problem.data.batch(rows)
            codes = encoders(batch)
            sampled = [loc + scale * torch.randn_like(loc) for loc, scale in codes]
            divergences = torch.stack([_divergence(loc, scale) for loc, scale in codes]).sum(0)
            return (self.beta * divergences - decoders.log_likelihood(batch, sampled)).mean()

        with pyro.validation_enabled(False):
            train([encoders, decoders], loss, problem.data.n_subjects, self.budget)
        return shared_latents(encoders, problem)


class _NormalDecoders(nn.Module):
    def __init__(self, data: MultimodalData, inputs: Sequence[int], hidden: int) -> None:
        super().__init__()
        self.networks = nn.ModuleList(
            decoder_for(table, 1, size, hidden) for table, size in zip(data, inputs, strict=True)
        )

    def log_likelihood(self, batch: Batch, codes: Sequence[Tensor]) -> Tensor:
        """Log density of all measured cells together given the code, (subject,)."""
        total = torch.zeros(batch.size)
        for name, network, code in zip(batch, self.networks, codes, strict=True):
            nothing = code[None, :, :0]
            cells = network(code[None], nothing, batch[name]).log_prob(batch[name].values)[0]
            total = total + (cells * batch[name].observed).flatten(1).sum(1)
        return total


def _divergence(loc: Tensor, scale: Tensor) -> Tensor:
    """KL divergence of normals from the standard normal, summed over the code, (subject,)."""
    return 0.5 * (loc**2 + scale**2 - 2 * scale.log() - 1).sum(1)
