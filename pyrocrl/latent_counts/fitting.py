"""Training of the networks that count latents, and what they say about held-out subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from pyrocrl.data import MultimodalData
from pyrocrl.latent_counts.matching import CountedMatch, JointMatch, given_columns, others_of
from pyrocrl.training.loop import BestSoFar
from pyrocrl.training.optimizer import ChainOptimizer
from pyrocrl.training.progress import Silence

__all__ = ["Shared", "Split", "held_out_nats", "shared_latents"]

FloatArray = npt.NDArray[np.float64]

_BATCH = 256
_CHECKS = 10
_WARM_UP = 60
_FEWEST_STEPS = 60


@dataclass(frozen=True)
class Split:
    """Training and held-out subjects, and how long to train.

    Attributes:
        training: subjects to train on.
        held_out: subjects to judge by.
        max_epochs: limit on the passes over the training subjects in one stage.
        progress: where progress is shown.
    """

    training: MultimodalData
    held_out: MultimodalData
    max_epochs: int | None
    progress: Silence


@dataclass(frozen=True)
class Shared:
    """What the tables share, found with as many latents as may be.

    Attributes:
        networks: trained; `chain` is the best restart.
        chain: that restart.
        training: per table, what stands opposite to it, (subject, column), training subjects.
        held_out: the same of held-out subjects.
    """

    networks: JointMatch
    chain: int
    training: dict[str, Tensor]
    held_out: dict[str, Tensor]


@dataclass(frozen=True)
class _Stage:
    """How long a stage lasts, and how fast weights fade that nothing holds up."""

    steps: int
    epochs: float
    decay: float = 0.0


_JOINT = _Stage(steps=1000, epochs=28, decay=0.01)
# Fading weights would cost few latents, which need steep functions, more than many.
_COUNTED = _Stage(steps=500, epochs=42)


def shared_latents(split: Split, sizes: Mapping[str, int], restarts: int) -> Shared:
    """Find what tables share: latents of each table that can be matched to all the others.

    Args:
        split: the subjects.
        sizes: latents of each table.
        restarts: how many starts; the best on held-out subjects is taken.

    Returns:
        The latents of the best restart.
    """
    networks = JointMatch(split.training, sizes, restarts)
    networks.to(split.training.device)
    batch, held_out = split.training.batch(), split.held_out.batch()
    given = given_columns(split.training, batch)
    given_held_out = given_columns(split.training, held_out)
    score = _train(
        networks,
        lambda rows: networks(split.training.batch(rows), given[rows]),
        lambda: networks(held_out, given_held_out),
        split,
        _JOINT,
        "all tables",
    )
    chain = int(score.argmax())
    with torch.no_grad():
        here = {name: z[[chain]] for name, z in networks.latents(batch).items()}
        there = {name: z[[chain]] for name, z in networks.latents(held_out).items()}
    return Shared(
        networks,
        chain,
        {name: others_of(name, here, given)[0] for name in sizes},
        {name: others_of(name, there, given_held_out)[0] for name in sizes},
    )


def held_out_nats(
    split: Split, shared: Shared, table: str, counts: Sequence[int], restarts: int
) -> FloatArray:
    """What a table's latents share with the others, by their number.

    Args:
        split: the subjects.
        shared: what the others hold.
        table: the table.
        counts: numbers of latents to try.
        restarts: how many starts for each; the best on held-out subjects is taken.

    Returns:
        (count, subject), nats of held-out subjects; NaN where training diverged.
    """
    own, own_held_out = split.training[table].cells(), split.held_out[table].cells()
    others, others_held_out = shared.training[table], shared.held_out[table]
    encoder = shared.networks.encoder(table)
    chains = [count for count in counts for _ in range(restarts)]
    networks = CountedMatch(encoder, shared.chain, chains, others.shape[1]).to(others.device)

    def judged() -> Tensor:
        nats: Tensor = networks(own_held_out, others_held_out)
        return nats

    _train(
        networks,
        lambda rows: networks(own.take(rows), others[rows]),
        judged,
        split,
        _COUNTED,
        table,
    )
    with torch.no_grad():
        nats = judged().double().cpu().numpy().reshape(len(counts), restarts, -1)
    best = np.nan_to_num(nats.mean(2), nan=-np.inf).argmax(1)
    return np.asarray(nats[np.arange(len(counts)), best])


def _train(
    networks: nn.Module,
    nats_of: Callable[[Tensor], Tensor],
    judged: Callable[[], Tensor],
    split: Split,
    stage: _Stage,
    name: str,
) -> Tensor:
    """Train all chains and put each back to where it did best on held-out subjects.

    Args:
        networks: what is trained.
        nats_of: rows of training subjects -> their nats, (chain, subject).
        judged: nats of held-out subjects, (chain, subject).
        split: the subjects.
        stage: how long.
        name: of the stage, to show.

    Returns:
        The best mean nats of held-out subjects, (chain,).
    """
    size = min(_BATCH, max(2, split.training.n_subjects // 3))
    steps = _steps(stage, split.training.n_subjects // size, split.max_epochs)
    optimizer, best = ChainOptimizer(networks.parameters(), []), BestSoFar([networks])
    matrices: list[Tensor] = [p for p in networks.parameters() if p.shape[1] > 1]
    warm_up, interval = min(_WARM_UP, 1 + steps // 5), max(1, steps // _CHECKS)
    split.progress.start(name, steps)
    rows = _endless_rows(split.training.n_subjects, size)
    for step in range(1, steps + 1):
        loss = -nats_of(next(rows)).mean(1).sum()
        rate = min(step / warm_up, 1 - (step - 1) / steps)
        optimizer.step(loss, rate)
        if stage.decay:
            with torch.no_grad():
                torch._foreach_mul_(matrices, 1 - stage.decay * rate)
        if step % interval == 0 or step == steps:
            with torch.no_grad():
                best.update(judged().mean(1), step)
        split.progress.advance(f"{best.score.max():.2f} nats" if step >= interval else "")
    split.progress.finish("")
    best.restore()
    return best.score


def _steps(stage: _Stage, steps_per_epoch: int, max_epochs: int | None) -> int:
    wanted = max(_FEWEST_STEPS, min(stage.steps, round(stage.epochs * steps_per_epoch)))
    return wanted if max_epochs is None else min(wanted, max_epochs * steps_per_epoch)


def _endless_rows(n_subjects: int, size: int) -> Iterator[Tensor]:
    """Rows in random order, pass after pass; a short rest is left out."""
    while True:
        yield from torch.randperm(n_subjects).split(size)[: n_subjects // size]
