"""The measurements on the data of Sachs et al. (2005) as a Markdown page."""

from __future__ import annotations

import pandas as pd

from pyrocrl.markdown import markdown_table
from pyrocrl.trust.methods import METHODS

__all__ = ["render_sachs"]

_HEAD = """\
# Protein signalling: Sachs et al. (2005)

Made by

    pyrocrl benchmark sachs --data FOLDER --dibs PYTHON

{subjects} cells without intervention, 11 proteins, log(fluorescence + 10). Prior .1 for every edge
(pc and ges have none), rope 0. "linear Gaussian" leaves out bends and other noise
laws, which else tell directions. Expected SHD: of a graph drawn from the edge probabilities, a
reversed edge counting once; the empty graph has as many as the network has edges. AUROC and AUPRC
are over the 110 ordered pairs. Methods and their settings are those of calibration.md; dibs takes
mechanisms for straight lines. Three versions of the network are in use. It has edges that these
cells alone do not show, and the direction of straight lines is open, so that no method gets near 0.
"""
_COLUMNS = (
    *("network", "edges", "method", "expected SHD", "expected edges", "AUROC", "AUPRC"),
    "processor seconds",
)


def render_sachs(results: pd.DataFrame) -> str:
    """The page.

    Args:
        results: Rows of `pyrocrl.trust.sachs.measure`.

    Returns:
        Markdown.
    """
    lines = []
    for network, own in results.groupby("network", sort=False):
        for row in own.sort_values("method", key=lambda s: s.map(METHODS.index)).itertuples():
            cells = [
                *(network, row.true_edges, row.method, f"{row.expected_shd:.1f}"),
                *(f"{row.expected_edges:.1f}", f"{row.auroc:.3f}", f"{row.auprc:.3f}"),
                f"{row.cpu_seconds:.0f}",
            ]
            lines.append(cells)
    head = _HEAD.format(subjects=results.subjects.max())
    return f"{head}\n{markdown_table(_COLUMNS, lines)}\n"
