"""Run what does not stand in sharing.csv yet, row by row, and write sharing.md beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pyrocrl.benchmark.sharing.measure import COLUMNS, KEY, METHODS, SLOW, measure
from pyrocrl.benchmark.sharing.page import render_sharing
from pyrocrl.benchmark.sharing.settings import SHARING_SETTINGS
from pyrocrl.errors import ConfigError, listing
from pyrocrl.markdown import write_page
from pyrocrl.rows import RowFile

__all__ = ["run_sharing"]


def run_sharing(
    seeds: Sequence[int],
    folder: Path,
    *,
    settings: Sequence[str] = (),
    methods: Sequence[str] = (),
    render: bool = False,
    say: Callable[[str], object] = print,
) -> Path | None:
    """Measure what is found of shared latents: sharing.csv and sharing.md.

    Args:
        seeds: of the data.
        folder: where results go; rows that stand there are not run again.
        settings: names of settings; all if empty.
        methods: names of methods; all but the two fits, which take minutes, if empty.
        render: run nothing, only write the page.
        say: called with a line for each row.

    Returns:
        The page; None where there are no results.

    Raises:
        ConfigError: if a name is unknown.
    """
    chosen = _known("setting", settings or list(SHARING_SETTINGS), list(SHARING_SETTINGS))
    ways = _known("method", methods or [m for m in METHODS if m not in SLOW], list(METHODS))
    results = RowFile(folder / "sharing.csv", COLUMNS, KEY, text=["version"])
    done = results.keys()
    jobs = [(seed, name, way) for seed in seeds for name in chosen for way in ways]
    for seed, name, method in [] if render else jobs:
        if (name, str(seed), method) in done:
            continue
        row = measure(name, SHARING_SETTINGS[name], seed, method)
        results.add([row])
        ended = row.get("error") or f"found {row.get('found', 'what was given')}"
        say(f"{name} seed {seed}, {method}: {ended}")
    frame = results.frame()
    if frame.empty:
        return None
    return write_page(folder / "sharing.md", render_sharing(frame))


def _known(kind: str, names: Sequence[str], known: Sequence[str]) -> list[str]:
    for name in names:
        if name not in known:
            raise ConfigError(f"there is no {kind} {name!r}; there are {listing(known, limit=20)}")
    return list(names)
