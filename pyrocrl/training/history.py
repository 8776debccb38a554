"""What happened during a fit: ELBOs by epoch, and why each stage stopped."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import pandas as pd
from torch import Tensor

__all__ = ["History", "StageRecord"]

Row = dict[str, str | int | float]


@dataclass(frozen=True)
class StageRecord:
    """One stage that was run.

    Attributes:
        stage: its name.
        purpose: what it is for.
        epochs: passes over the data that it took.
        seconds: wall time.
        reason: why it stopped.
    """

    stage: str
    purpose: str
    epochs: int
    seconds: float
    reason: str


@dataclass
class History:
    """Record of a fit: one row per epoch that was evaluated and restart, one record per stage."""

    rows: list[Row] = field(default_factory=list)
    records: list[StageRecord] = field(default_factory=list)

    def add(self, stage: str, epoch: int, elbo: Tensor, held_out: Tensor) -> None:
        """Note every chain's ELBOs after an epoch, in nats per subject.

        Args:
            stage: name of the stage.
            epoch: number of the epoch in the whole fit.
            elbo: (chain,), mean over the steps since the last note.
            held_out: (chain,), on held-out subjects.
        """
        for restart, (own, held) in enumerate(zip(elbo.tolist(), held_out.tolist(), strict=True)):
            row: Row = {"stage": stage, "epoch": epoch, "restart": restart}
            self.rows.append({**row, "elbo": own, "held_out_elbo": held})

    def frame(self) -> pd.DataFrame:
        """One row per noted epoch and restart."""
        columns = ["stage", "epoch", "restart", "elbo", "held_out_elbo"]
        return pd.DataFrame(self.rows, columns=columns)

    def stages(self) -> pd.DataFrame:
        """One row per stage."""
        columns = ["stage", "purpose", "epochs", "seconds", "reason"]
        return pd.DataFrame([asdict(record) for record in self.records], columns=columns)

    @property
    def epochs(self) -> int:
        """Passes over the data so far."""
        return sum(record.epochs for record in self.records)

    @property
    def interrupted(self) -> bool:
        """Whether the user stopped the fit."""
        return any("interrupted" in record.reason for record in self.records)
