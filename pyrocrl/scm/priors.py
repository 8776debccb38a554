"""Priors over edges: spike and slab, Laplace, or any Pyro program that returns an adjacency.

An edge prior is a callable. It takes the `GraphSpace`, makes its `pyro.sample` statements and
returns an adjacency `A[..., child, parent]` of zeros and ones (`GraphSpace.admit` then drops what
is forbidden and adds what is required). It may have an attribute `slab`, the distribution of an
edge's weight; without one the slab is that of `SpikeAndSlab`. Nothing needs to be subclassed:

    def hierarchical(space):
        rate = pyro.sample("rate", dist.Beta(1, 9))
        return pyro.sample("adjacency", space.edges(rate))

The program runs inside the chain plate: what it draws has the leading shape (chain, 1), so index
from the right.
"""

from __future__ import annotations

import reprlib
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyro
import pyro.distributions as dist
import torch

from pyrocrl.errors import PriorError
from pyrocrl.scm.graph_space import GraphSpace

__all__ = [
    "EdgePrior",
    "LaplaceEdges",
    "SpikeAndSlab",
    "describe",
    "slab_of",
]


@runtime_checkable
class EdgePrior(Protocol):
    """Any callable that takes a `GraphSpace` and returns an adjacency."""

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """Draw an adjacency, (..., child, parent)."""
        ...


class SpikeAndSlab:
    """Every edge is absent (spike) or has a normal weight (slab), independently.

    Args:
        probability: prior inclusion probability of every allowed edge, between 0 and 1; a
            (D, D) array gives each edge its own, `[child, parent]`.
        slab: standard deviation of an edge's linear weight, in standard deviations of the nodes.

    Raises:
        PriorError: if the probability is not between 0 and 1 or the slab not positive.

    Example:
        >>> SpikeAndSlab(probability=0.2)
        SpikeAndSlab(probability=0.2, slab=2)
    """

    def __init__(
        self, probability: float | np.ndarray | torch.Tensor = 0.1, slab: float = 2.0
    ) -> None:
        try:
            numbers = np.asarray(probability, dtype=np.float64)
        except (TypeError, ValueError, RuntimeError):
            raise PriorError(
                "SpikeAndSlab: probability must be one number or a (child, parent) matrix of "
                f"numbers, not {reprlib.repr(probability)}"
            ) from None
        self.probability = torch.tensor(numbers, dtype=torch.get_default_dtype())
        if not bool(((self.probability >= 0) & (self.probability <= 1)).all()):
            raise PriorError(
                f"SpikeAndSlab: probability must be between 0 and 1, not {probability}"
            )
        if self.probability.ndim not in (0, 2):
            raise PriorError(
                "SpikeAndSlab: probability must be one number or a (child, parent) matrix, "
                f"not of shape {tuple(self.probability.shape)}"
            )
        _check_positive(slab, "SpikeAndSlab: slab")
        self.slab = dist.Normal(0.0, float(slab))

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """Draw an adjacency: independent Bernoulli edges."""
        size = len(space.nodes)
        if self.probability.ndim == 2 and self.probability.shape != (size, size):
            raise PriorError(
                f"SpikeAndSlab: probability has shape {tuple(self.probability.shape)}, but there "
                f"are {size} nodes: it must be ({size}, {size}), rows children, columns parents"
            )
        adjacency: torch.Tensor = pyro.sample("adjacency", space.edges(self.probability))
        return adjacency

    def __repr__(self) -> str:
        p = f"{float(self.probability):.4g}" if self.probability.ndim == 0 else "<matrix>"
        return f"SpikeAndSlab(probability={p}, slab={float(self.slab.scale):g})"


class LaplaceEdges:
    """Every allowed edge is present with a Laplace weight: the L1 penalty of the papers as a prior.

    No edge is ever exactly absent, so what the report calls an edge is one stronger than the
    region of practical equivalence (`rope`).

    Args:
        scale: of the Laplace distribution of an edge's linear weight.

    Raises:
        PriorError: if the scale is not positive.

    Source: Sun et al. (2025), section 5, "Sparsity regularization".

    Example:
        >>> LaplaceEdges(0.3)
        LaplaceEdges(scale=0.3)
    """

    def __init__(self, scale: float = 0.5) -> None:
        _check_positive(scale, "LaplaceEdges: scale")
        self.scale = float(scale)
        self.slab = dist.Laplace(0.0, self.scale)

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """The full adjacency: every allowed edge is there."""
        return space.admit(torch.ones(len(space.nodes), len(space.nodes)))

    def __repr__(self) -> str:
        return f"LaplaceEdges(scale={self.scale:g})"


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
    parameters = {name: getattr(slab, name) for name in slab.arg_constraints}
    if all(value.device == torch.device(device) for value in parameters.values()):
        return slab
    return type(slab)(**{name: value.to(device) for name, value in parameters.items()})


def describe(prior: EdgePrior) -> str:
    """The prior in a few words, for reports."""
    if isinstance(prior, SpikeAndSlab | LaplaceEdges):
        return repr(prior)
    return str(getattr(prior, "__name__", type(prior).__name__))


def _check_positive(value: Any, what: str) -> None:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not is_number or not 0 < value < np.inf:
        raise PriorError(f"{what} must be positive, not {value!r}")
