"""After the search for latents, the restarts that found most go on; the others are left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from pyrocrl.guide import AmortizedGuide
from pyrocrl.model import MultimodalSCM
from pyrocrl.training.contrast import causal_contrast
from pyrocrl.training.loop import Training

__all__ = ["FINALISTS", "Rebuild", "finalists"]

FINALISTS = 4

Rebuild = Callable[[int], tuple[MultimodalSCM, AmortizedGuide]]


def finalists(run: Training, score: Tensor, rebuild: Rebuild) -> Training:
    """Training that goes on with the four best restarts.

    Where the contrast tells training subjects by heart in some restart, it is no judge of them,
    and all go on.

    Args:
        run: training after the search.
        score: (chain,), held-out score of the search.
        rebuild: makes model and guide with another number of chains.

    Returns:
        The same training if it has no more than four restarts, or one of four.
    """
    if run.model.chains <= FINALISTS or not bool((run.generalises == 1).all()):
        return run
    best = score.argsort(descending=True, stable=True)[:FINALISTS].sort().values
    model, guide = rebuild(FINALISTS)
    contrast = causal_contrast(model, run.edge_cost).to(run.edge_cost.device)
    fewer = replace(run, model=model, guide=guide, contrast=contrast)
    with torch.no_grad():
        for new, old in zip(_parameters(fewer), _parameters(run), strict=True):
            new.copy_(old[best])
    record = run.history.records[-1]
    run.history.records[-1] = replace(
        record, reason=f"{record.reason}; the best {FINALISTS} of {run.model.chains} restarts go on"
    )
    return fewer


def _parameters(run: Training) -> Iterator[nn.Parameter]:
    for module in (run.model, run.guide, run.contrast):
        yield from module.parameters()
