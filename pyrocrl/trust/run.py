"""Run what does not stand in the results yet, row by row, and write the page beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pyrocrl.trust import calibration, exactness
from pyrocrl.trust.calibration_page import render_calibration
from pyrocrl.trust.design import design
from pyrocrl.trust.exactness_page import render_exactness
from pyrocrl.trust.rows import RowFile

__all__ = ["run_calibration", "run_exactness"]


def run_exactness(
    seeds: Sequence[int],
    folder: Path,
    *,
    render: bool = False,
    say: Callable[[str], object] = print,
) -> Path | None:
    """Measure exactness: exactness.csv and exactness.md.

    Args:
        seeds: Of the data.
        folder: Where results go; rows that stand there are not run again.
        render: Run nothing, only write the page.
        say: Called with a line for each row.

    Returns:
        The page; None where there are no results.
    """
    results = RowFile(folder / "exactness.csv", exactness.COLUMNS, exactness.KEY)
    done = results.keys()
    for case in [] if render else exactness.cases(seeds):
        if not case.is_done(done):
            for row in exactness.run_case(case):
                results.add([row])
                words = [str(row[column]) for column in exactness.KEY]
                say(f"{' '.join(words)}: worst {row['worst']:.2g}, {row['cpu_seconds']:.2f} s")
    frame = results.frame()
    page = folder / "exactness.md"
    return None if frame.empty else _write(page, render_exactness(frame))


def run_calibration(
    seeds: Sequence[int],
    methods: Sequence[str],
    folder: Path,
    *,
    render: bool = False,
    say: Callable[[str], object] = print,
) -> Path | None:
    """Measure calibration on simulated variables: calibration.csv and calibration.md.

    Args:
        seeds: Of the data sets, see `design`.
        methods: Names of methods.
        folder: Where results go; rows that stand there are not run again.
        render: Run nothing, only write the page.
        say: Called with a line for each row.

    Returns:
        The page; None where there are no results.
    """
    results = RowFile(folder / "calibration.csv", calibration.COLUMNS, calibration.KEY)
    done = results.keys()
    for seed in () if render else seeds:
        left = [method for method in methods if (str(seed), method) not in done]
        if left:
            own = design(seed)
            data = own.draw()
            for method in left:
                row = calibration.measure(own, method, data)
                results.add([row])
                ended = row.get("error") or f"{row['cpu_seconds']:.1f} s"
                say(f"seed {seed}, {own.nodes} variables, {method}: {ended}")
    frame = results.frame()
    page = folder / "calibration.md"
    return None if frame.empty else _write(page, render_calibration(frame))


def _write(page: Path, text: str) -> Path:
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    return page
