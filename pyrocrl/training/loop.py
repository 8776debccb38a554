"""Runs one stage of training: epochs of steps, held-out evaluation, early stopping."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyro
import torch
from torch import Tensor, nn

from pyrocrl.data import Batch, MultimodalData
from pyrocrl.guide import AmortizedGuide
from pyrocrl.model import MultimodalSCM
from pyrocrl.training.contrast import PARTNERS, CausalContrast
from pyrocrl.training.found import FoundLatents
from pyrocrl.training.history import History, StageRecord
from pyrocrl.training.objective import Objective, held_out_elbo
from pyrocrl.training.optimizer import ChainOptimizer
from pyrocrl.training.progress import Silence
from pyrocrl.training.stages import Stage
from pyrocrl.training.steps import shuffled_rows

__all__ = ["BestSoFar", "Training"]

_VALIDATED_STEPS = 3
_STEPS_BETWEEN_EVALUATIONS = 30
_BY_HEART = 0.7


@dataclass
class Training:
    """Model, guide and optimiser while they are trained.

    Attributes:
        model: the model.
        guide: its guide.
        contrast: the causal contrast.
        edge_cost: (child, parent), cost of each edge's influence.
        subjects: training subjects.
        held_out: subjects for the held-out ELBO.
        batch_size: subjects in a batch.
        history: the record so far.
        progress: where progress is shown.
        seen: as many training subjects, for comparison.
        generalises: (chain,), 1 as long as the contrast does about as well on held-out subjects
            as on those.
        found: latents as the search left them, where some restarts are held to them.
    """

    model: MultimodalSCM
    guide: AmortizedGuide
    contrast: CausalContrast
    edge_cost: Tensor
    subjects: MultimodalData
    held_out: Batch
    batch_size: int
    history: History
    progress: Silence
    optimizer: ChainOptimizer = field(init=False)
    seen: Batch = field(init=False)
    generalises: Tensor = field(init=False)
    found: FoundLatents | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        spaced = np.linspace(0, self.subjects.n_subjects - 1, self.held_out.size)
        self.seen = self.subjects.batch(torch.from_numpy(spaced.round().astype(np.int64)))
        self.generalises = torch.ones(self.model.chains).to(self.model.zero)
        networks: list[nn.Module] = [self.guide.encoders, self.model.decoders]
        networks += [self.contrast.own, self.contrast.rest]
        if self.guide.completion is not None:
            networks.append(self.guide.completion)
        together = [self.model, self.guide, self.contrast]
        self.optimizer = ChainOptimizer(
            (p for network in networks for p in network.parameters()),
            (p for module in together for p in module.parameters()),
        )

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over the training subjects."""
        return self.subjects.n_subjects // self.batch_size

    def run(self, stage: Stage, epochs: int) -> Tensor:
        """Run a stage for at most `epochs` passes over the data and note why it stopped.

        Returns:
            (chain,), the best held-out score of each chain.
        """
        started, done, reason = time.perf_counter(), 0, f"ran its {epochs} epochs"
        best = BestSoFar([self.model, self.guide, self.contrast])
        interval = max(1, round(_STEPS_BETWEEN_EVALUATIONS / self.steps_per_epoch))
        patience = None if stage.patience is None else max(2, round(stage.patience * epochs))
        self.progress.start(stage.name, epochs)
        try:
            for epoch in range(epochs):
                elbo = self._epoch(stage, epoch, epochs)
                done = epoch + 1
                if done % interval and done < epochs:
                    self.progress.advance("" if elbo is None else f"ELBO {_best(elbo)}")
                    continue
                self._watch_contrast()
                held_out = self._held_out(stage)
                if elbo is None:
                    self.progress.advance(f"contrast {_best(held_out)}")
                else:
                    self.history.add(stage.name, self.history.epochs + done, elbo, held_out)
                    self.progress.advance(f"ELBO {_best(elbo)}, held out {_best(held_out)}")
                best.update(held_out, done)
                if patience is not None and done - best.epoch >= patience:
                    reason = f"held-out score had not improved for {done - best.epoch} epochs"
                    break
        except KeyboardInterrupt:
            reason = "interrupted by the user; what was found so far is kept"
        if stage.patience is not None:
            best.restore()
        seconds = time.perf_counter() - started
        self.progress.finish("" if done == epochs else reason)
        self.history.records.append(StageRecord(stage.name, stage.purpose, done, seconds, reason))
        return best.score

    @torch.no_grad()
    def _watch_contrast(self) -> None:
        """Leave the contrast out in chains where it begins to tell training subjects by heart."""
        matrix = self.guide.unmixing.matrix()
        unseen, seen = (
            self.contrast.log_match(self.guide.encode(subjects), matrix).mean(1)
            for subjects in (self.held_out, self.seen)
        )
        self.generalises[seen - unseen > _BY_HEART * len(self.contrast.positions)] = 0.0

    @torch.no_grad()
    def _held_out(self, stage: Stage) -> Tensor:
        """What the stage improves, on held-out subjects, (chain,)."""
        if stage.evidence > 0:
            return held_out_elbo(self.model, self.guide, self.held_out).mean(1)
        # Judged at the weights that the stage ends with, or the first, dense graph would win.
        encoding, matrix = self.guide.encode(self.held_out), self.guide.unmixing.matrix()
        loss: Tensor = self.contrast(encoding, matrix, stage.turn(1.0))
        return -loss

    def _epoch(self, stage: Stage, epoch: int, epochs: int) -> Tensor | None:
        """One pass over the data; every chain's mean ELBO, None where the stage has none."""
        objective = Objective(self.contrast, self.edge_cost, self.generalises)
        loss_of = objective(self.model, self.guide)
        elbos = []
        for step, rows in enumerate(shuffled_rows(self.subjects, self.batch_size, PARTNERS)):
            if self.found is not None:
                objective.distance = partial(self.found.distance, rows)
            progress = (epoch + step / self.steps_per_epoch) / epochs
            objective.weights = stage.weights(progress)
            # Validation finds shape errors in the first steps; after that it only costs time.
            first = not self.history.records and epoch == 0 and step < _VALIDATED_STEPS
            with pyro.validation_enabled(first):
                loss = loss_of(self.subjects.batch(rows))
            self.optimizer.step(loss, stage.learning_rate(progress) * stage.cooling(progress))
            if objective.last_elbo is not None:
                elbos.append(objective.last_elbo)
        return torch.stack(elbos).mean(0) if elbos else None


