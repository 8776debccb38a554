"""The graphs that are possible: which edges may be, which must be, how probable each is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyro.distributions as dist
import torch

from pyrocrl.scm.nodes import Nodes

__all__ = ["ORDERS", "GraphSpace"]

BoolMatrix = npt.NDArray[np.bool_]

ORDERS = {
    "modality": "given by the order of the modalities",
    "learned": "learned: edges may run either way, every graph is acyclic",
    "cyclic": "none: graphs may have cycles",
}


@dataclass(frozen=True)
class GraphSpace:
    """The space of graphs that an edge prior spreads its probability over.

    An edge prior receives it and needs to know no more of the background knowledge: `edges` builds
    the Bernoulli distribution of the adjacency, `admit` removes what is forbidden and adds what is
    required.

    Attributes:
        nodes: the nodes.
        order: positions of the nodes, causes before effects; where the order is not given, the one
            to start from.
        allowed: `A[child, parent]`, True where an edge may be; acyclic where the order is given.
        required: the same, True where an edge must be.
        probability: the same, the user's own probability of an edge, NaN where none was given.
        rule: what is known of the order, one of `ORDERS`.
        reversible: the same, True for edges between latents of one modality that run against the
            order of their names. The names follow nothing but each other: such an edge may be,
            though training, which needs an order to go on in, leaves it out.
    """

    nodes: Nodes
    order: npt.NDArray[np.intp]
    allowed: BoolMatrix
    required: BoolMatrix
    probability: npt.NDArray[np.float64]
    rule: str = "modality"
    reversible: BoolMatrix | None = None

    def edges(self, probability: float | torch.Tensor) -> dist.TorchDistribution:
        """Independent edges: a Bernoulli distribution over the adjacency, event shape (D, D).

        Args:
            probability: of an edge; one number, a batch of numbers (an index of its own for every
                chain), or one for every edge in the last two dimensions, `[..., child, parent]`.

        Returns:
            The distribution, 0 for edges that are not allowed, 1 for required ones, and the user's
            own probability for edges that background knowledge gives one.

        Example:
            >>> from pyrocrl.scm import BackgroundKnowledge, Nodes
            >>> nodes = Nodes(("a.z1", "b.z1"), ("a", "b"), (True, True))
            >>> BackgroundKnowledge().graph_space(nodes).edges(0.25).base_dist.probs
            tensor([[0.0000, 0.0000],
                    [0.2500, 0.0000]])
        """
        where = torch.get_default_device()
        p = torch.as_tensor(probability, dtype=torch.get_default_dtype(), device=where)
        size = len(self.nodes)
        if p.shape[-2:] != (size, size):
            p = p[..., None, None]
        own = torch.as_tensor(self.probability, dtype=p.dtype, device=p.device)
        p = torch.where(own.isnan(), p, own.nan_to_num())
        return dist.Bernoulli(self.admit(p)).to_event(2)

    def admit(self, adjacency: torch.Tensor) -> torch.Tensor:
        """The adjacency (or edge probabilities) without forbidden and with all required edges.

        Args:
            adjacency: (..., child, parent).
        """
        allowed = torch.as_tensor(self.allowed, dtype=adjacency.dtype, device=adjacency.device)
        required = torch.as_tensor(self.required, dtype=adjacency.dtype, device=adjacency.device)
        return adjacency * (allowed - required) + required

    def along(self, order: npt.NDArray[np.intp]) -> BoolMatrix:
        """The allowed edges that run forward in an order of the nodes, (child, parent).

        Args:
            order: positions of the nodes, causes before effects.

        Example:
            >>> from pyrocrl.scm import BackgroundKnowledge, Nodes
            >>> nodes = Nodes(("a.z1", "b.z1"), ("a", "b"), (True, True))
            >>> space = BackgroundKnowledge().graph_space(nodes, "learned")
            >>> space.along(np.array([1, 0])).astype(int)
            array([[0, 1],
                   [0, 0]])
        """
        position = np.argsort(order)
        forward: BoolMatrix = self.allowed & (position[None, :] < position[:, None])
        return forward

    def with_reversible(self) -> GraphSpace:
        """The space in which edges inside a modality may run either way.

        Example:
            >>> from pyrocrl.scm import BackgroundKnowledge, Nodes
            >>> nodes = Nodes(("a.z1", "a.z2", "b.z1"), ("a", "a", "b"), (True,) * 3)
            >>> BackgroundKnowledge().graph_space(nodes).with_reversible().allowed.astype(int)
            array([[0, 1, 0],
                   [1, 0, 0],
                   [1, 1, 0]])
        """
        if self.reversible is None:
            return self
        return replace(self, allowed=self.allowed | self.reversible, reversible=None)

    @property
    def group_index(self) -> torch.Tensor:
        """(D,), the number of each node's modality: 0 for the first, 1 for the second, ..."""
        groups = list(dict.fromkeys(self.nodes.groups))
        return torch.tensor([groups.index(group) for group in self.nodes.groups])
