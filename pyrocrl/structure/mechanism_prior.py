"""Prior of what mechanisms do: of the weights of their features and of their noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

import numpy as np

from pyrocrl.errors import ModelError

__all__ = ["ADDITIVE", "LINEAR", "NormalInverseGamma", "Slab"]


class Slab(NamedTuple):
    """Prior variances of a mechanism's weights, in noise variances.

    Attributes:
        linear: Of the straight lines.
        smooth: Of the smooth features; 0 for a linear mechanism.
    """

    linear: float
    smooth: float


@dataclass(frozen=True)
class NormalInverseGamma:
    """Prior of a mechanism's weights and of its noise variance, on standardised nodes.

    Noise variance ~ InverseGamma(shape, scale); a weight ~ Normal(0, slab * noise variance). How
    wide the slab of the smooth features is, is itself unknown: each of `smooth` is equally
    probable, and 0 stands for a linear mechanism.

    A slab of the straight lines that is no normal but a mixture of normals is represented by a few
    equally probable widths, each of them common to all parents of a child. For a child with one
    parent that is the mixture itself, at as many points as there are widths; with several parents,
    a strong one widens the slab of the others, which widths of their own would not do.

    Attributes:
        linear: Slab variance of the weights of the straight lines, in noise variances.
        smooth: Slab variances to average over for the weights of the smooth features.
        shape: Shape of the inverse-gamma prior of a node without parents.
        scale: Scale of the inverse-gamma prior.
        shape_per_parent: What every parent adds to the shape.
        widths: Factors of `linear`, of which each is equally probable; one for a normal slab.
    """

    linear: float = 4.0
    smooth: tuple[float, ...] = (0.0, 0.1, 0.5)
    shape: float = 1.0
    scale: float = 1.0
    shape_per_parent: float = 0.0
    widths: tuple[float, ...] = (1.0,)

    @property
    def slabs(self) -> tuple[Slab, ...]:
        """The slabs to average over, each of them equally probable."""
        pairs = product(self.widths, self.smooth)
        return tuple(Slab(self.linear * width, smooth) for width, smooth in pairs)

    def with_slab(self, deviations: float | Sequence[float]) -> NormalInverseGamma:
        """The same for a slab of straight lines with these standard deviations.

        Args:
            deviations: In standard deviations of the noise; several are equally probable.

        Raises:
            ModelError: If one is not positive or there is none.

        Example:
            >>> [slab.linear for slab in LINEAR.with_slab((1.0, 2.0)).slabs]
            [1.0, 4.0]
        """
        each = np.atleast_1d(np.asarray(deviations, dtype=np.float64))
        if each.ndim != 1 or not each.size or not ((each > 0) & np.isfinite(each)).all():
            raise ModelError(
                "slab must be a positive standard deviation, or several of them, not "
                f"{deviations!r}"
            )
        widths = tuple(((each / each[0]) ** 2).tolist())
        return replace(self, linear=float(each[0]) ** 2, widths=widths)

    @classmethod
    def equivalent(
        cls, linear: float = 4.0, smooth: tuple[float, ...] = (0.0, 0.1, 0.5), shape: float = 1.0
    ) -> NormalInverseGamma:
        """The prior under which linear mechanisms leave the direction of an edge open.

        Linear Gaussian graphs that imply the same independences fit any data equally well. With
        half a degree of freedom more for every parent, and a scale tied to the slab, these priors
        are those of one Wishart distribution over all nodes, and such graphs have the same
        evidence. Only a bend can then tell cause from effect.

        Args:
            linear: Slab variance of the weights of the straight lines, in noise variances.
            smooth: Slab variances to average over for the weights of the smooth features.
            shape: Shape of the inverse-gamma prior of a node without parents.

        Returns:
            The prior.

        Source: Geiger and Heckerman (2002), Parameter priors for directed acyclic graphical
        models, section 4; Kuipers, Moffa and Heckerman (2014) for the constants.

        Example:
            >>> NormalInverseGamma.equivalent(linear=4.0).scale
            0.125
        """
        return cls(linear, smooth, shape, scale=0.5 / linear, shape_per_parent=0.5)

    @classmethod
    def equivalent_for(cls, deviations: float | Sequence[float]) -> NormalInverseGamma:
        """`equivalent` for a slab of straight lines with these standard deviations.

        Directions stay open exactly under one width. With several the scale is that of their mean
        variance, and the averages over widths favour a direction a little.

        Args:
            deviations: As in `with_slab`.

        Raises:
            ModelError: If one is not positive or there is none.
        """
        each = cls().with_slab(deviations)
        variance = each.linear * float(np.mean(each.widths))
        return replace(cls.equivalent(variance), linear=each.linear, widths=each.widths)

    def prior_shape(self, n_parents: int) -> float:
        """Shape of the noise variance's inverse-gamma prior."""
        return self.shape + self.shape_per_parent * n_parents

    def posterior_shape(self, n_subjects: int, n_parents: int) -> float:
        """Shape of the noise variance's inverse-gamma posterior."""
        return self.prior_shape(n_parents) + 0.5 * n_subjects


ADDITIVE = NormalInverseGamma()
LINEAR = NormalInverseGamma(smooth=(0.0,))
