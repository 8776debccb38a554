"""Run what does not stand in the results yet, row by row, and write the page beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pyrocrl.markdown import write_page
from pyrocrl.rows import RowFile
from pyrocrl.trust import calibration, exactness, ranks, sachs
from pyrocrl.trust.calibration_page import render_calibration
from pyrocrl.trust.design import design
from pyrocrl.trust.exactness_page import render_exactness
from pyrocrl.trust.methods import UNKNOWN, Method
from pyrocrl.trust.ranks_page import render_ranks, save_ranks
from pyrocrl.trust.reliability_picture import save_reliability
from pyrocrl.trust.sachs_page import render_sachs

__all__ = ["run_calibration", "run_exactness", "run_ranks", "run_sachs"]


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
    return None if frame.empty else write_page(page, render_exactness(frame))


def run_calibration(
    seeds: Sequence[int],
    methods: Mapping[str, Method],
    folder: Path,
    *,
    render: bool = False,
    say: Callable[[str], object] = print,
) -> Path | None:
    """Measure calibration on simulated variables: calibration.csv, .md and .png.

    Args:
        seeds: Of the data sets, see `design`.
        methods: What is run on each.
        folder: Where results go; rows that stand there are not run again.
        render: Run nothing, only write the page.
        say: Called with a line for each row.

    Returns:
        The page; None where there are no results.
    """
    results = RowFile(folder / "calibration.csv", calibration.COLUMNS, calibration.KEY)
    done = results.keys()
    for seed in () if render else seeds:
        left = [name for name in methods if (str(seed), name) not in done]
        if left:
            own = design(seed)
            data = own.draw()
            for name in left:
                row = calibration.measure(own, name, methods[name], data)
                results.add([row])
                ended = row.get("error") or f"{row['cpu_seconds']:.1f} s"
                say(f"seed {seed}, {own.nodes} variables, {name}: {ended}")
    frame = results.frame()
    if frame.empty:
        return None
    ran = frame[frame.error.isna()]
    shown = [name for name in (UNKNOWN, "pc") if (ran.method == name).any()]
    picture = folder / "calibration.png"
    if shown:
        save_reliability(ran, shown, picture)
    text = render_calibration(frame, picture.name if shown else None)
    return write_page(folder / "calibration.md", text)


def run_ranks(
    seeds: Sequence[int],
    folder: Path,
    *,
    render: bool = False,
    say: Callable[[str], object] = print,
) -> Path | None:
    """Simulation-based calibration: ranks.csv, ranks.md and ranks.png.

    Args:
        seeds: Of the data sets.
        folder: Where results go; rows that stand there are not run again.
        render: Run nothing, only write the page.
        say: Called with a line for each seed.

    Returns:
        The page; None where there are no results.
    """
    results = RowFile(folder / "ranks.csv", ranks.COLUMNS, ranks.KEY)
    done = results.keys()
    for seed in () if render else seeds:
        for prior in ranks.PRIORS:
            for order in ("modality", "learned"):
                if (prior, order, str(seed)) not in done:
                    results.add([ranks.measure(prior, order, seed)])
        say(f"seed {seed}")
    frame = results.frame()
    if frame.empty:
        return None
    save_ranks(frame, folder / "ranks.png")
    return write_page(folder / "ranks.md", render_ranks(frame))


def run_sachs(
    data: Path,
    methods: Mapping[str, Method],
    folder: Path,
    say: Callable[[str], object] = print,
) -> Path:
    """Measure on the data of Sachs et al. (2005): sachs.csv and sachs.md.

    Args:
        data: Folder of the data, see `pyrocrl.trust.sachs`.
        methods: What is run.
        folder: Where results go; methods that stand there are not run again.
        say: Called with a line for each row.

    Returns:
        The page.
    """
    results = RowFile(folder / "sachs.csv", sachs.COLUMNS, sachs.KEY)
    done = set() if results.frame().empty else set(results.frame().method)
    proteins, networks = sachs.read_proteins(data), sachs.read_networks(data)
    for name in methods:
        if name not in done:
            rows = list(sachs.measure(name, methods[name], proteins, networks))
            results.add(rows)
            for row in rows:
                say(f"{name}, {row['network']}: expected SHD {row['expected_shd']:.1f}")
    return write_page(folder / "sachs.md", render_sachs(results.frame()))
