"""How the command line tells that something went wrong: one line, and a status."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from pyrocrl.errors import PyrocrlError

__all__ = ["one_line_errors"]


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Status 2 and the error in one line; 130 after Ctrl-C."""
    try:
        yield
    except PyrocrlError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped; nothing more was written.")
        raise typer.Exit(130) from None


def _fail(message: str) -> None:
    one_line = " ".join(message.split())
    Console(stderr=True, highlight=False).print(
        f"[bold red]Error:[/] [red]{escape(one_line)}[/]", soft_wrap=True
    )
    raise typer.Exit(2)
