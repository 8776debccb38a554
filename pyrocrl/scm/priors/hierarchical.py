"""Edges that tell of one another: rates of edges that are themselves unknown."""

from __future__ import annotations

from typing import Any

import pyro
import pyro.distributions as dist
import torch

from pyrocrl.errors import PriorError
from pyrocrl.scm.graph_space import GraphSpace
from pyrocrl.scm.priors.checks import (
    check_positive,
    check_probability,
    checked_rate,
    on_device,
)
from pyrocrl.scm.priors.protocol import ShippedPrior

__all__ = ["HierarchicalEdges", "ScaleFree"]

# A rate that rounds to 0 or 1 has no beta distribution around it.
_EXTREME = 1e-4


class HierarchicalEdges(ShippedPrior):
    """Every ordered pair of modalities has an edge rate of its own, around a common mean.

    The rate of the edges from modality m to m' is Beta(`pooling` * mean, `pooling` * (1 - mean)).
    A clear edge makes others of its pair more probable, and a little more those of all pairs.

    Args:
        mean: distribution of the common mean, on (0, 1); None takes `dist.Beta(1.0, 9.0)`. The
            prior probability of an edge is its expectation.
        pooling: how firmly the rates hold together, in imagined edges a pair: large values are
            one rate for all, small ones rates that know nothing of one another.
        slab: standard deviation of an edge's linear weight, in standard deviations of the nodes.

    Raises:
        PriorError: if `mean` is no distribution on (0, 1), or `pooling` or the slab not positive.

    Source: Gelman et al. (2013), Bayesian data analysis, section 5.3, for the rates.

    Example:
        >>> HierarchicalEdges(dist.Beta(2.0, 8.0))
        HierarchicalEdges(mean=Beta(2, 8), pooling=5, slab=2)
    """

    kind = "hierarchical"

    def __init__(
        self,
        mean: dist.TorchDistribution | None = None,
        pooling: float = 5.0,
        slab: float = 2.0,
    ) -> None:
        mean = dist.Beta(1.0, 9.0) if mean is None else mean
        if not isinstance(mean, torch.distributions.Distribution):
            raise PriorError(
                "HierarchicalEdges: mean must be a Pyro distribution on (0, 1), such as "
                f"dist.Beta(1.0, 9.0), not {mean!r}"
            )
        self.mean = checked_rate(mean, "HierarchicalEdges: mean")
        self.pooling = check_positive(pooling, "HierarchicalEdges: pooling")
        self.slab = dist.Normal(0.0, check_positive(slab, "HierarchicalEdges: slab"))

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """Draw the mean, the rate of each pair, and an adjacency."""
        group = space.group_index
        count = len(set(space.nodes.groups))
        drawn = pyro.sample("edge_rate.mean", on_device(self.mean))
        mean = drawn.clamp(_EXTREME, 1 - _EXTREME)[..., None, None]
        pairs = dist.Beta(self.pooling * mean, self.pooling * (1 - mean))
        each = pairs.expand((*drawn.shape, count, count)).to_event(2)
        rate = pyro.sample("edge_rate", each)
        probability = rate[..., group[:, None], group[None, :]]
        adjacency: torch.Tensor = pyro.sample("adjacency", space.edges(probability))
        return adjacency

    def arguments(self) -> dict[str, Any]:
        """See `ShippedPrior.arguments`."""
        return {"mean": self.mean, "pooling": self.pooling, "slab": float(self.slab.scale)}


class ScaleFree(ShippedPrior):
    """Every node has a rate of having children, with a heavy tail: few nodes have many children.

    The rate of node j is Beta(a, `tail`), with a such that its mean is `probability`. Its odds
    have a power law, P(odds > x) ~ x ** -tail.

    Args:
        probability: prior probability of an edge, between 0 and 1.
        tail: power of the tail; the smaller, the more unlike the nodes are.
        slab: standard deviation of an edge's linear weight, in standard deviations of the nodes.

    Raises:
        PriorError: if the probability is not strictly between 0 and 1, or `tail` or the slab not
            positive.

    Source: Barabasi and Albert (1999), Emergence of scaling in random networks, for graphs with
    few hubs.

    Example:
        >>> ScaleFree(0.1)
        ScaleFree(probability=0.1, tail=2, slab=2)
    """

    kind = "scale_free"

    def __init__(self, probability: float = 0.1, tail: float = 2.0, slab: float = 2.0) -> None:
        self.probability = check_probability(probability, "ScaleFree: probability")
        if self.probability in (0.0, 1.0):
            raise PriorError(f"ScaleFree: probability must not be {self.probability:g} itself")
        self.tail = check_positive(tail, "ScaleFree: tail")
        self.slab = dist.Normal(0.0, check_positive(slab, "ScaleFree: slab"))

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """Draw a rate for each node, and an adjacency."""
        size = len(space.nodes)
        small = self.tail * self.probability / (1 - self.probability)
        rates = dist.Beta(torch.tensor(small), torch.tensor(self.tail))
        rate = pyro.sample("child_rate", rates.expand([size]).to_event(1))
        probability = rate[..., None, :].expand(*rate.shape[:-1], size, size)
        adjacency: torch.Tensor = pyro.sample("adjacency", space.edges(probability))
        return adjacency

    def arguments(self) -> dict[str, Any]:
        """See `ShippedPrior.arguments`."""
        return {
            "probability": self.probability,
            "tail": self.tail,
            "slab": float(self.slab.scale),
        }
