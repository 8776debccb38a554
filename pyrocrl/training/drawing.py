"""Decoders of images and series, fitted once the latents are found.

While latents are looked for, cells of an image or a series are taken for so imprecise that they
cannot lead the latents astray. Their decoders learn little from that, and what they do learn comes
from the noises, which are free to say once more what the latents say. Here the latents stay, and
are taken for known. First the decoders learn what follows from them alone, with noises as the model
draws them; then encoders tell the noises what is left; and at last, how sure the latents may be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pyro
import torch
from pyro import poutine
from torch import Tensor

from pyrocrl.data import ArrayModality, Batch, MultimodalData
from pyrocrl.guide import AmortizedGuide, Encoding
from pyrocrl.modality import NetworkDecoder, NetworkEncoder, SteadyEncoder, weight_of_cells
from pyrocrl.model import MultimodalSCM
from pyrocrl.training.counted import CountedStage
from pyrocrl.training.history import History
from pyrocrl.training.objective import ChainELBO
from pyrocrl.training.optimizer import ChainOptimizer
from pyrocrl.training.progress import Silence
from pyrocrl.training.stages import Ramp

__all__ = ["fit_decoders", "keep_latents"]

_SURE = 1e-3
# Shares of the steps after which noises are told, and after which latents are doubted.
_NOISES_TOLD, _LATENTS_DOUBTED = 0.4, 0.8
_RATE_OF_DRAWING = (Ramp(0.05, 1.0, over=0.1), Ramp(1.0, 0.03, over=0.4, after=0.4))
_RATE_OF_DOUBT = Ramp(0.3, 0.03, over=0.2, after=0.8)
_STAGE = CountedStage(
    "draw",
    "learn to draw images and series from the latents that were found",
    most_steps=500,
    most_subjects=256,
)


def keep_latents(
    model: MultimodalSCM, guide: AmortizedGuide, data: MultimodalData
) -> dict[str, float]:
    """Fix the latents of images and series, and take their cells for as precise as others.

    Args:
        model: the trained model.
        guide: its guide; encoders of images and series are replaced.
        data: the measurements; only their shapes are used.

    Returns:
        How much a cell of each image or series counts; empty where there is nothing to draw.
    """
    weights = {}
    for modality in data:
        name = modality.name
        if not isinstance(modality, ArrayModality):
            continue
        encoder, decoder = guide.encoders[name], model.decoders[name]
        if isinstance(encoder, NetworkEncoder) and isinstance(decoder, NetworkDecoder):
            weights[name] = weight_of_cells(modality)
            guide.encoders[name] = SteadyEncoder(encoder, guide.latents[name]).to(guide.device)
            decoder.floor *= weights[name] ** 0.5
    return weights


def fit_decoders(
    model: MultimodalSCM,
    guide: AmortizedGuide,
    training: MultimodalData,
    history: History,
    progress: Silence,
    max_epochs: int | None = None,
) -> None:
    """Fit decoders of images and series, and the encoders of their noises, on fixed latents.

    Args:
        model: the trained model.
        guide: its guide.
        training: the subjects.
        history: gets a record of the stage.
        progress: where progress is shown.
        max_epochs: limit on the passes over the data.
    """
    weights = keep_latents(model, guide, training)
    if not weights:
        return
    rests = [p for name in weights for p in _rest(guide, name).parameters()]
    decoders = [p for name in weights for p in model.decoders[name].parameters()]
    drawing, doubting = ChainOptimizer([*rests, *decoders], []), ChainOptimizer(rests, [])
    noises = [f"{name}.eta" for name in weights]

    def step(rows: Tensor, share: float) -> str:
        told = guide if share >= _LATENTS_DOUBTED else _surely(guide)
        if share < _NOISES_TOLD:
            told = poutine.block(told, hide=noises)
        with pyro.validation_enabled(False):
            terms = ChainELBO().terms(model, told, training.batch(rows))
        loss = (terms.divergence - _weighted(terms.likelihoods, weights)).mean(1)
        if share < _LATENTS_DOUBTED:
            warm, cool = _RATE_OF_DRAWING
            drawing.step(loss.sum(), warm(share) * cool(share))
        else:
            doubting.step(loss.sum(), _RATE_OF_DOUBT(share))
        return f"ELBO {-float(loss.detach().min()):.2f}"

    n_subjects = training.n_subjects
    _STAGE.run(step, n_subjects, _STAGE.steps(n_subjects, max_epochs), history, progress)


def _surely(guide: AmortizedGuide) -> Callable[[Batch], Encoding]:
    """The guide, as if latents were known."""

    def told(batch: Batch) -> Encoding:
        encoding = guide.encode(batch)
        guide.draw(batch, replace(encoding, scale=torch.full_like(encoding.scale, _SURE)))
        return encoding

    return told


def _rest(guide: AmortizedGuide, name: str) -> NetworkEncoder:
    encoder = guide.encoders[name]
    assert isinstance(encoder, SteadyEncoder)
    return encoder.rest


def _weighted(likelihoods: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    parts = [weights.get(name, 1.0) * likelihood for name, likelihood in likelihoods.items()]
    return torch.stack(parts).sum(0)
