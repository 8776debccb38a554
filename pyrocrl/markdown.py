"""Tables in Markdown, for pages of results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["markdown_table"]


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
