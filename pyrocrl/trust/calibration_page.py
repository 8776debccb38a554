"""The measurements of calibration as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from pyrocrl.markdown import markdown_table
from pyrocrl.metrics import calibration
from pyrocrl.structure.dag_sum import MAX_NODES
from pyrocrl.trust.methods import DEFAULT, KNOWN, METHODS, UNKNOWN
from pyrocrl.trust.pooled import directions, edges, links

__all__ = ["render_calibration"]

_WANTED = 200
_UNSURE = 0.45
_HEAD = """\
# Calibration of edge probabilities, observed variables

Made by

    pyrocrl benchmark calibration --seeds {seeds}

and, for the other methods and priors, the same with `--methods` and `--dibs`; rows that stand in
calibration.csv are not run again.

Each seed is a data set (`pyrocrl.trust.design`): 5 to 20 variables, 100 to 1,000 subjects, even
seeds linear, odd ones nonlinear, half with Gaussian noise. No seed is left out and nothing was
tuned on these; {count} data sets of the {wanted} that the targets ask for.

- Edges are ordered pairs of variables, pooled over data sets; with the order known, those that
  agree with it. ECE: mean gap between probability and share of true edges over ten bins.
- rope is 0: a probability is that of the edge being there.
- Prior: the generator's edge rate, half of it each way where the order is open; DiBS has the same.
  "default prior" has .1 for every edge, as `crl.fit` unless told otherwise.
- Coverage: share of 90 % intervals of strength, given the edge, that hold the true strength, of
  true edges with P > .5. The true strength is the information, in nats per subject, that the parent
  adds about the child given the other true parents, from 20,000 subjects of the same mechanisms.
- pc: share of 50 bootstrap graphs, Fisher's z at .05; ges: of 20, BIC; an edge without direction
  counts half each way (causal-learn). dibs: 20 particles, 1,000 steps, BGe on linear data,
  one hidden layer of 5 with noise variance .1 on others; dibs+: particles weighted by their
  posterior (dibs-lib). Its processor seconds include compilation.
- Seconds were taken beside other work on 2 cores; processor seconds leave that out.
- The generator draws no slope below .5, while our prior of slopes holds weak edges possible:
  doubtful edges are there less often than said where little else is in doubt (order known). With
  slopes from that prior they are right (tests/structure/test_prior_draws.py).
