"""Pages of results in Markdown, and their tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["markdown_table", "write_page"]


def markdown_table(head: Sequence[str], lines: Iterable[Iterable[object]]) -> str:
    r"""A table; a bar inside a cell is escaped.

    Args:
        head: names of the columns.
        lines: the cells of each line.

    Example:
        >>> print(markdown_table(["edge", "P"], [["a | b", 0.5]]))
        | edge | P |
        | --- | --- |
        | a \| b | 0.5 |
    """
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows
    )


def write_page(page: Path, text: str) -> Path:
    """Write a page; folders on the way are made.

    Args:
        page: the file.
        text: what it says.

    Returns:
        The file.
    """
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    return page
