"""The nodes of the causal graph: latents of modalities and measured variables, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyrocrl.data import MultimodalData
from pyrocrl.errors import ModelError

__all__ = ["Nodes"]


@dataclass(frozen=True)
class Nodes:
    """Names of the nodes, in the order in which `z` and the adjacency hold them.

    Args:
        names: `modality.z1`, ... for latents, `group.column` for `Variables`.
        groups: modality of each node.
        is_latent: whether the node is a latent.

    Example:
        >>> nodes = Nodes(("labs.z1", "person.age"), ("labs", "person"), (True, False))
        >>> len(nodes), nodes.of("labs").tolist(), nodes.members("person.age").tolist()
        (2, [0], [1])
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    is_latent: tuple[bool, ...]

    @classmethod
    def of_data(cls, data: MultimodalData, latents: Mapping[str, int]) -> Nodes:
        """Nodes of a data set: `latents[m]` for each modality, the columns of each Variables.

        Args:
            data: the measurements; the order of its modalities is the order of the nodes.
            latents: number of latents of each modality that is no Variables.
        """
        names: list[str] = []
        groups: list[str] = []
        is_latent: list[bool] = []
        for modality in data:
            if modality.is_variables:
                own = [f"{modality.name}.{column}" for column in data.table(modality.name).columns]
            else:
                own = [f"{modality.name}.z{k + 1}" for k in range(latents[modality.name])]
            names += own
            groups += [modality.name] * len(own)
            is_latent += [not modality.is_variables] * len(own)
        return cls(tuple(names), tuple(groups), tuple(is_latent))

    def __len__(self) -> int:
        return len(self.names)

    def of(self, group: str) -> npt.NDArray[np.intp]:
        """Positions of a modality's nodes."""
        return np.flatnonzero(np.array(self.groups) == group)

    def slice_of(self, group: str) -> slice:
        """The same as a slice: a modality's nodes stand side by side; empty if it has none."""
        own = self.of(group)
        return slice(int(own[0]), int(own[-1]) + 1) if len(own) else slice(0, 0)

    def members(self, name: str) -> npt.NDArray[np.intp]:
        """Positions meant by a node's or a modality's name.

        Raises:
            ModelError: if there is no such node or modality.
        """
        if name in self.names:
            return np.array([self.names.index(name)])
        if name in self.groups:
            return self.of(name)
        known = ", ".join([*dict.fromkeys(self.groups), *self.names])
        raise ModelError(f"there is no node or modality {name!r}; known: {known}")

    @property
    def inner(self) -> npt.NDArray[np.bool_]:
        """(child, parent), True where both nodes are latents of one modality."""
        groups, latent = np.array(self.groups), np.array(self.is_latent)
        same = groups[:, None] == groups[None, :]
        return np.asarray(same & latent[:, None] & latent[None, :])
