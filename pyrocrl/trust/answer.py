"""What a method says of one data set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Answer"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method says.

    Attributes:
        probability: Of each edge, (child, parent).
        interval: Limits of the 90 % intervals of the strengths of edges, given that they are
            there, (2, child, parent), in nats per subject; NaN where the edge is in few draws or
            the method gives none.
        spread: Largest difference between Markov chains in an edge's probability; None without
            chains.
        took: Seconds, as of `Clock`, where they are not those of this call.
    """

    probability: FloatArray
    interval: FloatArray | None = None
    spread: float | None = None
    took: dict[str, float] | None = None
