"""How the fit went: the ELBO over epochs and how far the restarts agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pyrocrl.posterior.restarts import best_restart
from pyrocrl.report.style import INK, MUTED, POSITIVE, drawn, note_beside, plain, share_rows
from pyrocrl.report.tables import ranked_restarts, rows
from pyrocrl.report.wording import gap, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pyrocrl.posterior import Posterior

__all__ = ["AgreementPicture", "HistoryPicture", "plot_agreement", "plot_history"]

_OTHERS = "#9aa5b1"


@dataclass(frozen=True)
class HistoryPicture:
    """ELBO traces of all restarts.

    Attributes:
        history: stage, step (epochs from the start of the fit), restart, elbo, held_out_elbo.
        best: the restart whose latents are reported.
    """

    history: pd.DataFrame
    best: int

    @classmethod
    def of(cls, posterior: Posterior) -> HistoryPicture:
        """Put the stages one after the other."""
        return cls(_in_a_row(posterior.history), best_restart(posterior.restarts))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        return 9.0, 3.6

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``."""
        restarts = list(dict.fromkeys(self.history["restart"]))
        for restart in sorted(restarts, key=lambda r: r == self.best):
            own = self.history[self.history["restart"] == restart]
            first = restart == self.best
            colour = POSITIVE if first else _OTHERS
            held_out = own.dropna(subset=["held_out_elbo"])
            ax.plot(own["step"], own["elbo"], color=colour, linewidth=0.9, alpha=0.6)
            ax.plot(
                held_out["step"],
                held_out["held_out_elbo"],
                color=colour,
                linewidth=2.0 if first else 1.0,
            )
        self._limit(ax)
        self._mark_stages(ax)
        self._legend(ax, len(restarts))
        ax.set_xlabel("epoch", fontsize=9, color=INK)
        ax.set_ylabel("ELBO, nats per subject", fontsize=9, color=INK)
        ax.tick_params(labelsize=8.5, labelcolor=INK)
        ax.grid(axis="y", color="#e4e7eb", linewidth=0.7)
        ax.spines[["top", "right"]].set_visible(False)

    def _limit(self, ax: Axes) -> None:
        """Let the first epochs leave the frame: they would flatten all that follows."""
        values = self.history[["elbo", "held_out_elbo"]].to_numpy(dtype=float)
        finite = values[np.isfinite(values)]
        if len(finite) < 20:
            return
        low, high = np.quantile(finite, 0.04), finite.max()
        room = 0.08 * (high - low)
        if room > 0:
            ax.set_ylim(low - room, high + 2 * room)

    def _mark_stages(self, ax: Axes) -> None:
        # Not every epoch is noted: a stage begins where the one before it ended.
        last = self.history.groupby("stage", sort=False)["step"].max()
        steps = self.history["step"]
        first = [steps.min(), *last.to_list()[:-1]]
        spans = list(zip(last.index, first, last.to_list(), strict=True))
        total = max(1, int(steps.max() - steps.min()))
        # A name needs its width above its stage; where one does not fit all become numbers.
        fits = all(len(str(stage)) * 0.012 < (high - low + 1) / total for stage, low, high in spans)
        for i, (stage, low, high) in enumerate(spans, start=1):
            if i > 1:
                ax.axvline(low, color=_OTHERS, linewidth=0.8, linestyle=(0, (3, 3)))
            ax.annotate(
                plain(str(stage)) if fits else str(i),
                ((low + high) / 2, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=8.5,
                color=MUTED,
            )

    def _legend(self, ax: Axes, restarts: int) -> None:
        from matplotlib.lines import Line2D

        handles = [
            Line2D([], [], color=POSITIVE, linewidth=2, label="held-out subjects"),
            Line2D([], [], color=POSITIVE, linewidth=0.9, alpha=0.6, label="training subjects"),
        ]
        if restarts > 1:
            handles[0].set_label("held-out subjects, reported restart")
            handles[1].set_label("training subjects, reported restart")
            handles.append(Line2D([], [], color=_OTHERS, linewidth=1, label="other restarts"))
        ax.legend(handles=handles, fontsize=8.5, frameon=False, loc="lower right", labelcolor=INK)


def _in_a_row(history: pd.DataFrame) -> pd.DataFrame:
    """Add ``step``: epochs counted through, also where each stage counts its own."""
    parts, done = [], 0
    for _, part in history.groupby("stage", sort=False):
        epochs = part["epoch"].astype(int)
        step = epochs if epochs.min() >= done else epochs - epochs.min() + done
        parts.append(part.assign(step=step))
        done = int(step.max()) + 1
    return pd.concat(parts) if parts else history.assign(step=history["epoch"])


def plot_history(posterior: Posterior, ax: Axes | None = None) -> Axes:
    """Draw the ELBO of every restart over the epochs of all stages.

    Args:
        posterior: what to draw.
        ax: where to draw; new Axes of a fitting size where None.

    Returns:
        The Axes.
    """
    return drawn(HistoryPicture.of(posterior), ax)


@dataclass(frozen=True)
class AgreementPicture:
    """A bar for each restart: how far its latents agree with those that are reported.

    Attributes:
        restarts: the posterior's table of restarts, the reported one first.
    """

    restarts: pd.DataFrame

    @classmethod
    def of(cls, posterior: Posterior) -> AgreementPicture:
        """Put the best restart first and the others by how well they do."""
        return cls(ranked_restarts(posterior.restarts))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        return 9.0, 1.1 + 0.3 * max(2, len(self.restarts))

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``."""
        restarts = list(rows(self.restarts))
        places = np.arange(len(restarts))
        agreement = self.restarts["agreement"].to_numpy(dtype=float)
        colours = [POSITIVE if row.weight > 0 else _OTHERS for row in restarts]
        ax.barh(places, np.nan_to_num(agreement), height=0.62, color=colours)
        for place, row in zip(places, restarts, strict=True):
            note_beside(ax, _in_words(row), float(place))
        share_rows(ax, [f"restart {row.restart}" for row in restarts], size=8.5)
        ax.set_xlabel(
            "mean |correlation| of its latents with those of the reported restart", fontsize=9
        )
        ax.grid(axis="x", color="#e4e7eb", linewidth=0.7)
        ax.set_axisbelow(True)


def _in_words(row: Any) -> str:
    if not np.isfinite(row.held_out_elbo):
        return "diverged"
    behind = f"{gap(row.difference, row.difference_se)} nats" if row.difference else "best held out"
    counts = f"weight {percent(row.weight)}" if row.weight > 0 else "does not count"
    return f"{row.agreement:.2f}   {behind}   {counts}"


def plot_agreement(posterior: Posterior, ax: Axes | None = None) -> Axes:
    """Draw how far the latents of each restart agree with those that are reported.

    Args:
        posterior: what to draw.
        ax: where to draw; new Axes of a fitting size where None.

    Returns:
        The Axes.
    """
    return drawn(AgreementPicture.of(posterior), ax)
