"""The measurements of sharing as a Markdown page."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pyrocrl.benchmark.sharing.settings import SHARING_SETTINGS
from pyrocrl.markdown import markdown_table
from pyrocrl.metrics import calibration

__all__ = ["render_sharing"]

_HEAD = """\
# Latents that modalities share

Made by

    pyrocrl benchmark sharing

10,000 subjects, 15 columns and one noise of its own for each modality (multiview: 40,000 subjects,
5 columns and none; Yao et al. draw other subjects at each of 100,000 steps). Exact: all sets of
modalities that share latents are found, with the right numbers. MCC: mean absolute Pearson
correlation of latents that no other has the same membership as with the nearest one found (whole
fit: of all latents, matched within sets); worst: of any such latent in any of the data sets. R2:
held-out, cubic ridge regression of the shared latents on all that were found. The data sets of a
setting go through its strengths of noise and both mixings, seed by seed. "contrastive, sharing
known" is given the membership, "content selection, numbers known" (Yao et al., 2024) how many
latents each set of modalities shares; "mcl", which takes two modalities, and "pyrocrl, without
sharing" have as many latents as each modality sees, shared or not. Methods that do not apply are
left out. Seconds are those of a processor; version: of pyrocrl. Rows of 0.1.0 do not say the worst
latent. The search for shared latents is the same since, but of the functions that carry a latent
another is reported: MCC of pyrocrl was lower before.
"""
_COLUMNS = (
    "method",
    "data sets",
    "exact",
    "MCC",
    "worst",
    "R2",
    "wrong edges",
    "seconds",
    "version",
)


def render_sharing(results: pd.DataFrame) -> str:
    """The page.

    Args:
        results: rows of `measure`.

    Returns:
        Markdown.
    """
    parts = [_HEAD]
    for name, setting in SHARING_SETTINGS.items():
        own = results[results.setting == name]
        if own.empty:
            continue
        ran = own[own.error.isna()]
        lines = [_line(method, rows) for method, rows in ran.groupby("method", sort=False)]
        parts.append(f"## {name}\n\n{setting.about}. Target: {setting.target}.\n")
        parts.append(markdown_table(_COLUMNS, lines) + "\n")
    judged = results[results.probabilities.notna()]
    if len(judged):
        parts.append(_calibration(judged))
    return "\n".join(parts)


def _line(method: object, rows: pd.DataFrame) -> list[str]:
    exact = rows.exact.dropna()
    return [
        str(method),
        str(len(rows)),
        f"{int(exact.sum())} of {len(exact)}" if len(exact) else "-",
        _mean(rows.mcc, 3),
        f"{rows.worst.min():.3f}" if rows.worst.notna().all() else "-",
        _mean(rows.r2, 3),
        _mean(rows.wrong_edges, 1),
        _mean(rows.cpu_seconds, 0),
        ", ".join(sorted(rows.version.dropna().unique())) or "-",
    ]


def _mean(values: pd.Series, digits: int) -> str:
    known = values.dropna()
    return f"{known.mean():.{digits}f}" if len(known) else "-"


def _calibration(judged: pd.DataFrame) -> str:
    """ECE of P(shared), and hard wrong answers, by setting; two modalities only."""
    lines = []
    for name, rows in judged.groupby("setting", sort=False):
        probability = _numbers(rows.probabilities)
        truth = _numbers(rows.answers)
        scores = calibration(truth, probability, bins=5)
        wrong = int(((np.where(truth == 1, 1 - probability, probability)) > 0.95).sum())
        lines.append([name, len(truth), f"{scores.ece:.3f}", f"{scores.brier:.3f}", wrong])
    head = ("setting", "judged", "ECE", "Brier", "wrong with P > .95")
    return (
        "## Probability of sharing, two modalities\n\nEvery component that was judged; ECE with "
        f"five bins.\n\n{markdown_table(head, lines)}\n"
    )


def _numbers(cells: pd.Series) -> np.ndarray:
    return np.array([float(number) for cell in cells for number in str(cell).split()])
