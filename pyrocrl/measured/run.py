"""Run what does not stand in the results yet, row by row, and write the page beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pyrocrl.markdown import write_page
from pyrocrl.measured.cases import COLUMNS, KEY, Case
from pyrocrl.measured.measure import measure
from pyrocrl.measured.page import render_measurements
from pyrocrl.rows import RowFile

__all__ = ["run_measurements"]


def run_measurements(
    cases: Sequence[Case],
    folder: Path,
    *,
    n_subjects: int | None = None,
    max_epochs: int | None = None,
    render: bool = False,
    say: Callable[[str], object] = print,
) -> Path | None:
    """Measure every kind of measurement: measurements.csv and measurements.md.

    Args:
        cases: what is measured.
        folder: Where results go; rows that stand there are not run again.
        n_subjects: Of the simulations, if not those of the cases.
        max_epochs: Of the fits, see `pyrocrl.fit`.
        render: Run nothing, only write the page.
        say: Called with a line for each row.

    Returns:
        The page; None where there are no results.
    """
    results = RowFile(folder / "measurements.csv", COLUMNS, KEY, text=["version"])
    done = results.keys()
    for case in () if render else cases:
        if results.key_of(vars(case)) not in done:
            row = measure(case, n_subjects, max_epochs)
            results.add([row])
            words = " ".join(str(row[column]) for column in KEY[1:4])
            say(f"{words}: MCC {row['mcc']:.3f}, {row['cpu_seconds']:.0f} s")
    frame = results.frame()
    if frame.empty:
        return None
    return write_page(folder / "measurements.md", render_measurements(frame))
