"""The measurements of every kind of measurement as a Markdown page."""

from __future__ import annotations

import pandas as pd

from pyrocrl.markdown import markdown_table

__all__ = ["render_measurements"]

_HEAD = """\
# Every kind of measurement, on known truth

Made by

    pyrocrl benchmark measurements --seeds {seeds}

with {restarts} restarts a fit, pyrocrl {versions}. Means over seeds. MCC: mean correlation of
found latents with the true ones.
"""
_LIKELIHOODS = """
## Likelihoods

Case 1, 10,000 subjects, behind 60 columns a modality that are measured by one law, see
`pyrocrl.simulate.measured_case`. Taught: the same correlation of a network that was taught the
true latents of half the subjects, on the other half, as a hint how much the columns tell. "mixed"
has all likelihoods in one table, "counts" a library size. The target is {mcc}.
"""
_MISSING = """
## Modalities that 30 % of the subjects lack

10,000 subjects and the expanding mixing, unless said otherwise. MCC is of the latents that each fit
finds in the complete data. Imputed R2: of the lacked modality's columns in those who lack it;
regression: the better of boosted trees and a network from the raw columns that are there. Coverage:
of 90 % intervals of imputed cells. Targets: incomplete within {near} of complete and above dropped;
imputed at least {share} of regression.
"""
_MCC, _NEAR, _SHARE = 0.93, 0.02, 0.9


def render_measurements(results: pd.DataFrame) -> str:
    """The page.

    Args:
        results: rows of `pyrocrl.measured.measure`.

    Returns:
        Markdown.
    """
    seeds = ",".join(str(seed) for seed in sorted(results.seed.unique()))
    restarts = " or ".join(str(number) for number in sorted(results.restarts.unique()))
    versions = ", ".join(sorted(results.version.dropna().unique()))
    parts = [_HEAD.format(seeds=seeds, restarts=restarts, versions=versions)]
    likelihoods = results[results.check == "likelihood"]
    missing = results[results.check == "missing"]
    if not likelihoods.empty:
        parts += [_LIKELIHOODS.format(mcc=_MCC), _likelihood_table(likelihoods)]
    if not missing.empty:
        parts += [_MISSING.format(near=_NEAR, share=_SHARE), _missing_table(missing)]
    return "\n".join(parts) + "\n"


def _likelihood_table(results: pd.DataFrame) -> str:
    lines = [
        [
            *(case, len(own), f"{own.mcc.mean():.3f}", f"{own.mcc.min():.3f}"),
            f"{own.ceiling.mean():.3f}",
            "yes" if own.mcc.mean() >= _MCC else "no",
            f"{own.cpu_seconds.mean():.0f}",
        ]
        for case, own in results.groupby("case", sort=False)
    ]
    head = ["likelihood", "seeds", "MCC", "worst", "taught", "met", "processor seconds"]
    return markdown_table(head, lines)


def _missing_table(results: pd.DataFrame) -> str:
    # A mean must not rest on other data sets than the one beside it.
    fits = results.groupby(["case", "seed"]).fitted.transform("nunique")
    lines = []
    for case, own in results[fits == fits.max()].groupby("case", sort=False):
        means = own.groupby("fitted")[["mcc", "imputed_r2", "regression_r2", "coverage"]].mean()
        mcc = [means.mcc.get(what) for what in ("complete", "incomplete", "dropped")]
        imputed = means.reindex(["incomplete"]).iloc[0]
        lines.append(
            [
                *(case, own.seed.nunique(), *(_shown(value) for value in mcc)),
                *(_shown(imputed[column]) for column in ("imputed_r2", "regression_r2")),
                *(_shown(imputed.imputed_r2 / imputed.regression_r2), _shown(imputed.coverage)),
                _met(mcc, imputed),
            ]
        )
    head = ["data", "seeds", "MCC, complete", "incomplete", "dropped", "imputed R2", "regression"]
    return markdown_table([*head, "share", "coverage", "met"], lines)


def _met(mcc: list[float | None], imputed: pd.Series) -> str:
    complete, incomplete, dropped = mcc
    if complete is None or incomplete is None or dropped is None:
        return "-"
    near = incomplete >= complete - _NEAR
    better = incomplete >= dropped
    imputes = imputed.imputed_r2 >= _SHARE * imputed.regression_r2
    failed = [
        name
        for name, good in (("near", near), ("above dropped", better), ("imputed", imputes))
        if not good
    ]
    return "yes" if not failed else "not " + ", ".join(failed)


def _shown(value: float | None) -> str:
    return "-" if value is None or value != value else f"{value:.4f}"
