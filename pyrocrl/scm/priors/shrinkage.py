"""Priors under which every edge is there, and most are weak."""

from __future__ import annotations

from typing import Any

import pyro.distributions as dist
import torch

from pyrocrl.scm.graph_space import GraphSpace
from pyrocrl.scm.priors.checks import check_positive
from pyrocrl.scm.priors.protocol import ShippedPrior
from pyrocrl.scm.priors.slabs import NormalScaleMixture

__all__ = ["Horseshoe", "LaplaceEdges"]


class LaplaceEdges(ShippedPrior):
    """Every allowed edge is present with a Laplace weight: the L1 penalty of the papers as a prior.

    No edge is ever exactly absent, so what the report calls an edge is one stronger than the
    region of practical equivalence (`rope`).

    The reported posterior takes the Laplace distribution as the mixture of normals that it is,
    at five quantiles of their width, one width for all parents of a child (see `slab_widths`).

    Args:
        scale: of the Laplace distribution of an edge's linear weight.

    Raises:
        PriorError: if the scale is not positive.

    Source: Sun et al. (2025), section 5, "Sparsity regularization".

    Example:
        >>> LaplaceEdges(0.3)
        LaplaceEdges(scale=0.3)
    """

    kind = "laplace"

    def __init__(self, scale: float = 0.5) -> None:
        self.scale = check_positive(scale, "LaplaceEdges: scale")
        self.slab = dist.Laplace(0.0, self.scale)

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """The full adjacency: every allowed edge is there."""
        return _every_edge(space)

    def arguments(self) -> dict[str, Any]:
        """See `ShippedPrior.arguments`."""
        return {"scale": self.scale}


class Horseshoe(ShippedPrior):
    """Every allowed edge is present; most weights are close to zero, and some are large.

    A weight is normal with standard deviation `scale` times a half-Cauchy number. No edge is ever
    exactly absent, so what the report calls an edge is one stronger than the region of practical
    equivalence (`rope`).

    The half-Cauchy distribution is represented by seven of its quantiles, from 0.11 to 8.9: the
    density has no pole at zero, which no gradient could leave, and its tails end as normal ones.
    The reported posterior averages over these, one width for all parents of a child: a child with
    one strong parent shrinks its others less than widths of their own would.

    Args:
        scale: of a typical edge's linear weight.

    Raises:
        PriorError: if the scale is not positive.

    Source: Carvalho, Polson and Scott (2010), The horseshoe estimator for sparse signals.

    Example:
        >>> Horseshoe(0.1)
        Horseshoe(scale=0.1)
        >>> [round(float(width), 2) for width in Horseshoe(1.0).slab.widths]
        [0.11, 0.35, 0.63, 1.0, 1.59, 2.86, 8.88]
    """

    kind = "horseshoe"

    def __init__(self, scale: float = 0.2) -> None:
        self.scale = check_positive(scale, "Horseshoe: scale")
        self.slab = NormalScaleMixture.of(dist.HalfCauchy(self.scale), count=7)

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """The full adjacency: every allowed edge is there."""
        return _every_edge(space)

    def arguments(self) -> dict[str, Any]:
        """See `ShippedPrior.arguments`."""
        return {"scale": self.scale}


def _every_edge(space: GraphSpace) -> torch.Tensor:
    return space.admit(torch.ones(len(space.nodes), len(space.nodes)))
