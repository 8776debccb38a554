"""The measurements of calibration as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from pyrocrl.metrics import calibration
from pyrocrl.trust.calibration import pooled
from pyrocrl.trust.methods import KNOWN, METHODS, UNKNOWN

__all__ = ["render_calibration"]

_HEAD = """\
# Calibration of edge probabilities, observed variables

Made by

    pyrocrl benchmark calibration --seeds {seeds}

Each seed is a data set (`pyrocrl.trust.design`): 5 to 20 variables, 100 to 1,000 subjects, even
seeds linear, odd ones nonlinear, half with Gaussian noise. Scores pool all ordered pairs of
variables of all data sets ({count} of the 200 that the targets ask for); with the order known,
the pairs that agree with it. rope is 0: a probability is that of the edge being there.

The prior has the generator's edge rate: each pair of variables is linked with the rate of the data
set, half of it each way where the order is open. A table of its own shows priors with other odds.

Coverage: share of 90 % intervals of strength that hold the true strength, of true edges with
P > .5; the interval is that of the strength given that the edge is there. The true strength is the
information, in nats per subject, that the parent adds about the child given the other true parents,
from 20,000 subjects of the same mechanisms (`pyrocrl.trust.simulated`).

Bootstrapped methods: share of 50 graphs; an edge without direction counts half each way.
Directions in linear data with Gaussian noise are open to every method, which bounds AUROC and
AUPRC. Targets, order unknown: ECE <= .02, AUROC >= .98, AUPRC >= .94, coverage .85 to .95, over 200
data sets.
"""

_COLUMNS = (
    "| {first} | data sets | pairs | ECE | Brier | AUROC | AUPRC | coverage (of) "
    "| processor seconds, mean | seconds, mean |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def render_calibration(results: pd.DataFrame) -> str:
    """The page.

    Args:
        results: rows of `pyrocrl.trust.calibration.measure`.

    Returns:
        Markdown.
    """
    ran = results[results.error.isna()]
    seeds = sorted(results.seed.unique())
    text = ",".join(map(str, seeds))
    if seeds == list(range(seeds[0], seeds[-1] + 1)):
        text = f"{seeds[0]}-{seeds[-1]}"
    parts = [_HEAD.format(seeds=text, count=len(seeds))]
    wrong = [name for name in METHODS if "prior odds" in name]
    right = [name for name in METHODS if name not in wrong]
    parts += _methods("The generator's edge rate as prior", ran, right)
    parts += _methods("Wrong priors", ran, [UNKNOWN, *wrong] if _any(ran, wrong) else [])
    for method in (UNKNOWN, KNOWN):
        own = ran[ran.method == method]
        if len(own):
            parts += [f"## {method}, by kind of data", *_by_kind(own), *_reliability(own)]
    failed = results[results.error.notna()]
    if len(failed):
        lines = [f"- {row.method}, seed {row.seed}: {row.error}" for row in failed.itertuples()]
        parts += ["## Failed", "\n".join(lines)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _any(ran: pd.DataFrame, methods: list[str]) -> bool:
    return bool(ran.method.isin(methods).any())


def _methods(title: str, ran: pd.DataFrame, methods: list[str]) -> Iterator[str]:
    """Rows of the methods over the data sets that all of them have."""
    present = [name for name in methods if (ran.method == name).any()]
    if not present:
        return
    common = set.intersection(*(set(ran.seed[ran.method == name]) for name in present))
    yield f"## {title}"
    yield f"The {len(common)} data sets that all these have been run on."
    same = ran[ran.seed.isin(list(common))]
    yield _table("method", [(name, same[same.method == name]) for name in present])


def _by_kind(own: pd.DataFrame) -> Iterator[str]:
    gaussian, few = own.noise == "gaussian", own.nodes <= 12
    groups = [("all", own)]
    for kind in ("linear", "nonlinear"):
        groups.append((f"{kind}, Gaussian noise", own[(own.kind == kind) & gaussian]))
        groups.append((f"{kind}, other noise", own[(own.kind == kind) & ~gaussian]))
    groups += [("up to 12 variables", own[few]), ("13 to 20 variables", own[~few])]
    yield _table("data", [(name, rows) for name, rows in groups if len(rows)])


def _table(first: str, groups: list[tuple[str, pd.DataFrame]]) -> str:
    return "\n".join([_COLUMNS.format(first=first), *(_line(name, own) for name, own in groups)])


def _line(name: str, own: pd.DataFrame) -> str:
    if own.empty:
        return f"| {name} | 0 |" + " - |" * 8
    true, probability = pooled(own)
    scores = calibration(true, probability)
    intervals = own.intervals.sum()
    coverage = f"{own.covered.sum() / intervals:.2f} ({intervals:.0f})" if intervals else "-"
    cells = [
        *(name, f"{len(own)}", f"{len(true)}", f"{scores.ece:.4f}", f"{scores.brier:.4f}"),
        *(f"{scores.auroc:.4f}", f"{scores.auprc:.4f}", coverage),
        *(f"{own.cpu_seconds.mean():.1f}", f"{own.seconds.mean():.1f}"),
    ]
    return f"| {' | '.join(cells)} |"


def _reliability(own: pd.DataFrame) -> Iterator[str]:
    lines = ["| mean probability | share of true edges | pairs |", "| --- | --- | --- |"]
    for row in calibration(*pooled(own)).curve.itertuples():
        lines.append(f"| {row.probability:.3f} | {row.share:.3f} | {row.edges} |")
    yield "Reliability:"
    yield "\n".join(lines)
