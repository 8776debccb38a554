"""How far edge probabilities between latents can be trusted, over all fits of known truth."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pandas as pd

from pyrocrl.benchmark.edges import edges_from_text
from pyrocrl.benchmark.scores import counts_from_text
from pyrocrl.benchmark.settings import GROUPS, OURS
from pyrocrl.metrics import calibration

__all__ = ["calibration_of_latents", "pairs_of_latents", "reliability_of_latents"]

_GROUPS = {"none": ("cases", "few"), "inner": ("inner",)}


def pairs_of_latents(results: pd.DataFrame) -> pd.DataFrame:
    """Every edge that could be between latents matched to the true ones, in the numerical cases.

    Args:
        results: rows of `Results`.

    Returns:
        One row for each fit and pair of latents: setting, seed, subjects, mixing, inner (whether
        the setting has edges inside modalities), between (whether this pair is of two modalities),
        true and probability. Between modalities the order of causes is known; inside one, either
        direction counts.

    Example:
        >>> row = {"method": "pyrocrl", "setting": "case1-expand", "seed": 0, "subjects": 10_000}
        >>> row |= {"mixing": "expand", "inner": False, "true_counts": "m1:1 m2:1"}
        >>> row |= {"true_edges": "m1.z1>m2.z1:1", "edges": "m1.z1>m2.z1:0.97", "error": None}
        >>> pairs_of_latents(pd.DataFrame([row]))[["between", "true", "probability"]]
           between  true  probability
        0     True     1         0.97
    """
    names = {s.name for groups in _GROUPS.values() for g in groups for s in GROUPS[g]}
    own = results[(results.method == OURS) & results.setting.isin(names) & results.error.isna()]
    rows = [pair for run in own.to_dict("records") for pair in _pairs(run)]
    columns = ["setting", "seed", "subjects", "mixing", "inner", "between", "true", "probability"]
    return pd.DataFrame(rows, columns=columns)


def _pairs(run: dict[str, object]) -> Iterator[tuple[object, ...]]:
    counts = counts_from_text(str(run["true_counts"]))
    nodes = [(m, f"{m}.z{k + 1}") for m, count in counts.items() for k in range(count)]
    true, found = (
        edges_from_text("" if pd.isna(run[column]) else str(run[column]))
        for column in ("true_edges", "edges")
    )
    setting = [run[column] for column in ("setting", "seed", "subjects", "mixing", "inner")]
    for (earlier, parent), (later, child) in combinations(nodes, 2):
        ways = [(parent, child)] if earlier != later else [(parent, child), (child, parent)]
        there = int(any(way in true for way in ways))
        probability = min(1.0, sum(found.get(way, 0.0) for way in ways))
        yield (*setting, earlier != later, there, probability)


def calibration_of_latents(pairs: pd.DataFrame) -> pd.DataFrame:
    """Calibration by number of subjects, mixing and whether there are inner edges.

    Args:
        pairs: see `pairs_of_latents`.

    Returns:
        One row each, and one for all settings without inner edges together: subjects, mixing,
        inner edges, fits, edges (possible ones), true (share), ECE, Brier, AUROC, AUPRC.
    """
    plain = pairs[~pairs.inner.astype(bool)]
    groups = list(pairs.groupby(["subjects", "mixing", "inner"]))
    if len(plain):
        groups.append((("all", "both", False), plain))
    rows = []
    for (subjects, mixing, inner), own in groups:
        scores = calibration(own.true, own.probability)
        rows.append(
            {
                "subjects": subjects,
                "mixing": mixing,
                "inner edges": "yes" if inner else "no",
                "fits": len(own[["setting", "seed"]].drop_duplicates()),
                "edges": len(own),
                "true": float(own.true.mean()),
                "ECE": scores.ece,
                "Brier": scores.brier,
                "AUROC": scores.auroc,
                "AUPRC": scores.auprc,
            }
        )
    return pd.DataFrame(rows)


def reliability_of_latents(pairs: pd.DataFrame) -> pd.DataFrame:
    """The reliability curve over all settings without inner edges: probability, share, edges."""
    plain = pairs[~pairs.inner.astype(bool)]
    return calibration(plain.true, plain.probability).curve
