"""The results as a Markdown page: means over seeds beside targets, baselines and the paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import pandas as pd

from pyrocrl.benchmark.latent_edges import (
    calibration_of_latents,
    pairs_of_latents,
    reliability_of_latents,
)
from pyrocrl.benchmark.settings import COUNTING, GROUPS, METHODS, OURS, SETTINGS, Setting
from pyrocrl.benchmark.summary import mean_and_deviation, summarise
from pyrocrl.benchmark.targets import NO_TARGET, TARGETS, verdict
from pyrocrl.markdown import markdown_table

__all__ = ["render"]

_TITLES = {
    "cases": "Numerical cases, no edges inside modalities",
    "inner": "Edges inside modalities, and extra edges between them",
    "noise": "Laplace noise",
    "mechanism": "Mechanisms that are not additive",
    "modalities": "More modalities",
    "sparsity": "Share of edges between modalities that are absent",
    "subjects": "Number of subjects",
    "few": "Few subjects",
    "cyclic": "Cycles",
    "order": "Order of causes unknown",
    "counts": "Number of latents chosen by held-out fit",
}

_LEGEND = """\
Means over data seeds ± standard deviation. A cell that rests on other than the number of seeds in
its row's second column says so. No seed is left out; methods that failed are listed below. All
methods of a row see the same data.

- MCC: mean absolute Pearson correlation of the true latents with the estimated ones matched to
  them within modalities; Spearman likewise. Granted: over latents that theory grants alone
  (`crl.diagnose.identifiability`).
- R2: of the true latents given the estimated ones of their modality, by polynomial ridge
  regression plus boosted trees, fitted on half the subjects and scored on the others.
- SHD: edges to add, remove or turn, at P > 0.5; between modalities unless said otherwise. For
  baselines, P is the posterior that our fits report, given their latents.
- Paper: MCC / R2 of Sun et al. (2025) where they give them; their generator is unknown and their R2
  is in sample. Targets are means over ten seeds.
- Version: of pyrocrl, which made the row; `--again older` makes those of other versions anew.
- causal-vae-supervised is given the true latents, so "above every baseline" leaves it out; mcl
  takes two modalities only.
