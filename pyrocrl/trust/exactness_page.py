"""The measurements of exactness as a Markdown page."""

from __future__ import annotations

import pandas as pd

from pyrocrl.markdown import markdown_table

__all__ = ["render_exactness"]

_HEAD = """\
# Exactness of the posterior over graphs

Made by

    pyrocrl benchmark exactness --seeds {seeds}

Data are linear with Gaussian noise, every edge has prior probability .2, rope 0; "time" is the
default fit (bent mechanisms, open noise laws) of bent data.

- edges: our edge probabilities against a listing of all acyclic graphs, whose evidence is computed
  by other means (`pyrocrl.trust.enumeration`); largest error of any edge over all data sets.
- paths: the share of 20,000 drawn graphs with a path from parent to child, against the same
  listing; the target is five standard errors of such a share.
- mcmc: Markov chains against the exact sum over graphs, which serves up to twelve nodes.
- Processor seconds leave out what else the machine did.
"""
_COLUMNS = (
    *("what", "order", "nodes", "subjects", "data sets", "worst error", "mean error"),
    *("target", "met", "seconds, worst", "processor seconds, worst"),
)


def render_exactness(results: pd.DataFrame) -> str:
    """The page.

    Args:
        results: rows of `pyrocrl.trust.exactness.run_case`.

    Returns:
        Markdown.
    """
    lines = []
    groups = ["check", "order", "nodes", "subjects"]
    for (check, order, nodes, subjects), own in results.groupby(groups):
        timed = check == "time"
        judged = own.cpu_seconds if timed else own.worst
        target = float(own.target.max())
        cells = [
            *(check, order, nodes, subjects, len(own)),
            "-" if timed else f"{own.worst.max():.2g}",
            "-" if timed else f"{own['mean'].mean():.2g}",
            f"{target:.0f} processor s" if timed else f"{target:.2g}",
            "yes" if judged.max() <= target else "no",
            f"{own.seconds.max():.2f}",
            f"{own.cpu_seconds.max():.2f}",
        ]
        lines.append(cells)
    seeds = ",".join(str(seed) for seed in sorted(results.seed.unique()))
    return _HEAD.format(seeds=seeds) + "\n" + markdown_table(_COLUMNS, lines) + "\n"
