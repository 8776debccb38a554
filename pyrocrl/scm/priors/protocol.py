"""What an edge prior is, and what those that are shipped have besides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol, runtime_checkable

import pyro.distributions as dist
import torch

from pyrocrl.scm.graph_space import GraphSpace

__all__ = ["EdgePrior", "ShippedPrior", "describe"]


@runtime_checkable
class EdgePrior(Protocol):
    """Any callable that takes a `GraphSpace` and returns an adjacency."""

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """Draw an adjacency, (..., child, parent)."""
        ...


class ShippedPrior(ABC):
    """An edge prior that can be printed and saved; your own needs none of this.

    Attributes:
        kind: the name under which it is saved.
        slab: distribution of an edge's linear weight.
    """

    kind: ClassVar[str]
    slab: dist.TorchDistribution

    @abstractmethod
    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """Draw an adjacency, (..., child, parent)."""

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """What the prior was made from: its constructor's arguments."""

    def __repr__(self) -> str:
        listed = ", ".join(f"{name}={_short(value)}" for name, value in self.arguments().items())
        return f"{type(self).__name__}({listed})"


def describe(prior: EdgePrior) -> str:
    """The prior in a few words, for reports."""
    if isinstance(prior, ShippedPrior):
        return repr(prior)
    return str(getattr(prior, "__name__", type(prior).__name__))


def _short(value: Any) -> str:
    if isinstance(value, torch.distributions.Distribution):
        numbers = (getattr(value, name) for name in value.arg_constraints)
        return f"{type(value).__name__}({', '.join(f'{float(n):g}' for n in numbers)})"
    return f"{value:.4g}" if isinstance(value, int | float) else "<matrix>"
