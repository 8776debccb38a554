"""Progress bars: one per stage, with the ELBO of the best restart and the time left."""

from __future__ import annotations

from typing import Any

__all__ = ["Bars", "Silence"]


class Silence:
    """No progress bars."""

    def __enter__(self) -> Silence:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def start(self, name: str, total: int) -> None:
        """A stage begins."""

    def advance(self, text: str) -> None:
        """An epoch is done."""

    def finish(self, text: str) -> None:
        """The stage is over; `text` tells why if it did not run to its end."""


class Bars(Silence):
    """Progress bars in the terminal or notebook."""

    def __enter__(self) -> Bars:
        from rich.progress import (
            BarColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.table import Column

        self._progress: Any = Progress(
            TextColumn("{task.description}", table_column=Column(min_width=10, no_wrap=True)),
            BarColumn(bar_width=12),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[text]}"),
        )
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def start(self, name: str, total: int) -> None:
        """A stage begins."""
        self._task = self._progress.add_task(name, total=total, text="")

    def advance(self, text: str) -> None:
        """An epoch is done."""
        self._progress.update(self._task, advance=1, text=text)

    def finish(self, text: str) -> None:
        """The stage is over; `text` tells why if it did not run to its end."""
        task = self._progress.tasks[self._task]
        shown = text or task.fields["text"]
        self._progress.update(self._task, total=task.completed or 1, text=shown)
