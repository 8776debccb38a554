"""Case 1 of Sun et al. (2025) behind measurements of every kind, with the truth known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.data import Counts, MultimodalData, Readable, Table
from pyrocrl.simulate.cases import CASES
from pyrocrl.simulate.generate import Laws, Sizes, Truth, generate, one_of, random_numbers
from pyrocrl.simulate.graphs import one_to_one
from pyrocrl.simulate.mixing import Mixing

__all__ = ["MEASURED", "measured_case"]

FloatArray = npt.NDArray[np.float64]

_NOISE = 0.3
_STEEP = 2.5
_SIGNALS = 3
_LOG_MEAN, _LOG_SPREAD = np.log(5.0), 0.8
_DISPERSION = 5.0
_LOG_LIBRARY = 0.4


def _numbers(signals: FloatArray, rng: np.random.Generator) -> FloatArray:
    own = signals[..., 0]
    return np.asarray(own + _NOISE * rng.normal(size=own.shape))


def _with_outliers(signals: FloatArray, rng: np.random.Generator) -> FloatArray:
    own = signals[..., 0]
    return np.asarray(own + _NOISE * rng.standard_t(2, size=own.shape))


def _factors(signals: FloatArray, rng: np.random.Generator) -> FloatArray:
    return np.asarray(np.exp(_numbers(signals, rng)))


def _coins(signals: FloatArray, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    threshold = rng.normal(scale=0.5, size=signals.shape[1])
    odds = np.exp(_STEEP * (signals[..., 0] - threshold))
    return np.asarray(rng.random(odds.shape) < odds / (1 + odds))


def _unordered(signals: FloatArray, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    scores = np.concatenate([np.zeros_like(signals[..., :1]), _STEEP * signals], axis=-1)
    return np.asarray((scores + rng.gumbel(size=scores.shape)).argmax(-1))


def _ordered(signals: FloatArray, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    place = _STEEP * signals[..., 0] + rng.logistic(size=signals.shape[:2])
    cuts = _STEEP * np.array([-1.2, -0.4, 0.4, 1.2])
    return np.asarray((place[..., None] > cuts).sum(-1))


def _rates(signals: FloatArray) -> FloatArray:
    return np.asarray(np.exp(_LOG_MEAN + _LOG_SPREAD * signals[..., 0]))


def _events(signals: FloatArray, rng: np.random.Generator) -> FloatArray:
    return rng.poisson(_rates(signals)).astype(np.float64)


def _scattered(
    signals: FloatArray, rng: np.random.Generator, size: FloatArray | float = 1.0
) -> FloatArray:
    rates = size * _rates(signals)
    gamma = rng.gamma(_DISPERSION, 1 / _DISPERSION, size=rates.shape)
    return rng.poisson(rates * gamma).astype(np.float64)


def _libraries(subjects: int, rng: np.random.Generator) -> FloatArray:
    return np.asarray(np.exp(_LOG_LIBRARY * rng.normal(size=(subjects, 1))))


def _frame(values: npt.NDArray[Any]) -> pd.DataFrame:
    return pd.DataFrame(values, columns=[f"x{k + 1}" for k in range(values.shape[1])])


_LAWS: dict[str, Callable[[FloatArray, np.random.Generator], npt.NDArray[Any]]] = {
    "gaussian": _numbers,
    "student t": _with_outliers,
    "log-normal": _factors,
    "bernoulli": _coins,
    "categorical": _unordered,
    "ordinal": _ordered,
    "poisson": _events,
    "negative binomial": _scattered,
}
MEASURED = (*_LAWS, "counts", "mixed")


def measured_case(
    likelihood: str,
    *,
    seed: int = 0,
    n_subjects: int = 10_000,
    columns: int = 60,
    mixing: Mixing = "expand",
) -> tuple[MultimodalData, Truth]:
    """Case 1 (two modalities, two latents each), its columns measured by one law.

    Signals are drawn as columns of `numerical_case` are, and standardised. A column is then, of a
    signal s: normal or Student t around it (noise .3, 2 degrees of freedom), the exponential of
    that, true with log odds 2.5 (s - a threshold), one of four levels with log odds 2.5 s each (of
    three signals), one of five ordered levels of 2.5 s and logistic noise, or a count of mean
    5 exp(.8 s), Poisson or negative binomial (variance mean + mean^2 / 5). "mixed" goes through
    all of these in turn; "counts" are the last, times a library size with log standard deviation
    .4 that says nothing of the latents.

    Args:
        likelihood: name of a likelihood, "mixed" or "counts".
        seed: decides everything.
        n_subjects: number of subjects.
        columns: measured columns of each modality.
        mixing: "expand" or "square", see `from_graph`.

    Returns:
        The data and the truth behind them.

    Raises:
        ModelError: if a name is unknown or a number too small.

    Example:
        >>> data, truth = measured_case("bernoulli", n_subjects=50, columns=6)
        >>> data["m1"].described, list(truth.latents)[:2]
        ('6 columns: 6 bernoulli', ['m1.z1', 'm1.z2'])
    """
    one_of("likelihood", likelihood, dict.fromkeys(MEASURED))
    rng, case = random_numbers(seed), CASES[1]
    sizes = Sizes.of_counts([case.latents] * case.modalities, case.noises, _SIGNALS * columns)
    graph = one_to_one(case.modalities, case.latents, rng)
    laws = Laws(n_subjects, mixing, "gaussian", "additive")
    signals, truth = generate(graph, sizes, laws, rng)
    tables = {}
    for name in signals.names:
        own = signals.frame(name).to_numpy()
        own = (own - own.mean(0)) / own.std(0)
        tables[name] = _measure(likelihood, own.reshape(len(own), columns, _SIGNALS), rng)
    return MultimodalData(tables), truth


def _measure(likelihood: str, signals: FloatArray, rng: np.random.Generator) -> Readable:
    """The columns of one modality, (subject, column, signal)."""
    if likelihood == "counts":
        return Counts(_frame(_scattered(signals, rng, _libraries(len(signals), rng))))
    if likelihood != "mixed":
        return Table(_frame(_LAWS[likelihood](signals, rng)), likelihood)
    laws = [list(_LAWS)[k % len(_LAWS)] for k in range(signals.shape[1])]
    columns = [_LAWS[law](signals[:, [k]], rng) for k, law in enumerate(laws)]
    frame = _frame(np.concatenate(columns, axis=1).astype(np.float64))
    return Table(frame, dict(zip(frame, laws, strict=True)))
