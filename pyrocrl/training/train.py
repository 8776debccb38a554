"""From data, model and guide to a trained pair: held-out subjects, stages, gates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from pyrocrl.data import ImageModality, MultimodalData, SeriesModality
from pyrocrl.errors import ModelError
from pyrocrl.guide import AmortizedGuide
from pyrocrl.model import MultimodalSCM
from pyrocrl.training.contrast import PARTNERS, causal_contrast
from pyrocrl.training.drawing import fit_decoders
from pyrocrl.training.finalists import Rebuild, finalists, held_and_free
from pyrocrl.training.gates import fit_gates
from pyrocrl.training.history import History
from pyrocrl.training.loop import Training
from pyrocrl.training.objective import held_out_elbo
from pyrocrl.training.orient import orient
from pyrocrl.training.progress import Bars, Silence
from pyrocrl.training.rejudge import judged_anew
from pyrocrl.training.sparsity import edge_cost
from pyrocrl.training.stages import FEW_SUBJECTS_SCHEDULE, SCHEDULE, epochs_of, schedule_for
from pyrocrl.training.steps import alike

__all__ = ["Trained", "hold_out", "train"]

FloatArray = npt.NDArray[np.float64]

_BATCH = 256
_RAREST = 0.25
_HELD_OUT_SHARE, _MOST_HELD_OUT = 0.1, 1000
# Fewer cannot tell restarts apart, and are raised to this as far as a fifth of all allows.
_ENOUGH_HELD_OUT, _LARGEST_SHARE = 100, 0.2
_DRAWS_HELD_OUT = 8


@dataclass(frozen=True)
class Trained:
    """A trained model and guide.

    Attributes:
        model: the model.
        guide: its guide.
        history: what happened.
        held_out_elbo: (chain, subject), ELBO of held-out subjects in nats, no penalty in it.
        match: (chain, subject), log probability in nats that the modalities of a subject are told
            to belong together, by the causal contrast. Where that learned subjects by heart, a
            fresh one is asked of held-out subjects alone.
    """

    model: MultimodalSCM
    guide: AmortizedGuide
    history: History
    held_out_elbo: FloatArray
    match: FloatArray


def hold_out(
    data: MultimodalData, rng: np.random.Generator
) -> tuple[MultimodalData, MultimodalData]:
    """Split subjects at random: a tenth, at most 1,000, is held out of training.

    Where a tenth is less than 100 subjects, up to a fifth.

    Returns:
        Training subjects and held-out subjects.
    """
    enough = min(_ENOUGH_HELD_OUT, round(_LARGEST_SHARE * data.n_subjects))
    wanted = max(2, enough, round(_HELD_OUT_SHARE * data.n_subjects))
    count = min(_MOST_HELD_OUT, wanted)
    shuffled = rng.permutation(data.n_subjects)
    return data.select(np.sort(shuffled[count:])), data.select(np.sort(shuffled[:count]))


def train(
    model: MultimodalSCM,
    guide: AmortizedGuide,
    training: MultimodalData,
    held_out: MultimodalData,
    *,
    rebuild: Rebuild | None = None,
    progress: bool = True,
    max_epochs: int | None = None,
) -> Trained:
    """Run all stages; Ctrl-C ends the running one, skips the rest and keeps what was found.

    Args:
        model: an untrained model.
        guide: its guide.
        training: subjects to train on.
        held_out: subjects to judge by.
        rebuild: makes model and guide with another number of chains; with it, only the restarts
            that found most are trained to the end.
        progress: show progress bars.
        max_epochs: limit on the passes over the data of all stages together.

    Returns:
        The trained pair.

    Raises:
        ModelError: if training diverged in every chain.
    """
    history = History()
    cost = edge_cost(model.space.allowed, model.nodes.inner).to(model.zero.device)
    batch_size = min(_batch(training), max(1, training.n_subjects // 3))
    if any(modality.seen_by for modality in held_out):
        held_out = held_out.select(alike(held_out, torch.arange(held_out.n_subjects), PARTNERS))
    with Bars() if progress else Silence() as bars:
        run = Training(
            model=model,
            guide=guide,
            contrast=causal_contrast(model, cost).to(model.zero.device),
            edge_cost=cost,
            subjects=training,
            held_out=held_out.batch(),
            batch_size=batch_size,
            history=history,
            progress=bars,
        )
        schedule = schedule_for(
            training.n_subjects,
            series=any(isinstance(modality, SeriesModality) for modality in training),
            images=any(isinstance(modality, ImageModality) for modality in training),
        )
        has_latents = any(model.nodes.is_latent)
        in_pairs = schedule is FEW_SUBJECTS_SCHEDULE and has_latents
        by_heart = schedule is not SCHEDULE and has_latents
        last_search = [stage for stage in schedule if stage.evidence == 0][-1]
        for stage in schedule:
            score = run.run(stage, epochs_of(stage, run.steps_per_epoch, max_epochs))
            if history.interrupted:
                break
            if stage is last_search:
                run = (held_and_free if in_pairs else finalists)(run, score, rebuild)
                model, guide = run.model, run.guide
                if model.space.rule == "learned":
                    orient(model, guide, training)
        scores = held_out_elbo(model, guide, run.held_out, draws=_DRAWS_HELD_OUT)
        if by_heart or not bool((run.generalises == 1).all()):
            match = judged_anew(model, guide, cost, training, run.held_out)
        else:
            match = _match(run)
        if not history.interrupted:
            fit_decoders(model, guide, training, history, bars, max_epochs)
        if not history.interrupted and model.space.rule != "cyclic":
            fit_gates(model, guide, (training, held_out), history, bars, max_epochs)
    if not bool(torch.isfinite(scores.mean(1)).any()):
        raise ModelError(
            "training diverged in every restart; look for extreme values in the data "
            "(log-transform skewed columns) or ask for fewer latents"
        )
    return Trained(
        model,
        guide,
        history,
        scores.double().cpu().numpy(),
        match.double().cpu().numpy(),
    )


def _batch(training: MultimodalData) -> int:
    """Subjects in a batch: so many that `_BATCH` of them have the modality that most lack."""
    encoded = (modality for modality in training if not modality.is_variables)
    rarest = min((float(modality.present.float().mean()) for modality in encoded), default=1.0)
    return round(_BATCH / max(rarest, _RAREST))


@torch.no_grad()
def _match(run: Training) -> torch.Tensor:
    """Of all subjects, as many at a time as are held out.

    What the contrast does better on subjects that it was trained on, it does in all restarts, and
    a thousand alone would not tell these apart.
    """
    matrix, size = run.guide.unmixing.matrix(), run.held_out.size
    starts = range(0, run.subjects.n_subjects - size + 1, size)
    trained_on = (run.subjects.batch(slice(start, start + size)) for start in starts)
    parts = [
        run.contrast.log_match(run.guide.encode(b), matrix) for b in (run.held_out, *trained_on)
    ]
    return torch.cat(parts, dim=1)
