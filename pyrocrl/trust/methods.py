"""What every method of the benchmark of calibration says of one data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from pyrocrl.errors import ConfigError, listing
from pyrocrl.structure import (
    GAUSSIAN,
    NOISE_LAWS,
    EdgePriorMixture,
    KnownOrderPosterior,
    UnknownOrderPosterior,
)
from pyrocrl.trust.answer import Answer
from pyrocrl.trust.causal_learn import bootstrap_ges, bootstrap_pc
from pyrocrl.trust.dibs import run_dibs
from pyrocrl.trust.simulated import Variables

__all__ = ["DEFAULT", "KNOWN", "METHODS", "STRAIGHT", "UNKNOWN", "Method", "choose_methods"]

FloatArray = npt.NDArray[np.float64]

KNOWN = "pyrocrl, order known"
UNKNOWN = "pyrocrl"
STRAIGHT = "pyrocrl, linear Gaussian"
DEFAULT = "pyrocrl, default prior"

_DRAWS = 1000
_FEWEST_DRAWS = 50
_INTERVAL = (0.05, 0.95)
# What `crl.fit` takes unless told otherwise.
_DEFAULT_PRIOR = 0.1

Method = Callable[[Variables], Answer]


def _ours_known(data: Variables) -> Answer:
    prior = _prior(data, data.rate)
    return _answer(KnownOrderPosterior.fit(data.z, data.allowed, prior, rope=0.0))


def _ours_unknown(data: Variables, bent: bool = True) -> Answer:
    # Each pair is linked with probability `rate`, one way or the other: half for each way.
    return _of_prior(data, data.rate / 2, bent)


def _of_prior(data: Variables, probability: float, bent: bool = True) -> Answer:
    posterior = UnknownOrderPosterior.fit(
        data.z,
        ~np.eye(data.z.shape[1], dtype=np.bool_),
        _prior(data, probability),
        rope=0.0,
        nonlinear=bent,
        noise_laws=NOISE_LAWS if bent else (GAUSSIAN,),
    )
    return _answer(posterior)


def _dibs(data: Variables, python: str, weighted: bool) -> Answer:
    return run_dibs(python, data)[int(weighted)]


def _prior(data: Variables, probability: float) -> EdgePriorMixture:
    return EdgePriorMixture.fixed(np.full(data.adjacency.shape, probability))


def _answer(posterior: KnownOrderPosterior | UnknownOrderPosterior) -> Answer:
    drawn = posterior.sample(_DRAWS, np.random.default_rng(0))
    interval = np.full((2, *posterior.probability.shape), np.nan)
    for child, parent in np.argwhere(drawn.adjacency.sum(axis=0) >= _FEWEST_DRAWS):
        present = drawn.adjacency[:, child, parent]
        interval[:, child, parent] = np.quantile(drawn.strength[present, child, parent], _INTERVAL)
    spread = posterior.spread if isinstance(posterior, UnknownOrderPosterior) else None
    return Answer(posterior.probability, interval, spread)


_METHODS: dict[str, Method] = {
    UNKNOWN: _ours_unknown,
    STRAIGHT: partial(_ours_unknown, bent=False),
    KNOWN: _ours_known,
    DEFAULT: partial(_of_prior, probability=_DEFAULT_PRIOR),
    "pc": lambda data: Answer(bootstrap_pc(data.z)),
    "ges": lambda data: Answer(bootstrap_ges(data.z)),
}
_DIBS = ("dibs", "dibs+")
METHODS = (*_METHODS, *_DIBS)


def choose_methods(names: Sequence[str] = (), dibs: str | None = None) -> dict[str, Method]:
    """The methods of these names, semicolons between.

    Args:
        names: The names; none takes our own under the right prior, and DiBS where it can be run.
        dibs: The interpreter of an environment that has dibs-lib.

    Raises:
        ConfigError: If there is no such method, or DiBS is asked for without its interpreter.

    Example:
        >>> list(choose_methods(["pc;pyrocrl"]))
        ['pyrocrl', 'pc']
    """
    wanted = [name.strip() for text in names for name in text.split(";")]
    for name in wanted:
        if name not in METHODS:
            raise ConfigError(f"there is no method {name!r}; there are {listing(METHODS, 20)}")
        if name in _DIBS and dibs is None:
            raise ConfigError("DiBS needs an environment of its own: --dibs PYTHON")
    available = dict(_METHODS)
    if dibs is not None:
        available |= {name: partial(_dibs, python=dibs, weighted=name == "dibs+") for name in _DIBS}
    wanted = wanted or [UNKNOWN, KNOWN, *_DIBS]
    return {name: method for name, method in available.items() if name in wanted}
