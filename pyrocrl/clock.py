"""How long something takes, by the clock and by the processor."""

from __future__ import annotations

import os
import time

__all__ = ["Clock"]


class Clock:
    """Starts when made.

    Example:
        >>> sorted(Clock().read())
        ['cpu_seconds', 'seconds']
    """

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), _processor()

    def read(self) -> dict[str, float]:
        """Seconds since; those of the processor, of ended processes it started too."""
        return {
            "seconds": time.perf_counter() - self._wall,
            "cpu_seconds": _processor() - self._processor,
        }


def _processor() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
