"""The objective of a training step: every chain's ELBO, tempered, with what helps it on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pyro
import torch
from pyro import poutine
from pyro.infer import ELBO
from torch import Tensor

from pyrocrl.data import Batch
from pyrocrl.guide import AmortizedGuide, Encoding
from pyrocrl.model import MultimodalSCM
from pyrocrl.training.hiding import with_pixels_hidden
from pyrocrl.training.sparsity import edge_penalty

__all__ = ["ChainELBO", "Objective", "StepWeights", "held_out_elbo"]


@dataclass(frozen=True)
class StepWeights:
    """Weights of the parts of the objective at one step of training.

    Attributes:
        evidence: of the ELBO; where it is 0, neither decoders nor mechanisms are run.
        kl: of the divergence of latents and noises from the model; 1 is the ELBO itself.
        contrast: of the causal contrast.
        turn: of the penalty on influence inside the causal contrast.
        sparsity: of the penalty on the influence of parents in the model.
        encoders: whether encoders are trained where there is no evidence.
        stay: of the distance from the latents that the search found.
    """

    evidence: float = 1.0
    kl: float = 1.0
    contrast: float = 0.0
    turn: float = 0.0
    sparsity: float = 0.0
    encoders: bool = True
    stay: float = 0.0


@dataclass(frozen=True)
class Terms:
    """An ELBO by chain and subject, in nats: log likelihood minus divergence.

    Attributes:
        likelihoods: by modality, (chain, subject), E_q log p(x | z, eta).
        divergence: (chain, subject), log q(z, eta | x) - log p(z, eta).
        graph: (chain,), log q(A, w) - log p(A, w).
        z: (chain, subject, node), the latents drawn.
        adjacency: (chain, child, parent), the gates drawn.
        weight: (chain, child, parent), the weights drawn.
        encoding: what the guide returned.
    """

    likelihoods: dict[str, Tensor]
    divergence: Tensor
    graph: Tensor
    z: Tensor
    adjacency: Tensor
    weight: Tensor
    encoding: Encoding

    @property
    def likelihood(self) -> Tensor:
        """(chain, subject), of all modalities."""
        return sum(self.likelihoods.values(), torch.zeros_like(self.divergence))


class ChainELBO(ELBO):
    """The ELBO of every chain apart; chains share no parameters, so their sum trains each.

    Use it like any Pyro ELBO: `ChainELBO()(model, guide)` is a module to optimise.
    """

    def terms(
        self, model: MultimodalSCM, guide: Callable[[Batch], Encoding], batch: Batch
    ) -> Terms:
        """Run guide and model once and sort their log densities by what they stand for."""
        model_trace, guide_trace = self._get_trace(model, guide, (batch,), {})
        shape = (model.chains, batch.size)
        divergence = guide_trace.nodes["z"]["value"].new_zeros(shape)
        graph = divergence.new_zeros(model.chains)
        likelihoods = {}
        for trace, sign in ((guide_trace, 1.0), (model_trace, -1.0)):
            for name, site in trace.nodes.items():
                if "unscaled_log_prob" not in site:
                    continue
                log_prob = site["unscaled_log_prob"]
                if not any(plate.name == "subject" for plate in site["cond_indep_stack"]):
                    graph = graph + sign * log_prob.reshape(model.chains, -1).sum(1)
                elif site["is_observed"]:
                    likelihoods[name] = log_prob
                else:
                    divergence = divergence + sign * log_prob
        weight = model_trace.nodes["weight"]["value"].flatten(0, 1)
        scm = model_trace.nodes["z"]["fn"]
        return Terms(
            likelihoods,
            divergence,
            graph,
            guide_trace.nodes["z"]["value"],
            scm.adjacency,
            weight,
            guide_trace.nodes["_RETURN"]["value"],
        )

    def _get_trace(self, model: Any, guide: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
        guide_trace = poutine.trace(guide).get_trace(*args, **kwargs)
        model_trace = poutine.trace(poutine.replay(model, guide_trace)).get_trace(*args, **kwargs)
        for trace in (guide_trace, model_trace):
            trace.compute_log_prob(lambda name, site: type(site["fn"]).__name__ != "_Subsample")
        return model_trace, guide_trace

    def differentiable_loss(self, model: Any, guide: Any, *args: Any, **kwargs: Any) -> Tensor:
        """Minus the ELBO, nats per subject, summed over chains."""
        return -chain_elbo(self.terms(model, guide, *args), model.n_subjects).sum()

    def loss(self, model: Any, guide: Any, *args: Any, **kwargs: Any) -> float:
        """The same as a number."""
        with torch.no_grad():
            return float(self.differentiable_loss(model, guide, *args))

    def loss_and_grads(self, model: Any, guide: Any, *args: Any, **kwargs: Any) -> float:
        """The same, with gradients accumulated."""
        loss = self.differentiable_loss(model, guide, *args)
        loss.backward()
        return float(loss.detach())


def chain_elbo(terms: Terms, n_subjects: int) -> Tensor:
    """ELBO of every chain in nats per subject, (chain,)."""
    return (terms.likelihood - terms.divergence).mean(1) - terms.graph / n_subjects


Contrast = Callable[[Encoding, Tensor, float], Tensor]
Distance = Callable[[Encoding, Tensor], Tensor]


class Objective(ChainELBO):
    """The ELBO with its divergence tempered, the causal contrast and a sparsity penalty.

    These lead to the right optimum and are not part of the answer: the ELBO that is compared
    between chains has none of them.

    Args:
        contrast: `CausalContrast`, or anything that is called like it.
        edge_cost: (child, parent), cost of each edge's influence.
        generalises: (chain,), 0 in chains that go on without the contrast; None is 1 for all.
        weights: of the parts; a stage changes them from step to step.
        distance: of the batch's latents from where they are held; None where none are.
    """

    def __init__(
        self, contrast: Contrast, edge_cost: Tensor, generalises: Tensor | None = None
    ) -> None:
        super().__init__()
        self.generalises = 1.0 if generalises is None else generalises
        self.contrast, self.edge_cost = contrast, edge_cost
        self.weights = StepWeights()
        self.distance: Distance | None = None
        self.last_elbo: Tensor | None = None

    def differentiable_loss(self, model: Any, guide: Any, *args: Any, **kwargs: Any) -> Tensor:
        """The objective to be minimised, summed over chains."""
        (batch,) = args
        if self.weights.evidence == 0:
            self.last_elbo = None
            # Encoders that do not move learn nothing by heart.
            encoding = guide.encode(with_pixels_hidden(batch) if self.weights.encoders else batch)
            return (self._search(guide, encoding) + _completion(guide, encoding)).sum()
        weights, terms = self.weights, self.terms(model, guide, batch)
        self.last_elbo = chain_elbo(terms, model.n_subjects).detach()
        loss = (weights.kl * terms.divergence - terms.likelihood).mean(1)
        loss = weights.evidence * (loss + terms.graph / model.n_subjects)
        if weights.contrast > 0:
            loss = loss + self._contrast(guide, terms.encoding)
        if weights.stay > 0 and self.distance is not None:
            moved = self.distance(terms.encoding, guide.unmixing.matrix())
            loss = loss + weights.stay * moved
        if weights.sparsity > 0:
            influence = model.mechanism.influence(terms.z, terms.adjacency, terms.weight)
            loss = loss + weights.sparsity * edge_penalty(influence, self.edge_cost)
        total: Tensor = (loss + _completion(guide, terms.encoding)).sum()
        return total

    def _search(self, guide: AmortizedGuide, encoding: Encoding) -> Tensor:
        if self.weights.encoders:
            return self._contrast(guide, encoding)
        # All chains take part.
        fixed = replace(encoding, loc=encoding.loc.detach())
        return self.contrast(fixed, guide.unmixing.matrix(), self.weights.turn)

    def _contrast(self, guide: AmortizedGuide, encoding: Encoding) -> Tensor:
        loss = self.contrast(encoding, guide.unmixing.matrix(), self.weights.turn)
        return self.weights.contrast * self.generalises * loss


def _completion(guide: AmortizedGuide, encoding: Encoding) -> Tensor | float:
    """What trains the completion of absent modalities; 0 where nobody lacks one."""
    return 0.0 if encoding.absent is None else guide.completion_loss(encoding)


@torch.no_grad()
def held_out_elbo(
    model: MultimodalSCM, guide: AmortizedGuide, batch: Batch, *, draws: int = 1
) -> Tensor:
    """Held-out ELBO of every chain and subject, (chain, subject), in nats.

    Args:
        model: the model.
        guide: its guide.
        batch: subjects that training did not see.
        draws: latents drawn per subject.
    """
    elbo = ChainELBO()
    total = torch.zeros(model.chains, batch.size, device=model.zero.device)
    # Validation would stop at the first chain that diverged; here that chain scores NaN.
    with pyro.validation_enabled(False):
        for _ in range(draws):
            terms = elbo.terms(model, guide, batch)
            total += terms.likelihood - terms.divergence
    return total / draws
