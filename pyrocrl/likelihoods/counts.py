"""Likelihoods of counts: Poisson and negative binomial."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyro.distributions as dist
from torch import Tensor

from pyrocrl.errors import DataError
from pyrocrl.likelihoods.base import FloatArray, Likelihood, Own

__all__ = ["NegativeBinomial", "Poisson", "check_counts", "negative_binomial"]

_LOG_OVERDISPERSION = math.log(0.5)
_LOG_RATES = (-15.0, 15.0)


@dataclass(frozen=True, kw_only=True)
class Poisson(Likelihood):
    """Counts of events that do not know of each other; the network gives the logarithm of the rate.

    Large counts under it are next to exact, more than real ones are: prefer the negative binomial.
    """

    name: ClassVar[str] = "poisson"

    def check(self, numbers: FloatArray, where: str) -> None:
        """See `Likelihood.check`."""
        check_counts(numbers, where, self.name)

    def on_scale(self, numbers: FloatArray) -> FloatArray:
        """log(1 + count)."""
        return np.log1p(numbers)

    def start(self, numbers: FloatArray) -> tuple[float, ...]:
        """The logarithm of the mean."""
        return (math.log(numbers.mean()),)

    def distribution(self, network: Tensor, own: Own) -> dist.TorchDistribution:
        """See `Likelihood.distribution`."""
        return dist.Poisson((network[..., 0] + own.free[..., 0]).clamp(*_LOG_RATES).exp())

    def told(self, cells: Tensor, own: Own) -> Tensor:
        """log(1 + count), standardised."""
        return ((cells.log1p() - own.centre) / own.spread).unsqueeze(-1)

    def cells(self, numbers: FloatArray) -> FloatArray:
        """Counts as they are."""
        return numbers

    def units(self, cells: FloatArray) -> FloatArray:
        """Counts as they are."""
        return cells

    def shown(self, column: str, cells: FloatArray) -> dict[str, FloatArray]:
        """log(1 + count), standardised."""
        return {column: (np.log1p(cells) - self.centre) / self.spread}


@dataclass(frozen=True, kw_only=True)
class NegativeBinomial(Poisson):
    """Counts that scatter more than a Poisson law, each column with a dispersion of its own.

    The overdispersion, the squared coefficient of variation beyond Poisson's, is learned; its root
    never falls below the model's floor, as a share of the spread of the logarithms.
    """

    name: ClassVar[str] = "negative binomial"

    def start(self, numbers: FloatArray) -> tuple[float, ...]:
        """The logarithm of the mean, and that of the root of the overdispersion above the floor."""
        return (*super().start(numbers), _LOG_OVERDISPERSION)

    def distribution(self, network: Tensor, own: Own) -> dist.TorchDistribution:
        """See `Likelihood.distribution`."""
        log_rate = network[..., 0] + own.free[..., 0]
        least = (own.floor * own.spread) ** 2
        return negative_binomial(log_rate, least + (2 * own.free[..., 1]).exp())


def negative_binomial(log_rate: Tensor, overdispersion: Tensor) -> dist.TorchDistribution:
    """Counts with a mean and a variance of mean + overdispersion * mean squared.

    Args:
        log_rate: logarithm of the mean.
        overdispersion: positive; broadcasts with it.

    >>> import torch
    >>> law = negative_binomial(torch.tensor(2.0).log(), torch.tensor(0.5))
    >>> round(law.mean.item(), 4), round(law.variance.item(), 4)
    (2.0, 4.0)
    """
    log_rate = log_rate.clamp(*_LOG_RATES)
    return dist.NegativeBinomial(1 / overdispersion, logits=log_rate + overdispersion.log())


def check_counts(numbers: FloatArray, where: str, name: str) -> None:
    """Refuse what is no count.

    Args:
        numbers: NaN where missing.
        where: modality and column, for the message.
        name: of the likelihood, for the message.

    Raises:
        DataError: a number is negative or not whole.

    >>> check_counts(np.array([0.0, 3.0, np.nan]), "column 'visits'", "poisson")
    """
    for bad, problem in (
        (numbers < 0, "a negative number"),
        (numbers != np.round(numbers), "not a whole number"),
    ):
        culprits = numbers[bad & ~np.isnan(numbers)]
        if culprits.size:
            raise DataError(
                f"{where} holds {culprits[0]:g}, {problem}, and a {name} likelihood takes counts: "
                "0, 1, 2, ...; use 'gaussian', or 'log-normal' for positive numbers"
            )
