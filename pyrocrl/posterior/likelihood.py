"""How probable subjects' measurements are, with their latents integrated out by sampling."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyro
import torch
from pyro import poutine
from torch import Tensor

from pyrocrl.data import Batch, MultimodalData
from pyrocrl.guide import AmortizedGuide
from pyrocrl.model import MultimodalSCM
from pyrocrl.posterior.encoding import encode_nodes
from pyrocrl.posterior.predictive import Sites, causal_model
from pyrocrl.posterior.regression import NodeRegression
from pyrocrl.scm import SCM

__all__ = ["log_likelihood"]

_ROWS, _MOST_NUMBERS = 8192, 2**24

FloatArray = npt.NDArray[np.float64]


@torch.no_grad()
def log_likelihood(
    model: MultimodalSCM,
    guide: AmortizedGuide,
    subjects: MultimodalData,
    everybody: MultimodalData,
    graphs: Sequence[Sites],
    particles: int,
    weights: Mapping[int, float],
) -> dict[str, FloatArray]:
    """Log densities of subjects' measurements under draws of the graph and its weights.

    `joint` is log p(x), all modalities together; a modality's own is log p(x^(m) | all others),
    log p(x) less the same without the modality. Both are of the mixture of the chains. Latents are
    drawn from the guide and weighted; where a modality is left out, its latents are drawn from a
    regression on the others.

    Args:
        model: the model.
        guide: its guide.
        subjects: whose measurements are judged.
        everybody: subjects to learn the regressions from.
        graphs: what `draw_graphs` returned, one for each draw.
        particles: draws of latents for each subject.
        weights: of the chains that count, in the mixture.

    Returns:
        `joint` and one entry per modality, (draw, subject), in nats, of standardised measurements.

    Source: Burda, Grosse and Salakhutdinov (2016), Importance weighted autoencoders, equation 8.
    """
    with pyro.validation_enabled(False):
        nodes, deviations = encode_nodes(model, guide, everybody)
        regressions = {
            name: NodeRegression.fit(nodes, deviations, _positions(where, nodes.shape[-1]))
            for name, where in model.positions.items()
        }
        causal = [causal_model(model, graph) for graph in graphs]
        widest = max(modality.width for modality in subjects)
        step = max(1, min(_ROWS, _MOST_NUMBERS // widest) // particles)
        parts: dict[str, list[Tensor]] = {name: [] for name in ("joint", *subjects.names)}
        for start in range(0, subjects.n_subjects, step):
            batch = subjects.batch(slice(start, start + step)).to(model.zero.device)
            drawn = _Particles.draw(model, guide, batch, particles)
            joint = _mixed(drawn.evidence(causal), weights)
            parts["joint"].append(joint)
            for name, regression in regressions.items():
                rest = _mixed(drawn.without(name, regression).evidence(causal), weights)
                parts[name].append(joint - rest)
    return {name: torch.cat(own, -1).double().cpu().numpy() for name, own in parts.items()}


def _mixed(evidence: Tensor, weights: Mapping[int, float]) -> Tensor:
    """Log density of the mixture of chains, (chain, draw, subject) -> (draw, subject)."""
    each = [evidence[chain] + math.log(weight) for chain, weight in weights.items()]
    return torch.stack(each).logsumexp(0)


def _positions(where: slice, size: int) -> Tensor:
    """(node,), True in a slice."""
    own = torch.zeros(size, dtype=torch.bool)
    own[where] = True
    return own


@dataclass(frozen=True)
class _Particles:
    """Latents drawn for every subject, and their weights but for p(z | A, w).

    Attributes:
        model: the model.
        z: (chain, subject * particle, node).
        log_weight: per modality, (chain, subject * particle): density of its measurements and
            noise, less the density with which its latents and noise were drawn.
        particles: of each subject.
    """

    model: MultimodalSCM
    z: Tensor
    log_weight: dict[str, Tensor]
    particles: int

    @classmethod
    def draw(
        cls, model: MultimodalSCM, guide: AmortizedGuide, batch: Batch, particles: int
    ) -> _Particles:
        many = batch.repeated(particles)
        encoding = guide.encode(many)
        proposal = torch.distributions.Normal(encoding.loc, encoding.scale, validate_args=False)
        y = torch.where(encoding.known, encoding.loc, proposal.sample())
        density = proposal.log_prob(y).masked_fill(encoding.known, 0.0)
        matrix = model.unmixing.matrix()
        values, drawn_with = {"z": torch.matmul(y, matrix)}, {}
        for name, where in model.positions.items():
            volume = torch.linalg.slogdet(matrix[:, where, where])[1].unsqueeze(-1)
            drawn_with[name] = density[..., where].sum(-1) - volume
        for name, (loc, scale) in encoding.eta.items():
            noise = torch.distributions.Normal(loc, scale, validate_args=False)
            values[f"{name}.eta"] = noise.sample()
            drawn_with[name] += noise.log_prob(values[f"{name}.eta"]).sum(-1)
        trace = poutine.trace(poutine.condition(model, values)).get_trace(many)
        trace.compute_log_prob(lambda name, _: name in drawn_with or name in values)
        log_weight = {name: -density for name, density in drawn_with.items()}
        for name in log_weight:
            for site in {name, f"{name}.eta"} & set(trace.nodes):
                log_weight[name] = log_weight[name] + trace.nodes[site]["unscaled_log_prob"]
        return cls(model, values["z"], log_weight, particles)

    def without(self, name: str, regression: NodeRegression) -> _Particles:
        """The same without a modality, its nodes drawn given the others."""
        z, density = regression.draw(self.z)
        return _Particles(self.model, z, {**self.log_weight, name: -density}, self.particles)

    def evidence(self, causal: list[SCM]) -> Tensor:
        """Log density of the measurements under every graph, (chain, draw, subject)."""
        own = torch.stack(list(self.log_weight.values())).sum(0)
        weights = torch.stack([own + scm.log_prob(self.z) for scm in causal], 1)
        each = weights.unflatten(-1, (-1, self.particles))
        evidence: Tensor = each.logsumexp(-1) - math.log(self.particles)
        return evidence
