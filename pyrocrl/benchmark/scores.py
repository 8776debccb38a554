"""Scores of latents and edges against the truth, as columns of the results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl import metrics
from pyrocrl.benchmark.edges import edges_to_text
from pyrocrl.benchmark.regression import held_out_r2
from pyrocrl.benchmark.settings import Order
from pyrocrl.diagnose import identifiability
from pyrocrl.simulate import Truth

__all__ = [
    "SCORE_COLUMNS",
    "counts_from_text",
    "found_from_text",
    "matching",
    "score_counts",
    "score_edges",
    "score_latents",
    "theory",
]

FloatArray = npt.NDArray[np.float64]

SCORE_COLUMNS = (
    "mcc",
    "mcc_spearman",
    "mcc_granted",
    "mcc_not_granted",
    "found",
    "r2",
    "shd_between",
    "shd",
    "seconds",
    "cpu_seconds",
    "latents",
    "granted",
    "condition_4_3",
    "true_edges",
    "edges",
    "true_counts",
    "found_counts",
    "counts_right",
    "held_out",
)


def theory(truth: Truth, order: Order) -> tuple[npt.NDArray[np.bool_], dict[str, Any]]:
    """What theory grants of the true graph.

    Args:
        truth: the graph.
        order: with "cyclic", models with cycles are rivals too.

    Returns:
        Whether each latent is granted; the columns latents, granted (both numbers), condition_4_3,
        true_edges and true_counts (latents of each modality).
    """
    verdict = identifiability(truth.adjacency, truth.groups, acyclic=order != "cyclic")
    granted = verdict.granted.to_numpy(dtype=bool)
    return granted, {
        "latents": len(granted),
        "granted": int(granted.sum()),
        "condition_4_3": bool(verdict.condition_4_3),
        "true_edges": edges_to_text(truth.adjacency),
        "true_counts": _counts_to_text(_counts(truth)),
    }


def matching(truth: Truth, latents: FloatArray) -> npt.NDArray[np.intp]:
    """Position of the estimated latent that goes with each true one, within modalities."""
    strength = metrics.absolute_correlations(truth.latents, latents)
    return metrics.match_within_groups(strength, truth.groups)


def score_latents(
    truth: Truth, latents: FloatArray, granted: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Whether the true latents are found.

    Args:
        truth: the true latents.
        latents: (subject, latent), the estimated ones.
        granted: whether theory grants each true latent.

    Returns:
        mcc and mcc_spearman (latents matched within their modality by each correlation), the mean
        Pearson correlation of latents that theory grants and of those it does not (NaN where there
        are none), found (the correlation of each latent as text, see `found_from_text`), and r2
        (held out, see `held_out_r2`).
    """
    strength = metrics.absolute_correlations(truth.latents, latents)
    match = metrics.match_within_groups(strength, truth.groups)
    found = strength[np.arange(len(match)), match]
    return {
        "mcc": float(found.mean()),
        "mcc_spearman": metrics.mcc(truth.latents, latents, truth.groups, kind="spearman"),
        "mcc_granted": _mean(found[granted]),
        "mcc_not_granted": _mean(found[~granted]),
        "found": " ".join(
            f"{name}:{value:.4f}" for name, value in zip(truth.latents, found, strict=True)
        ),
        "r2": held_out_r2(truth.latents, latents, truth.groups),
    }


def score_edges(truth: Truth, probability: FloatArray) -> dict[str, Any]:
    """Whether the true edges are found.

    Args:
        truth: the true graph.
        probability: (child, parent), of latents matched to the true ones.

    Returns:
        shd_between (between modalities alone) and shd, both at P > 0.5, and edges, see
        `edges_to_text`.
    """
    named = truth.adjacency.copy().astype(float)
    named.loc[:, :] = probability
    return {
        "shd_between": metrics.shd(truth.adjacency, probability > 0.5, truth.groups),
        "shd": metrics.shd(truth.adjacency, probability > 0.5),
        "edges": edges_to_text(named),
    }


def score_counts(truth: Truth, counts: Mapping[str, int], table: pd.DataFrame) -> dict[str, Any]:
    """Whether the true numbers of latents are found.

    Args:
        truth: the true latents.
        counts: the number chosen for each modality.
        table: what the choice rests on: modality, latents, held_out (nats) and more.

    Returns:
        found_counts as text, counts_right (1 or 0), and held_out, the table as JSON records.
    """
    true = _counts(truth)
    found = {name: int(counts[name]) for name in true}
    return {
        "found_counts": _counts_to_text(found),
        "counts_right": int(found == true),
        "held_out": json.dumps(json.loads(table.to_json(orient="records", double_precision=5))),
    }


def counts_from_text(text: str) -> dict[str, int]:
    """Latents of each modality from a cell of the results.

    Example:
        >>> counts_from_text("m1:2 m2:3")
        {'m1': 2, 'm2': 3}
    """
    pairs = (word.rpartition(":") for word in text.split())
    return {name: int(count) for name, _, count in pairs}


def found_from_text(text: str) -> dict[str, float]:
    """How well each latent is found, from a cell of the results.

    Example:
        >>> found_from_text("m1.z1:0.9812 m1.z2:0.7000")
        {'m1.z1': 0.9812, 'm1.z2': 0.7}
    """
    pairs = (word.rpartition(":") for word in text.split())
    return {name: float(value) for name, _, value in pairs}


def _counts(truth: Truth) -> dict[str, int]:
    return {name: truth.groups.count(name) for name in dict.fromkeys(truth.groups)}


def _counts_to_text(counts: Mapping[str, int]) -> str:
    return " ".join(f"{name}:{count}" for name, count in counts.items())


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else float("nan")