"""

_LATENT_EDGES = """\
Edges of estimated latents matched to the true ones, cases 1 to 3 (300 and 1,000 subjects: 1 and 3),
all pairs that could be edges; inside a modality either direction counts. ECE: mean gap between
probability and share of true edges in ten bins. A probability takes the latents as they are found,
so what is wrong with these counts against it here. Probabilities below .001, in older rows those
below .05, were not kept and count as 0.
"""

_SCORES = (
    ("MCC", "mcc", 3),
    ("Held-out R2", "r2", 3),
    ("SHD between modalities", "shd_between", 1),
)


def render(results: pd.DataFrame) -> str:
    """The page.

    Args:
        results: rows of `Results`, of settings in `SETTINGS`.

    Returns:
        Markdown.
    """
    summary = summarise(results)
    parts = ["# Identification benchmark", _conditions(results), _LEGEND]
    for group, title in _TITLES.items():
        present = [s for s in GROUPS[group] if (results.setting == s.name).any()]
        if present:
            parts += [f"## {title}", *_section(present, results, summary)]
    parts += [*_latent_edges(results), *_failures(results), *_not_run(results)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _latent_edges(results: pd.DataFrame) -> Iterator[str]:
    pairs = pairs_of_latents(results)
    if len(pairs):
        yield "## Calibration of edge probabilities between latents"
        yield _LATENT_EDGES
        yield _markdown(_rounded(calibration_of_latents(pairs)))
        yield "Reliability over all settings without inner edges:"
        yield _markdown(_rounded(reliability_of_latents(pairs)))


def _rounded(frame: pd.DataFrame) -> Iterator[dict[str, object]]:
    for row in frame.to_dict("records"):
        yield {str(k): f"{v:.3f}" if isinstance(v, float) else v for k, v in row.items()}


def _conditions(results: pd.DataFrame) -> str:
    def values(column: str) -> str:
        known = results[column].dropna().drop_duplicates() if column in results else []
        return ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in known) or "-"

    return (
        f"Made by\n\n    {_command(results)}\n\n"
        f"on a machine with {values('cores')} cores; processes at once: {values('jobs')}, threads "
        f"of each: {values('threads')}. pyrocrl {values('pyrocrl')}, torch {values('torch')}, "
        f"Python {values('python')}. Seconds are a fit's, some beside other work."
    )


def _command(results: pd.DataFrame) -> str:
    """What makes rows like these again."""
    present = set(results.setting)
    groups = [name for name, group in GROUPS.items() if any(s.name in present for s in group)]
    seeds = sorted(results.seed.unique())
    one_range = len(seeds) > 1 and seeds == list(range(seeds[0], seeds[-1] + 1))
    options = {
        "group": "all" if len(groups) == len(GROUPS) else ",".join(groups),
        "seeds": f"{seeds[0]}-{seeds[-1]}" if one_range else ",".join(map(str, seeds)),
        "jobs": f"{results.jobs.max():g}",
    }
    words = [f"--{name} {value}" for name, value in options.items()]
    return " ".join(["pyrocrl benchmark identification", *words])


def _section(
    settings: Sequence[Setting], results: pd.DataFrame, summary: pd.DataFrame
) -> Iterator[str]:
    counted = [s for s in settings if (s.name, COUNTING) in summary.index]
    if counted:
        yield _counts_table(counted, results, summary)
    compared = [s for s in settings if s not in counted]
    fitted = [s for s in compared if (s.name, OURS) in summary.index]
    if fitted:
        yield f"{OURS}:"
        yield _our_table(fitted, results, summary)
    for title, measure, digits in _SCORES if compared else ():
        yield f"{title} of every method:"
        yield _methods_table(compared, summary, measure, digits)


def _our_table(settings: Sequence[Setting], results: pd.DataFrame, summary: pd.DataFrame) -> str:
    rows = []
    for setting in settings:
        own = summary.loc[(setting.name, OURS)]
        runs = results[(results.setting == setting.name) & (results.method == OURS)]
        target = TARGETS.get(setting.name, NO_TARGET)
        rows.append(
            {
                "setting": setting.name,
                "seeds": int(own.seeds),
                "MCC": mean_and_deviation(own, "mcc"),
                "Spearman": mean_and_deviation(own, "mcc_spearman"),
                "granted": _of_some(runs, own, "mcc_granted"),
                "not granted": _of_some(runs, own, "mcc_not_granted"),
                "R2": mean_and_deviation(own, "r2"),
                "SHD": mean_and_deviation(own, "shd_between", 1),
                "whole SHD": mean_and_deviation(own, "shd", 1),
                "seconds, median": f"{own.seconds_median:.0f}",
                "latents granted": f"{runs.granted.mean():.3g} of {runs.latents.mean():.3g}",
                "condition 4.3 holds": _share(runs.condition_4_3.astype(str) == "True"),
                "paper": target.paper,
                "target": str(target),
                "target met": verdict(setting.name, summary),
                "version": _versions(runs),
            }
        )
    return _markdown(rows)


def _versions(runs: pd.DataFrame) -> str:
    """Which versions of pyrocrl made the rows, and how many seeds each where there are several."""
    counts = runs.pyrocrl.dropna().value_counts(sort=False)
    if len(counts) < 2:
        return ", ".join(map(str, counts.index)) or "-"
    return ", ".join(f"{version} ({times})" for version, times in counts.items())


def _of_some(runs: pd.DataFrame, own: pd.Series, measure: str) -> str:
    """A measure that not every seed has."""
    known = int(runs[measure].notna().sum())
    text = mean_and_deviation(own, measure)
    return text if known in (0, int(own.seeds)) else f"{text} ({known} seeds)"


def _methods_table(
    settings: Sequence[Setting], summary: pd.DataFrame, measure: str, digits: int
) -> str:
    names = {setting.name for setting in settings}
    present = {method for setting, method in summary.index if setting in names}
    rows = []
    for setting in settings:
        own = summary.xs(setting.name, level="setting")
        seeds = int((own.seeds + own.failed).max())
        row: dict[str, object] = {"setting": setting.name, "seeds": seeds}
        for method in (m for m in METHODS if m in present):
            row[method] = _cell(own, method, measure, digits, seeds)
        rows.append(row)
    return _markdown(rows)


def _cell(own: pd.DataFrame, method: str, measure: str, digits: int, seeds: int) -> str:
    if method not in own.index:
        return "-"
    row = own.loc[method]
    text = mean_and_deviation(row, measure, digits)
    failed = f", {int(row.failed)} failed" if row.failed else ""
    return text if row.seeds == seeds else f"{text} ({int(row.seeds)} seeds{failed})"


def _counts_table(settings: Sequence[Setting], results: pd.DataFrame, summary: pd.DataFrame) -> str:
    rows = []
    for setting in settings:
        own = summary.loc[(setting.name, COUNTING)]
        runs = results[(results.setting == setting.name) & (results.method == COUNTING)]
        target = TARGETS.get(setting.name, NO_TARGET)
        rows.append(
            {
                "setting": setting.name,
                "seeds": int(own.seeds),
                "truth": _tally(runs.true_counts, lambda text, _: text),
                "right": _share(runs.counts_right == 1),
                "found": _tally(runs.found_counts, lambda text, times: f"{text} ({times})"),
                "seconds, median": f"{own.seconds_median:.0f}",
                "paper": target.paper,
                "target": str(target),
                "target met": verdict(setting.name, summary),
                "version": _versions(runs),
            }
        )
    return _markdown(rows)


def _share(true: pd.Series) -> str:
    return f"on {int(true.sum())} of {len(true)}"


def _tally(values: pd.Series, words: Callable[[str, int], str]) -> str:
    counts = values.dropna().value_counts()
    return "; ".join(words(str(text), int(times)) for text, times in counts.items()) or "-"


def _failures(results: pd.DataFrame) -> Iterator[str]:
    failed = results[results.error.notna()]
    if len(failed):
        yield "## Failed"
        yield _markdown(
            {"setting": r.setting, "method": r.method, "seed": r.seed, "error": r.error}
            for r in failed.itertuples()
        )


def _not_run(results: pd.DataFrame) -> Iterator[str]:
    ran = set(zip(results.setting, results.method, strict=True))
    without: dict[str, list[str]] = {}
    for setting in SETTINGS.values():
        left = [method for method in setting.methods if (setting.name, method) not in ran]
        if left:
            methods = "all methods" if len(left) == len(setting.methods) else ", ".join(left)
            without.setdefault(methods, []).append(setting.name)
    if without:
        yield "## Not run"
        yield "\n".join(f"- {methods}: {', '.join(names)}" for methods, names in without.items())


def _markdown(rows: Iterable[dict[str, object]]) -> str:
    made = list(rows)
    return markdown_table(list(made[0]), (row.values() for row in made))