- Up to 12 variables our sum over graphs is exact, beyond it is by Markov chains.
"""
_CHAINS = """\
Of the {count} data sets of 13 to 20 variables, the largest difference between Markov chains in an
edge's probability is {middle:.2f} in the median and {worst:.2f} at most, before chains are pooled.
"""
_TARGETS = """\
| what, order unknown | target | measured | met |
| --- | --- | --- | --- |
| ECE | <= .02 | {scores.ece:.4f} | {ece} |
| AUROC | >= .98 | {scores.auroc:.4f} | {auroc} |
| AUPRC | >= .94 | {scores.auprc:.4f} | {auprc} |
| coverage of 90 % intervals of strength | .85 to .95 | {coverage:.3f} | {covered} |
"""
_NOTE = """\
Where mechanisms are straight lines and noise is Gaussian, the direction of an edge is open to every
method unless it follows from the missing of others, which bounds AUROC and AUPRC of edges there.
"""


def _comparisons(ran: pd.DataFrame) -> list[list[str]]:
    """Groups of methods to compare, each on the data sets that all of it has been run on."""
    present = [name for name in METHODS if (ran.method == name).any()]
    groups: list[list[str]] = []
    for others in ([DEFAULT], ["pc"], ["pc", "ges"], ["pc", "ges", "dibs", "dibs+"]):
        group = [name for name in (UNKNOWN, *others) if name in present]
        if len(group) > 1 and group not in groups:
            groups.append(group)
    return groups


def render_calibration(results: pd.DataFrame, picture: str | None = None) -> str:
    """The page.

    Args:
        results: Rows of `pyrocrl.trust.calibration.measure`.
        picture: Name of the picture of reliability beside the page.

    Returns:
        Markdown.
    """
    ran = results[results.error.isna()]
    own = ran[ran.method == UNKNOWN]
    parts = [
        _HEAD.format(
            seeds=_seeds(sorted(results.seed.unique())), count=own.seed.nunique(), wanted=_WANTED
        )
    ]
    if len(own):
        parts += ["## Targets", _targets(own)]
    parts += [f"![Reliability]({picture})"] if picture else []
    for method in (UNKNOWN, KNOWN):
        rows = ran[ran.method == method]
        if len(rows):
            parts += [f"## {method}, by kind of data", _table("data", _kinds(rows))]
            parts += _reliability(rows)
        if len(rows) and method == UNKNOWN:
            parts += ["Pairs of variables:", _pair_table(_kinds(rows)), _NOTE]
    chains = own.spread[own.nodes > MAX_NODES]
    if len(chains):
        worst = chains.max()
        parts.append(_CHAINS.format(count=len(chains), middle=chains.median(), worst=worst))
    for group in _comparisons(ran):
        parts += _compared(f"## Beside {', '.join(group[1:])}", ran, group)
    failed = results[results.error.notna()]
    if len(failed):
        lines = [f"- {row.method}, seed {row.seed}: {row.error}" for row in failed.itertuples()]
        parts += ["## Failed", "\n".join(lines)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _seeds(seeds: Sequence[int]) -> str:
    whole = list(seeds) == list(range(seeds[0], seeds[-1] + 1))
    return f"{seeds[0]}-{seeds[-1]}" if whole and len(seeds) > 1 else ",".join(map(str, seeds))


def _targets(own: pd.DataFrame) -> str:
    pool = edges(own)
    scores = calibration(pool.true, pool.probability)
    coverage = own.covered.sum() / max(own.intervals.sum(), 1)
    met = {
        "ece": scores.ece <= 0.02,
        "auroc": scores.auroc >= 0.98,
        "auprc": scores.auprc >= 0.94,
        "covered": 0.85 <= coverage <= 0.95,
    }
    words = {name: "yes" if good else "no" for name, good in met.items()}
    return _TARGETS.format(scores=scores, coverage=coverage, **words)


def _kinds(own: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    gaussian, few = own.noise == "gaussian", own.nodes <= MAX_NODES
    groups = [("all", own)]
    for kind in ("linear", "nonlinear"):
        same = own.kind == kind
        groups.append((kind, own[same]))
        groups.append((f"{kind}, Gaussian noise", own[same & gaussian]))
        groups.append((f"{kind}, other noise", own[same & ~gaussian]))
    groups += [("up to 12 variables", own[few]), ("13 to 20 variables", own[~few])]
    return [(name, rows) for name, rows in groups if len(rows)]


def _compared(title: str, ran: pd.DataFrame, methods: Sequence[str]) -> Iterator[str]:
    common = set.intersection(*(set(ran.seed[ran.method == name]) for name in methods))
    if common:
        same = ran[ran.seed.isin(list(common))]
        yield title
        yield f"On the {len(common)} data sets that all of these have been run on."
        yield _table("method", [(name, same[same.method == name]) for name in methods])
        yield "Pairs of variables:"
        yield _pair_table([(name, same[same.method == name]) for name in methods], "method")


def _table(first: str, groups: Sequence[tuple[str, pd.DataFrame]]) -> str:
    head = [
        *(first, "data sets", "edges", "ECE", "Brier", "AUROC", "AUPRC", "coverage (of)"),
        *("processor seconds, mean", "seconds, mean"),
    ]
    return markdown_table(head, [_line(name, own) for name, own in groups])


def _line(name: str, own: pd.DataFrame) -> list[str]:
    pool = edges(own)
    scores = calibration(pool.true, pool.probability)
    intervals = own.intervals.sum()
    coverage = f"{own.covered.sum() / intervals:.3f} ({intervals:.0f})" if intervals else "-"
    return [
        *(name, f"{own.seed.nunique()}", f"{len(pool.true)}", f"{scores.ece:.4f}"),
        *(f"{scores.brier:.4f}", f"{scores.auroc:.4f}", f"{scores.auprc:.4f}", coverage),
        *(f"{own.cpu_seconds.mean():.1f}", f"{own.seconds.mean():.1f}"),
    ]


def _pair_table(groups: Sequence[tuple[str, pd.DataFrame]], first: str = "data") -> str:
    head = [
        *(first, "pairs", "linked: ECE", "AUROC", "AUPRC"),
        *("linked and found", "direction: ECE", "Brier", "share right at the likelier"),
    ]
    return markdown_table(head, [_pair_line(name, own) for name, own in groups])


def _pair_line(name: str, own: pd.DataFrame) -> list[str]:
    pairs, turned = links(own), directions(own)
    linked = calibration(pairs.true, pairs.probability)
    cells = [name, f"{len(pairs.true)}", f"{linked.ece:.4f}"]
    cells += [f"{linked.auroc:.4f}", f"{linked.auprc:.4f}", f"{len(turned.true)}"]
    if not len(turned.true):
        return [*cells, "-", "-", "-"]
    way = calibration(turned.true, turned.probability)
    right = ((turned.probability > 1 / 2) == (turned.true > 0)).mean()
    return [*cells, f"{way.ece:.3f}", f"{way.brier:.3f}", f"{right:.3f}"]


def _reliability(own: pd.DataFrame) -> Iterator[str]:
    pool = edges(own)
    curve = calibration(pool.true, pool.probability).curve
    yield "Reliability of edges:"
    yield markdown_table(
        ["mean probability", "share of true edges", "edges"],
        [[f"{r.probability:.3f}", f"{r.share:.3f}", f"{r.edges}"] for r in curve.itertuples()],
    )
    unsure = np.abs(pool.probability - 1 / 2) < _UNSURE
    if unsure.any():
        scores = calibration(pool.true[unsure], pool.probability[unsure])
        yield (
            "Most pairs are far from linked, and easy. Of the edges with a probability between .05 "
            f"and .95 ({unsure.sum()}) the ECE is {scores.ece:.3f}."
        )
