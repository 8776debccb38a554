"""How long something takes, by the clock and by the processor."""

from __future__ import annotations

import time

__all__ = ["Clock"]


class Clock:
    """Starts when made.

    Example:
        >>> sorted(Clock().read())
        ['cpu_seconds', 'seconds']
    """

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Seconds since; those of the processor leave out other work on the machine."""
        return {
            "seconds": time.perf_counter() - self._wall,
            "cpu_seconds": time.process_time() - self._processor,
        }
