"""Training of the networks that look for agreement, and how the agreement grew meanwhile.

Training goes in rounds, in each of which the learning rate falls to nothing. Where disagreement is
small and still falling, it is open what it will fall to, and another round follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pyrocrl.data import MultimodalData
from pyrocrl.sharing.agreement import Agreement, Components, disagreement
from pyrocrl.training.optimizer import ChainOptimizer
from pyrocrl.training.progress import Silence

__all__ = ["Curve", "Subjects", "disagreements", "fit_agreement"]

_BATCH = 512
_EPOCHS = 70
_MOST_STEPS, _FEWEST_STEPS = 1200, 200
_WARM_UP = 60
_CHECKS = 3
_MOST_ROUNDS = 3
_STILL_FALLS = 0.85
_IN_DOUBT = (0.003, 0.2)
_NEARLY_ALIKE = 1e-3
_LEAST_VARIANCE = 0.5


@dataclass(frozen=True)
class Subjects:
    """Subjects to train on, and others to judge by."""

    training: MultimodalData
    held_out: MultimodalData

    @property
    def count(self) -> int:
        """How many there are in all."""
        return self.training.n_subjects + self.held_out.n_subjects


@dataclass(frozen=True)
class Curve:
    """How much the members of each set disagree, 1 - r^2 of the pair that disagrees most.

    Attributes:
        held_out: (check, component, set), of held-out subjects, after each third of the last round.
        training: (component, set), of training subjects at the end.
    """

    held_out: Tensor
    training: Tensor


def fit_agreement(
    networks: Agreement,
    subjects: Subjects,
    given: tuple[Tensor, Tensor],
    *,
    progress: Silence | None = None,
    max_epochs: int | None = None,
) -> Curve:
    """Train the networks until their sets agree as far as they can.

    Args:
        networks: what is trained.
        subjects: to train on and to judge by.
        given: latents known already, (set, subject, latent), of training and held-out subjects.
        progress: where progress is shown.
        max_epochs: limit on the passes over the training subjects.

    Returns:
        How far the sets came to agree.
    """
    progress = progress or Silence()
    count = subjects.training.n_subjects
    size = min(_BATCH, max(2, count // 3))
    steps = _steps(count // size, max_epochs)
    optimizer, rows = ChainOptimizer(networks.parameters(), []), _endless_rows(count, size)
    rounds = _MOST_ROUNDS if max_epochs is None else 1
    for _ in range(rounds):
        checks: list[tuple[Tensor, Tensor]] = []
        progress.start(f"what {len(networks.sets[0])} modalities share", steps)
        for step in range(1, steps + 1):
            some = next(rows)
            loss = _loss(networks(subjects.training.batch(some), given[0][:, some]))
            optimizer.step(loss, min(step / _WARM_UP, 1.0, 2 * (1 - (step - 1) / steps)))
            progress.advance("")
            if step % (steps // _CHECKS) == 0 and len(checks) < _CHECKS:
                checks.append(disagreements(networks, subjects, given))
        progress.finish("")
        curve = Curve(torch.stack([held_out for _, held_out in checks]), checks[-1][0])
        if not _in_doubt(curve):
            break
    return curve


def _in_doubt(curve: Curve) -> bool:
    """Whether some set's first component may yet turn out to be shared, or not."""
    before, now = curve.held_out[-2, 0], curve.held_out[-1, 0]
    doubtful = (now > _IN_DOUBT[0]) & (now < _IN_DOUBT[1])
    return bool((doubtful & (now < _STILL_FALLS * before)).any())


@torch.no_grad()
def disagreements(
    networks: Agreement, subjects: Subjects, given: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Disagreement of the pair that disagrees most, of training and of held-out subjects.

    Args:
        networks: the networks.
        subjects: training subjects set the units, for the held-out ones too.
        given: latents known already, as for `fit_agreement`.

    Returns:
        (component, set) both.
    """
    here = networks(subjects.training.batch(), given[0])
    there = networks.again(subjects.held_out.batch(), given[1])
    return disagreement(here.loc).amax(-1), disagreement(there.loc).amax(-1)


def _loss(said: Components) -> Tensor:
    """Nats that disagreement leaves untold, plus what keeps components from known latents."""
    untold = 0.5 * torch.log(disagreement(said.loc).mean(-1) + _NEARLY_ALIKE)
    # A code that is all told by known latents would leave a tiny rest, on which all agree.
    short = torch.relu(1 - said.loc.var(-1) / _LEAST_VARIANCE) ** 2
    return untold.sum() + 2 * short.sum() + _misjudged(said).sum()


def _misjudged(said: Components) -> Tensor:
    """How wrong the encoders are about the size of their errors; means are left alone."""
    members = said.loc.shape[2]
    one, other = torch.triu_indices(members, members, 1)
    loc, variance = said.loc.detach(), said.scale**2
    error = (loc[:, :, one] - loc[:, :, other]) ** 2
    expected = variance[:, :, one] + variance[:, :, other]
    return 0.5 * (error / expected + expected.log()).mean((2, 3))


def _steps(steps_per_epoch: int, max_epochs: int | None) -> int:
    epochs = _EPOCHS if max_epochs is None else min(_EPOCHS, max_epochs)
    steps = min(_MOST_STEPS, epochs * steps_per_epoch)
    return max(_CHECKS, steps if max_epochs is not None else max(_FEWEST_STEPS, steps))


def _endless_rows(count: int, size: int) -> Iterator[Tensor]:
    """Rows in random order, pass after pass; a short rest is left out."""
    while True:
        yield from torch.randperm(count).split(size)[: count // size]
