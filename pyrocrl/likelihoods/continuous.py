"""Likelihoods of numbers on a line: Gaussian, Student t, log-normal."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyro.distributions as dist
import torch
from torch import Tensor

from pyrocrl.errors import DataError, ModelError
from pyrocrl.likelihoods.base import FloatArray, Likelihood, Own

__all__ = ["Continuous", "Gaussian", "LogNormal", "StudentT"]

_LOG_EXCESS = math.log(0.4)
_WIDEST = 3.0
_MAD = 1.4826


@dataclass(frozen=True, kw_only=True)
class Continuous(Likelihood):
    """A location from the network, and a noise.

    Args:
        noise: standard deviation of the measurement given latents and noise: "learned" (one for
            the column), "varying" (heteroscedastic: the network gives one for every subject), or
            a number that is known beforehand, in the units of the data (of their logarithm for the
            log-normal). Noise that is learned never falls below the floor of the model.

    Raises:
        ModelError: the noise is none of these.
    """

    noise: float | str = "learned"

    def __post_init__(self) -> None:
        if isinstance(self.noise, str):
            if self.noise not in ("learned", "varying"):
                raise ModelError(
                    f"noise must be 'learned', 'varying' or a positive number, not {self.noise!r}"
                )
        elif isinstance(self.noise, bool) or not 0 < self.noise < math.inf:
            raise ModelError(f"noise must be a positive number, not {self.noise!r}")

    @property
    def outputs(self) -> int:
        """The location, and the logarithm of the noise where it varies."""
        return 2 if self.noise == "varying" else 1

    def start(self, numbers: FloatArray) -> tuple[float, ...]:
        """The logarithm of what the noise exceeds the floor by."""
        return (_LOG_EXCESS,) if isinstance(self.noise, str) else ()

    def distribution(self, network: Tensor, own: Own) -> dist.TorchDistribution:
        """See `Likelihood.distribution`."""
        return self.law(network[..., 0], self.deviation(network, own), own)

    def deviation(self, network: Tensor, own: Own) -> Tensor:
        """Standard deviation of the noise in units of the spread, (chain, subject or 1, column)."""
        if not isinstance(self.noise, str):
            return (self.noise / own.spread).expand(len(network), 1, -1)
        log_excess = own.free[..., 0]
        if self.noise == "varying":
            log_excess = log_excess + _WIDEST * torch.tanh(network[..., 1] / _WIDEST)
        return (own.floor**2 + (2 * log_excess).exp()).sqrt()

    @abstractmethod
    def law(self, loc: Tensor, scale: Tensor, own: Own) -> dist.TorchDistribution:
        """The distribution around a location, (chain, subject, column)."""


@dataclass(frozen=True, kw_only=True)
class Gaussian(Continuous):
    """Normal noise: the default for numbers.

    >>> Gaussian(noise="varying").outputs
    2
    """

    name: ClassVar[str] = "gaussian"

    def law(self, loc: Tensor, scale: Tensor, own: Own) -> dist.TorchDistribution:
        """Normal."""
        return dist.Normal(loc, scale)


@dataclass(frozen=True, kw_only=True)
class LogNormal(Gaussian):
    """Normal noise of the logarithm, for positive numbers that vary by factors.

    Densities are those of the standardised logarithm.
    """

    name: ClassVar[str] = "log-normal"

    def check(self, numbers: FloatArray, where: str) -> None:
        """See `Likelihood.check`."""
        bad = numbers[numbers <= 0]
        if bad.size:
            raise DataError(
                f"{where} holds {bad.min():g}, and a log-normal likelihood takes positive numbers "
                "only; use 'gaussian' or 'student t', or NaN where it means missing"
            )

    def on_scale(self, numbers: FloatArray) -> FloatArray:
        """Logarithms."""
        return np.log(numbers)

    def units(self, cells: FloatArray) -> FloatArray:
        """See `Likelihood.units`."""
        return np.asarray(np.exp(super().units(cells)))


@dataclass(frozen=True, kw_only=True)
class StudentT(Continuous):
    """Heavy tails, for columns with gross errors; degrees of freedom, above 1, are learned.

    Centre and spread are median and median absolute deviation, which errors do not move.
    """

    name: ClassVar[str] = "student t"

    def law(self, loc: Tensor, scale: Tensor, own: Own) -> dist.TorchDistribution:
        """Student t."""
        return dist.StudentT(1 + own.free[..., -1].exp(), loc, scale)

    def told(self, cells: Tensor, own: Own) -> Tensor:
        """Far values drawn near."""
        return cells.asinh().unsqueeze(-1)

    def shown(self, column: str, cells: FloatArray) -> dict[str, FloatArray]:
        """Far values drawn near."""
        return {column: np.arcsinh(cells)}

    def moments(self, scaled: FloatArray, mean: float, std: float) -> tuple[float, float]:
        """Median, and the deviation that a normal column with these quartiles has."""
        median = float(np.median(scaled))
        deviation = _MAD * float(np.median(np.abs(scaled - median)))
        return median, deviation or std

    def start(self, numbers: FloatArray) -> tuple[float, ...]:
        """The noise, and the logarithm of the degrees of freedom above 1."""
        return (*super().start(numbers), 1.0)
