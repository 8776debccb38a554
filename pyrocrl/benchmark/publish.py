"""Table and figures beside the file of results."""

from __future__ import annotations

from pathlib import Path

from pyrocrl.benchmark.figures import save_figures
from pyrocrl.benchmark.results import Results
from pyrocrl.benchmark.table import render
from pyrocrl.markdown import write_page

__all__ = ["publish"]


def publish(results: Results, folder: Path) -> list[Path]:
    """Write identification.md and figures/ into a folder.

    Args:
        results: the results; rows of settings that have changed since are left out.
        folder: where to write.

    Returns:
        The files; none where there are no results.
    """
    frame = results.frame()
    if frame.empty:
        return []
    page = write_page(folder / "identification.md", render(frame))
    return [page, *save_figures(frame, folder / "figures")]
