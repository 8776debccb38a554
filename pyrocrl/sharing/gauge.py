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
        log_spread: of the values, as a function of the latents beside; None where there are none.
        bend: what makes them about normal; straight beyond its ends.
    """

    log_spread: Pipeline | None
    bend: PchipInterpolator

    @classmethod
    def of(cls, values: FloatArray, beside: FloatArray) -> Gauge:
        """Learn it.

        Args:
            values: (subject,), what modalities agree on, with mean 0 and standard deviation 1.
            beside: (subject, latent), reported values of latents that the same modalities see.

        Example:
            >>> z, w = np.random.default_rng(0).normal(size=(2, 5000))
            >>> agreed = np.tanh(0.5 * z) * (1 + 0.4 * np.tanh(w))
            >>> agreed = (agreed - agreed.mean()) / agreed.std()
            >>> reported = Gauge.of(agreed, w[:, None])(agreed, w[:, None])
            >>> before, after = (np.corrcoef(z, v)[0, 1] for v in (agreed, reported))
            >>> bool(before < 0.97 < 0.99 < after)
            True
        """
        spread = None
        if beside.shape[1]:
            spread = make_pipeline(PolynomialFeatures(_DEGREE), Ridge())
            spread.fit(_clipped(beside), 0.5 * np.log(values**2 + _LEAST_SQUARE))
            values = values / _spread(spread, beside)
        at = np.quantile(values, norm.cdf(_KNOTS))
        wide = np.diff(at).clip(min=1e-9)
        steep = np.diff(_KNOTS) / wide
        usual = float(np.median(steep))
        rises = wide * steep.clip(usual / _MOST_BENT, usual * _MOST_BENT)
        at, to = (np.concatenate([[0.0], np.cumsum(steps)]) for steps in (wide, rises))
        rough = cls(spread, PchipInterpolator(at + np.quantile(values, norm.cdf(_KNOTS[0])), to))
        bent = rough.bent(values)
        return cls(spread, PchipInterpolator(rough.bend.x, (to - bent.mean()) / bent.std()))

    def __call__(self, values: FloatArray, beside: FloatArray) -> FloatArray:
        """Reported values, (subject,), of subjects with these values and latents beside."""
        return self.bent(values / self._spread(beside))

    def steepness(self, values: FloatArray, beside: FloatArray) -> FloatArray:
        """How much reported values change with values, (subject,)."""
        spread = self._spread(beside)
        return np.asarray(self.bend(self._inside(values / spread), 1) / spread)

    def bent(self, values: FloatArray) -> FloatArray:
        """The bend alone, (subject,)."""
        inside = self._inside(values)
        return np.asarray(self.bend(inside) + self.bend(inside, 1) * (values - inside))

    def _inside(self, values: FloatArray) -> FloatArray:
        return np.clip(values, self.bend.x[0], self.bend.x[-1])

    def _spread(self, beside: FloatArray) -> FloatArray | float:
        return 1.0 if self.log_spread is None else _spread(self.log_spread, beside)


def _clipped(beside: FloatArray) -> FloatArray:
    return np.clip(beside, -_FARTHEST, _FARTHEST)


def _spread(log_spread: Pipeline, beside: FloatArray) -> FloatArray:
    return np.asarray(np.exp(log_spread.predict(_clipped(beside))))
