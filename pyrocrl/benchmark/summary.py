"""Means and deviations over seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["MEASURES", "mean_and_deviation", "summarise"]

MEASURES = (
    "mcc",
    "mcc_spearman",
    "mcc_granted",
    "mcc_not_granted",
    "r2",
    "shd_between",
    "shd",
    "seconds",
    "counts_right",
)


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Every measure over the seeds of each setting and method.

    Args:
        results: rows of `Results`.

    Returns:
        Indexed by setting and method, in the order of the rows: seeds (those that did not fail),
        failed, and for each measure its mean under its own name, its standard deviation (`_sd`, NaN
        for one seed), its largest value (`_max`) and its median (`_median`).

    Example:
        >>> rows = [{"setting": "a", "method": "pca", "seed": s, "mcc": 0.5 + s} for s in (0, 1)]
        >>> summarise(pd.DataFrame(rows)).loc[("a", "pca"), ["seeds", "mcc", "mcc_max"]].tolist()
        [2.0, 1.0, 1.5]
    """
    table = results.reindex(columns=["setting", "method", "seed", "error", *MEASURES])
    rows = {}
    for key, own in table.groupby(["setting", "method"], sort=False):
        ran = own[own.error.isna()]
        row: dict[str, float] = {"seeds": len(ran), "failed": len(own) - len(ran)}
        for measure in MEASURES:
            values = ran[measure].astype(float)
            row |= {
                measure: values.mean(),
                f"{measure}_sd": values.std(),
                f"{measure}_max": values.max(),
                f"{measure}_median": values.median(),
            }
        rows[key] = row
    columns = [
        "seeds",
        "failed",
        *(m + end for m in MEASURES for end in ("", "_sd", "_max", "_median")),
    ]
    summary = pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns)
    summary.index = pd.MultiIndex.from_tuples(list(rows), names=["setting", "method"])
    return summary


def mean_and_deviation(row: pd.Series, measure: str, digits: int = 3) -> str:
    """A mean and its standard deviation as text, a dash where there is none.

    Example:
        >>> mean_and_deviation(pd.Series({"mcc": 0.98765, "mcc_sd": 0.01}), "mcc")
        '0.988 ± 0.010'
    """
    mean, deviation = float(row[measure]), float(row[f"{measure}_sd"])
    if not np.isfinite(mean):
        return "-"
    text = f"{mean:.{digits}f}"
    return text if not np.isfinite(deviation) else f"{text} ± {deviation:.{digits}f}"