def _best(by_chain: Tensor) -> str:
    return f"{by_chain.nan_to_num(nan=-torch.inf).max():.2f}"


class BestSoFar:
    """Each chain's parameters where its held-out ELBO was best.

    Args:
        modules: modules whose parameters all lead with the chain dimension.
    """

    def __init__(self, modules: list[nn.Module]) -> None:
        unique = {id(p): p for module in modules for p in module.parameters()}
        self.parameters = list(unique.values())
        self.saved = [p.detach().clone() for p in self.parameters]
        self.score = torch.full_like(self.saved[0].flatten(1)[:, 0], -torch.inf)
        self.epoch = 0

    def update(self, score: Tensor, epoch: int) -> None:
        """Keep the parameters of the chains that are better than before, (chain,) scores."""
        # A chain that diverged for a while may come back, and is then better than it was.
        score = score.nan_to_num(nan=-torch.inf)
        better = score > self.score
        if not bool(better.any()):
            return
        self.score = torch.where(better, score, self.score)
        self.epoch = epoch
        for saved, parameter in zip(self.saved, self.parameters, strict=True):
            saved[better] = parameter.detach()[better]

    def restore(self) -> None:
        """Put every chain back to its best."""
        with torch.no_grad():
            for saved, parameter in zip(self.saved, self.parameters, strict=True):
                parameter.copy_(saved)
