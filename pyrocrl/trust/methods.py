"""What every method of the benchmark of calibration says of one data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from pyrocrl.structure import EdgePriorMixture, KnownOrderPosterior, UnknownOrderPosterior
from pyrocrl.trust.causal_learn import bootstrap_ges, bootstrap_pc
from pyrocrl.trust.simulated import Variables

__all__ = ["KNOWN", "METHODS", "UNKNOWN", "Answer", "Method"]

FloatArray = npt.NDArray[np.float64]

KNOWN = "pyrocrl, order known"
UNKNOWN = "pyrocrl"

_DRAWS = 1000
_FEWEST_DRAWS = 50
_INTERVAL = (0.05, 0.95)
# Of a wrong prior: its odds over those of the generator.
_FACTORS = {"pyrocrl, prior odds / 4": 0.25, "pyrocrl, prior odds x 4": 4.0}


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method says.

    Attributes:
        probability: Of each edge, (child, parent).
        interval: Limits of the 90 % intervals of the strengths of edges, given that they are
            there, (2, child, parent), in nats per subject; NaN where the edge is in few draws or
            the method gives none.
    """

    probability: FloatArray
    interval: FloatArray | None = field(default=None)


Method = Callable[[Variables], Answer]


def _ours_known(data: Variables) -> Answer:
    prior = _prior(data, data.rate)
    return _answer(KnownOrderPosterior.fit(data.z, data.allowed, prior, rope=0.0))


def _ours_unknown(data: Variables, factor: float = 1.0) -> Answer:
    # Each pair is linked with probability `rate`, one way or the other: half for each way.
    odds = factor * data.rate / 2 / (1 - data.rate / 2)
    allowed = ~np.eye(data.z.shape[1], dtype=np.bool_)
    prior = _prior(data, odds / (1 + odds))
    return _answer(UnknownOrderPosterior.fit(data.z, allowed, prior, rope=0.0))


def _pc(data: Variables) -> Answer:
    return Answer(bootstrap_pc(data.z))


def _ges(data: Variables) -> Answer:
    return Answer(bootstrap_ges(data.z))


def _prior(data: Variables, probability: float) -> EdgePriorMixture:
    return EdgePriorMixture.fixed(np.full(data.adjacency.shape, probability))


def _answer(posterior: KnownOrderPosterior | UnknownOrderPosterior) -> Answer:
    drawn = posterior.sample(_DRAWS, np.random.default_rng(0))
    interval = np.full((2, *posterior.probability.shape), np.nan)
    for child, parent in np.argwhere(drawn.adjacency.sum(axis=0) >= _FEWEST_DRAWS):
        present = drawn.adjacency[:, child, parent]
        interval[:, child, parent] = np.quantile(drawn.strength[present, child, parent], _INTERVAL)
    return Answer(posterior.probability, interval)


METHODS: dict[str, Method] = {
    UNKNOWN: _ours_unknown,
    KNOWN: _ours_known,
    **{name: partial(_ours_unknown, factor=factor) for name, factor in _FACTORS.items()},
    "pc": _pc,
    "ges": _ges,
}
