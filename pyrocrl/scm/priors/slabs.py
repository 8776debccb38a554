"""Slabs: the distribution of an edge's weight, and the normal widths that it is a mixture of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pyro.distributions as dist
import torch
from scipy.special import gammaincinv
from torch import Tensor

from pyrocrl.errors import PriorError
from pyrocrl.scm.priors.checks import on_device
from pyrocrl.scm.priors.protocol import EdgePrior, describe

__all__ = ["NormalScaleMixture", "slab_of", "slab_widths"]

_WIDTHS = 5


class NormalScaleMixture(dist.TorchDistribution):
    """Equally weighted normals around zero: each of some widths is equally probable.

    Args:
        widths: standard deviations, shape (width,).

    Example:
        >>> slab = NormalScaleMixture(torch.tensor([0.1, 1.0]))
        >>> round(float(slab.log_prob(torch.tensor(0.0)).exp()), 3)
        2.194
    """

    arg_constraints: ClassVar[dict[str, Any]] = {"widths": dist.constraints.positive}
    support = dist.constraints.real
    has_rsample = False

    def __init__(
        self, widths: Tensor | Sequence[float], batch_shape: torch.Size | None = None
    ) -> None:
        self.widths = torch.as_tensor(widths)
        super().__init__(torch.Size() if batch_shape is None else batch_shape, validate_args=False)

    @classmethod
    def of(cls, width: dist.TorchDistribution, count: int = 7) -> NormalScaleMixture:
        """Normals of unknown width: the mixture at quantiles of the width's distribution.

        Args:
            width: distribution of the standard deviation, with an `icdf`.
            count: number of quantiles.

        Raises:
            PriorError: if `width` is no distribution of one positive number, or has no `icdf`.

        Example:
            >>> NormalScaleMixture.of(dist.HalfNormal(1.0), count=3).widths
            tensor([0.2104, 0.6745, 1.3830])
        """
        middles = (torch.arange(count) + 0.5) / count
        try:
            widths = width.icdf(middles)
        except NotImplementedError:
            widths = None
        if widths is None or widths.shape != (count,) or not bool((widths > 0).all()):
            raise PriorError(
                "NormalScaleMixture: width must be the distribution of one positive number with an "
                f"icdf, such as dist.LogNormal(0.0, 1.0) or dist.HalfNormal(1.0), not {width}"
            )
        return cls(widths)

    def expand(self, batch_shape: torch.Size, _instance: object = None) -> NormalScaleMixture:
        """The same distribution of many numbers."""
        return NormalScaleMixture(self.widths, torch.Size(batch_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density, in the shape of `value`."""
        by_width = dist.Normal(torch.zeros_like(self.widths), self.widths).log_prob(
            value[..., None]
        )
        return torch.logsumexp(by_width, -1) - float(np.log(len(self.widths)))

    def sample(self, sample_shape: torch.Size | tuple[int, ...] = ()) -> Tensor:
        """Draw numbers."""
        shape = (*sample_shape, *self.batch_shape)
        chosen = torch.randint(len(self.widths), shape, device=self.widths.device)
        return self.widths[chosen] * torch.randn(
            shape, dtype=self.widths.dtype, device=self.widths.device
        )

    @property
    def mean(self) -> Tensor:
        """Zero."""
        return self.widths.new_zeros(self.batch_shape)

    @property
    def variance(self) -> Tensor:
        """Mean of the squared widths."""
        return self.widths.square().mean().expand(self.batch_shape)


def slab_of(prior: EdgePrior, device: torch.device | str = "cpu") -> dist.TorchDistribution:
    """The distribution of an edge's weight under `prior`; Normal(0, 2) if it states none.

    Args:
        prior: the edge prior.
        device: where the distribution is to live.

    Raises:
        PriorError: if the prior's `slab` is no distribution of one number.
    """
    slab = getattr(prior, "slab", dist.Normal(0.0, 2.0))
    is_distribution = isinstance(slab, torch.distributions.Distribution)
    if not is_distribution or slab.batch_shape or slab.event_shape:
        raise PriorError(
            f"edge prior {describe(prior)}: slab must be a distribution of one number, such as "
            f"dist.Normal(0.0, 2.0), not {slab!r}"
        )
    return on_device(slab, device)


def slab_widths(slab: dist.TorchDistribution) -> tuple[float, ...]:
    """Standard deviations of the normals that a slab is a mixture of, all equally probable.

    A normal is one. A Laplace, Student t or Cauchy slab is a mixture of normals over a continuum
    of widths and becomes those at five quantiles (10, 30, 50, 70 and 90 %) of that distribution.
    Any other slab becomes one normal of the same standard deviation, or of the same distance
    between median and 84 % quantile where it has none.

    Args:
        slab: distribution of an edge's weight.

    Source: Andrews and Mallows (1974), Scale mixtures of normal distributions.

    Example:
        >>> slab_widths(dist.Normal(0.0, 2.0))
        (2.0,)
        >>> [round(width, 2) for width in slab_widths(dist.Laplace(0.0, 1.0))]
        [0.46, 0.84, 1.18, 1.55, 2.15]
    """
    quantiles = (np.arange(_WIDTHS) + 0.5) / _WIDTHS
    if isinstance(slab, NormalScaleMixture):
        return tuple(float(width) for width in slab.widths)
    if isinstance(slab, torch.distributions.Laplace):
        # The variance is exponential, of mean 2 * scale^2.
        widths = float(slab.scale) * np.sqrt(-2 * np.log1p(-quantiles))
    elif isinstance(slab, torch.distributions.StudentT | torch.distributions.Cauchy):
        freedom = float(getattr(slab, "df", 1.0))
        # One over the variance is chi-squared, over its degrees of freedom.
        chi_squared = 2 * gammaincinv(freedom / 2, 1 - quantiles)
        widths = float(slab.scale) * np.sqrt(freedom / chi_squared)
    else:
        return (_deviation(slab),)
    return tuple(widths.tolist())


def _deviation(slab: dist.TorchDistribution) -> float:
    deviation = float(slab.stddev)
    if np.isfinite(deviation):
        return deviation
    upper, middle = (float(slab.icdf(torch.tensor(p))) for p in (0.8413, 0.5))
    return upper - middle
