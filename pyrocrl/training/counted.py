"""Stages after the search: so many steps, however many subjects there are."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from torch import Tensor

from pyrocrl.training.encoded import endless_rows
from pyrocrl.training.history import History, StageRecord
from pyrocrl.training.progress import Silence

__all__ = ["CountedStage"]


@dataclass(frozen=True)
class CountedStage:
    """A stage that is counted in steps, not in passes over the data.

    Attributes:
        name: shown in the progress bar and the report.
        purpose: what it is for, in a few words.
        most_steps: steps that it takes, unless the user's limit on the passes ends it before.
        most_subjects: in a batch, where there are as many.
    """

    name: str
    purpose: str
    most_steps: int
    most_subjects: int

    def steps(self, n_subjects: int, max_epochs: int | None) -> int:
        """Steps that are taken.

        Args:
            n_subjects: training subjects.
            max_epochs: limit on the passes over the data.

        Example:
            >>> stage = CountedStage("edges", "fit the gates", most_steps=600, most_subjects=512)
            >>> stage.steps(2048, max_epochs=None), stage.steps(2048, max_epochs=3)
            (600, 12)
        """
        if max_epochs is None:
            return self.most_steps
        return min(self.most_steps, max_epochs * self._per_epoch(n_subjects))

    def run(
        self,
        step: Callable[[Tensor, float], str],
        n_subjects: int,
        steps: int,
        history: History,
        progress: Silence,
    ) -> None:
        """Take the steps; Ctrl-C ends them and keeps what was found.

        Args:
            step: takes one, given the batch's rows and the share of the steps that is done;
                returns what the progress bar is to say.
            n_subjects: training subjects.
            steps: number of steps.
            history: gets a record of the stage.
            progress: where progress is shown.
        """
        started, done, reason = time.perf_counter(), 0, f"ran its {steps} steps"
        progress.start(self.name, steps)
        try:
            for rows in islice(endless_rows(n_subjects, self._batch(n_subjects)), steps):
                said = step(rows, done / steps)
                done += 1
                progress.advance(said)
        except KeyboardInterrupt:
            reason = "interrupted by the user; what was found so far is kept"
        progress.finish("" if done == steps else reason)
        seconds, epochs = time.perf_counter() - started, done // self._per_epoch(n_subjects)
        history.records.append(StageRecord(self.name, self.purpose, epochs, seconds, reason))

    def _batch(self, n_subjects: int) -> int:
        return min(self.most_subjects, n_subjects)

    def _per_epoch(self, n_subjects: int) -> int:
        return n_subjects // self._batch(n_subjects)
