"""After the search for latents, the restarts that found most go on; the others are left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from pyrocrl.guide import AmortizedGuide
from pyrocrl.model import MultimodalSCM
from pyrocrl.training.contrast import causal_contrast
from pyrocrl.training.found import FoundLatents
from pyrocrl.training.loop import Training

__all__ = ["FINALISTS", "Rebuild", "finalists", "held_and_free"]

FINALISTS = 4

Rebuild = Callable[[int], tuple[MultimodalSCM, AmortizedGuide]]


def finalists(run: Training, score: Tensor, rebuild: Rebuild | None) -> Training:
    """Training that goes on with the four best restarts, whose latents are held where they are.

    Where the contrast tells training subjects by heart in some restart, it is no judge of them,
    and all go on.

    Args:
        run: training after the search.
        score: (chain,), held-out score of the search.
        rebuild: makes model and guide with another number of chains; without it, all go on.

    Returns:
        The same training if it has no more than four restarts, or one of four.
    """
    judged = bool((run.generalises == 1).all())
    if run.model.chains > FINALISTS and judged and rebuild is not None:
        best = score.argsort(descending=True, stable=True)[:FINALISTS].sort().values
        said = f"the best {FINALISTS} of {run.model.chains} restarts go on"
        run = _going_on(run, best, rebuild, said)
    if any(run.model.nodes.is_latent):
        held = torch.ones(run.model.chains).to(run.model.zero)
        run.found = FoundLatents.of(run.model, run.guide, run.subjects, held)
    return run


def held_and_free(run: Training, score: Tensor, rebuild: Rebuild | None) -> Training:
    """Training of few subjects, which goes on with the best half of the restarts, each twice.

    Once its latents are held to the end where the search left them, once they are free. Where
    measurements are far from straight in the latents, the ELBO leads latents away that the search
    has found; where they are nearly straight, it leads to better ones. Which of both happened is
    judged by the contrast when all is done.

    Args:
        run: training after the search.
        score: (chain,), held-out score of the search.
        rebuild: makes model and guide with another number of chains; without it, all are held.

    Returns:
        Training of as many restarts as before, but at most eight; of an odd number, one more is
        held than free.
    """
    chains = run.model.chains
    if rebuild is not None:
        total = min(chains, 2 * FINALISTS)
        best = score.argsort(descending=True, stable=True)
        held, free = best[: total - total // 2], best[: total // 2]
        said = f"the best {len(held)} of {chains} restarts go on, with latents held and free"
        which = torch.cat([held.sort().values, free.sort().values])
        run = _going_on(run, which, rebuild, said)
        chains = len(held)
    is_held = (torch.arange(run.model.chains) < chains).to(run.model.zero)
    run.found = FoundLatents.of(run.model, run.guide, run.subjects, is_held)
    return run


def _going_on(run: Training, which: Tensor, rebuild: Rebuild, said: str) -> Training:
    """Training of these restarts as they are, with an optimiser that starts anew."""
    model, guide = rebuild(len(which))
    contrast = causal_contrast(model, run.edge_cost).to(run.edge_cost.device)
    other = replace(run, model=model, guide=guide, contrast=contrast)
    other.generalises = run.generalises[which]
    with torch.no_grad():
        for new, old in zip(_parameters(other), _parameters(run), strict=True):
            new.copy_(old[which])
    record = run.history.records[-1]
    run.history.records[-1] = replace(record, reason=f"{record.reason}; {said}")
    return other


def _parameters(run: Training) -> Iterator[nn.Parameter]:
    for module in (run.model, run.guide, run.contrast):
        yield from module.parameters()
