"""How well latents that are final tell which measurements belong to one subject: judged anew."""

from __future__ import annotations

from itertools import islice

import torch
from torch import Tensor

from pyrocrl.data import Batch, MultimodalData
from pyrocrl.guide import AmortizedGuide
from pyrocrl.model import MultimodalSCM
from pyrocrl.training.contrast import causal_contrast
from pyrocrl.training.encoded import encoded, endless_rows, rows_of
from pyrocrl.training.loop import BestSoFar
from pyrocrl.training.optimizer import ChainOptimizer

__all__ = ["judged_anew"]

_BATCH = 256
_STEPS = 300
_STEPS_BETWEEN_EVALUATIONS = 10
_RATE = 0.3
_PRICE = 0.03


def judged_anew(
    model: MultimodalSCM,
    guide: AmortizedGuide,
    edge_cost: Tensor,
    subjects: MultimodalData,
    held_out: Batch,
) -> Tensor:
    """Fit a fresh causal contrast to every restart's latents, and ask it about held-out subjects.

    Restarts that went on without the contrast are compared with the others by it.

    Args:
        model: the trained model.
        guide: its guide.
        edge_cost: (child, parent), cost of each edge's influence.
        subjects: training subjects.
        held_out: held-out subjects; the contrast is taken where it tells them best.

    Returns:
        (chain, subject), see `CausalContrast.log_match`.
    """
    contrast = causal_contrast(model, edge_cost).to(edge_cost.device)
    told, asked = encoded(guide, [subjects]), guide.encode(held_out)
    matrix = guide.unmixing.matrix().detach()
    optimizer = ChainOptimizer(
        [*contrast.own.parameters(), *contrast.rest.parameters()], contrast.parameters()
    )
    best = BestSoFar([contrast])
    size = min(_BATCH, max(2, subjects.n_subjects // 2))
    for step, rows in enumerate(islice(endless_rows(subjects.n_subjects, size), _STEPS), start=1):
        loss = contrast(rows_of(told, rows), matrix, _PRICE).sum()
        optimizer.step(loss, _RATE)
        if step % _STEPS_BETWEEN_EVALUATIONS == 0:
            with torch.no_grad():
                best.update(-contrast(asked, matrix, _PRICE), step)
    best.restore()
    match: Tensor = contrast.log_match(asked, matrix)
    return match
