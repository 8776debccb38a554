"""Which of the functions that carry the same shared latent is reported.

What modalities agree on tells a latent z up to a smooth bijection, and this may differ with latents
w that all of them see beside it: z (1 + a w) is agreed on as well as z. Where mechanisms are
additive, what a latent has beyond w is independent of w, and so its spread is made the same at any
w. Of the bijections of z alone one is taken after which it is about normal, as latents without
causes are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator
from scipy.stats import norm
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures

__all__ = ["Gauge"]

_DEGREE = 3
_FARTHEST = 2.5
_LEAST_SQUARE = 1e-2
_KNOTS = np.linspace(-2.5, 2.5, 11)
# Two groups of people stay two groups.
_MOST_BENT = 3.0

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gauge:
    """How values of one shared latent become those that are reported; learned from some subjects.

    Attributes:
        centre: mean of the values.
        unit: their standard deviation.
        log_spread: of the values in these units, as a function of the latents beside; None where
            there are none.
        bend: what makes them about normal; straight beyond its ends.
    """

    centre: float
    unit: float
    log_spread: Pipeline | None
    bend: PchipInterpolator

    @classmethod
    def of(cls, values: FloatArray, beside: FloatArray) -> Gauge:
        """Learn it.

        Args:
            values: (subject,), what modalities agree on, in any units.
            beside: (subject, latent), reported values of latents that the same modalities see.

        Example:
            >>> z, w = np.random.default_rng(0).normal(size=(2, 5000))
            >>> agreed = np.tanh(0.5 * z) * (1 + 0.4 * np.tanh(w))
            >>> reported = Gauge.of(agreed, w[:, None])(agreed, w[:, None])
            >>> before, after = (np.corrcoef(z, v)[0, 1] for v in (agreed, reported))
            >>> bool(before < 0.97 < 0.99 < after)
            True
        """
        centre, unit = float(values.mean()), float(values.std())
        even, log_spread = (values - centre) / unit, None
        if beside.shape[1]:
            log_spread = make_pipeline(PolynomialFeatures(_DEGREE), Ridge())
            log_spread.fit(_clipped(beside), 0.5 * np.log(even**2 + _LEAST_SQUARE))
            even = even / _spread(log_spread, beside)
        bend = _towards_normal(even)
        bent = _bent(bend, even)
        bend = PchipInterpolator(bend.x, (bend(bend.x) - bent.mean()) / bent.std())
        return cls(centre, unit, log_spread, bend)

    def __call__(self, values: FloatArray, beside: FloatArray) -> FloatArray:
        """Reported values, (subject,), of subjects with these values and latents beside."""
        return _bent(self.bend, (values - self.centre) / self._scale(beside))

    def steepness(self, values: FloatArray, beside: FloatArray) -> FloatArray:
        """How much reported values change with values, (subject,)."""
        scale = self._scale(beside)
        return np.asarray(self.bend(_inside(self.bend, (values - self.centre) / scale), 1) / scale)

    def _scale(self, beside: FloatArray) -> FloatArray | float:
        """What values are divided by before they are bent."""
        return self.unit * (1.0 if self.log_spread is None else _spread(self.log_spread, beside))


def _towards_normal(values: FloatArray) -> PchipInterpolator:
    """From quantiles to those of a normal distribution, as far as `_MOST_BENT` allows."""
    quantiles = np.quantile(values, norm.cdf(_KNOTS))
    wide = np.diff(quantiles).clip(min=1e-9)
    steep = np.diff(_KNOTS) / wide
    usual = float(np.median(steep))
    rises = wide * steep.clip(usual / _MOST_BENT, usual * _MOST_BENT)
    at, to = (np.concatenate([[0.0], np.cumsum(steps)]) for steps in (wide, rises))
    return PchipInterpolator(quantiles[0] + at, to)


def _bent(bend: PchipInterpolator, values: FloatArray) -> FloatArray:
    inside = _inside(bend, values)
    return np.asarray(bend(inside) + bend(inside, 1) * (values - inside))


def _inside(bend: PchipInterpolator, values: FloatArray) -> FloatArray:
    return np.clip(values, bend.x[0], bend.x[-1])


def _clipped(beside: FloatArray) -> FloatArray:
    return np.clip(beside, -_FARTHEST, _FARTHEST)


def _spread(log_spread: Pipeline, beside: FloatArray) -> FloatArray:
    return np.asarray(np.exp(log_spread.predict(_clipped(beside))))
