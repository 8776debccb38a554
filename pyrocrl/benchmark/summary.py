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

_STATISTICS = {"mean": "", "std": "_sd", "max": "_max", "median": "_median"}


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
    ran = table.error.isna()
    keys = [table.setting, table.method]
    # Scores of fits that failed are missing values, which each statistic leaves out.
    values = table[list(MEASURES)].astype(float).where(ran)
    measured = values.groupby(keys, sort=False).agg(list(_STATISTICS))
    measured.columns = [measure + _STATISTICS[statistic] for measure, statistic in measured.columns]
    counts = pd.DataFrame({"seeds": ran, "failed": ~ran}).groupby(keys, sort=False).sum()
    return counts.astype(float).join(measured)


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
