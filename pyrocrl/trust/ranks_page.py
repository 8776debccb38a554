"""Ranks of simulation-based calibration as a Markdown page and a picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.markdown import markdown_table
from pyrocrl.report.style import INK, MUTED, figure_of, group_colours, legend_beside
from pyrocrl.trust.ranks import DRAWS, QUANTITIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RanksPicture", "render_ranks", "save_ranks"]

FloatArray = npt.NDArray[np.float64]

_DPI = 110
_BINS = 10
# The greatest gap that 19 of 20 samples of uniform ranks stay below, times sqrt(ranks).
_KOLMOGOROV = 1.358
_ORDERS = {"modality": "known", "learned": "unknown"}
_HEAD = """\
# Simulation-based calibration of continuous sites

Made by

    pyrocrl benchmark ranks --seeds {seeds}

Each data set is drawn from the prior: edge rates, an acyclic graph of four variables in two
groups, slopes, noise, and 100 subjects (linear, Gaussian noise), given that variables are
standardised (`pyrocrl.trust.ranks`). The rank of the true value among {draws} draws of its
posterior is uniform where the posterior is right.

- rate: of an edge between two modalities and of one inside a modality, which have the same rate
  where there is one for all. slope: of the first of these edges, 0 where it is absent. edges: their
  number. Ties are broken at random.
- p-value: of a chi-squared test of {bins} equal bins; gap: largest distance between the
  distribution of ranks and the uniform one, and the distance that 95 % of uniform samples stay
  below.

![Ranks against uniform ones](ranks.png)

"""
_COLUMNS = ("prior", "order", "quantity", "data sets", "mean rank", "p-value", "gap", "95 % below")


def render_ranks(results: pd.DataFrame) -> str:
    """The page.

    Args:
        results: rows of `pyrocrl.trust.ranks.measure`.

    Returns:
        Markdown.
    """
    from scipy.stats import chisquare

    lines = []
    for prior, order, quantity, ranks in _samples(results):
        counts = np.histogram(ranks, _BINS, (0, DRAWS + 1))[0]
        lines.append(
            (
                *(prior, _ORDERS[order], quantity, len(ranks)),
                f"{ranks.mean() / DRAWS:.3f}",
                f"{chisquare(counts).pvalue:.2f}",
                f"{np.abs(_gaps(ranks)).max():.3f}",
                f"{_KOLMOGOROV / np.sqrt(len(ranks)):.3f}",
            )
        )
    seeds = f"{results.seed.min()}-{results.seed.max()}"
    head = _HEAD.format(seeds=seeds, draws=DRAWS, bins=_BINS)
    return head + markdown_table(_COLUMNS, lines) + "\n"


@dataclass(frozen=True)
class RanksPicture:
    """Distribution of ranks less the uniform one, a line for each quantity.

    Attributes:
        results: Rows of `pyrocrl.trust.ranks.measure`.
    """

    results: pd.DataFrame

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        return 7.4, 4.2

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``, with the band that 95 % of uniform samples stay within."""
        colours = group_colours(QUANTITIES)
        fewest = min(len(ranks) for *_, ranks in _samples(self.results))
        band = _KOLMOGOROV / np.sqrt(fewest)
        ax.axhspan(-band, band, color=MUTED, alpha=0.15, linewidth=0, label="95 % of uniform")
        shares = np.arange(DRAWS + 1) / DRAWS
        seen = set()
        for _, _, quantity, ranks in _samples(self.results):
            label = None if quantity in seen else quantity
            seen.add(quantity)
            ax.plot(shares, _gaps(ranks), color=colours[quantity], linewidth=1.1, label=label)
        ax.set_xlabel("rank of the truth, as a share", fontsize=9, color=INK)
        ax.set_ylabel("share of ranks up to it, less the uniform", fontsize=9, color=INK)
        ax.set_title("a line for each prior and order", fontsize=10, color=INK, loc="left")
        ax.tick_params(labelsize=8.5, labelcolor=INK)
        ax.spines[["top", "right"]].set_visible(False)
        legend_beside(ax)


def save_ranks(results: pd.DataFrame, path: Path) -> None:
    """Write the picture.

    Args:
        results: Rows of `pyrocrl.trust.ranks.measure`.
        path: Of the PNG file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    figure_of(RanksPicture(results)).savefig(path, dpi=_DPI, metadata={"Software": None})


def _samples(results: pd.DataFrame) -> Iterator[tuple[str, str, str, FloatArray]]:
    """Prior, order, quantity and its ranks."""
    for (prior, order), own in results.groupby(["prior", "order"], sort=False):
        for quantity in QUANTITIES:
            yield str(prior), str(order), quantity, own[quantity].to_numpy(dtype=np.float64)


def _gaps(ranks: FloatArray) -> FloatArray:
    """Share of ranks up to each rank, less what it is for uniform ones."""
    up_to = np.searchsorted(np.sort(ranks), np.arange(DRAWS + 1), side="right") / len(ranks)
    return np.asarray(up_to - np.arange(1, DRAWS + 2) / (DRAWS + 1))
