"""Do two fits of different people say the same?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pyrocrl.data import MultimodalData
from pyrocrl.errors import ModelError
from pyrocrl.metrics import absolute_correlations, match_within_groups

if TYPE_CHECKING:
    from pyrocrl.posterior.posterior import Posterior

__all__ = ["Replication", "replication"]


@dataclass(frozen=True)
class Replication:
    """How far a second fit repeats a first.

    Attributes:
        latents: correlation of each latent of the first fit with the one that it is matched to,
            over the subjects of the second, whom the first fit never saw.
        edges: one row per edge that both fits allow: parent, child, first, second (probabilities,
            named as in the first fit).
    """

    latents: pd.Series
    edges: pd.DataFrame

    def share(self, sure: float = 0.9, there: float = 0.5) -> float:
        """Share of the edges that are sure in one fit which the other finds too.

        Args:
            sure: probability in one fit, either, from which an edge is counted.
            there: probability in the other from which it is repeated.

        Returns:
            Between 0 and 1; NaN where no edge is sure.
        """
        first, second = self.edges["first"], self.edges["second"]
        repeated = [*(second[first > sure] > there), *(first[second > sure] > there)]
        return float(np.mean(repeated)) if repeated else float("nan")


def replication(
    first: Posterior, second: Posterior, data: MultimodalData | Mapping[str, Any]
) -> Replication:
    """Compare two fits of the same modalities, made on different subjects.

    Latents have no names of their own: those of the second fit are matched to those of the first
    within their modality, by what both say of the second's subjects.

    Args:
        first: a fit.
        second: another, of other subjects.
        data: the subjects of the second.

    Returns:
        Correlations of latents, and probabilities of edges side by side.

    Raises:
        ModelError: if the fits do not have the same nodes.
        DataError: if the data are not such as were fitted.
    """
    nodes = first.nodes
    if nodes != second.nodes:
        raise ModelError(
            "the two fits must have the same modalities with as many latents; they have the nodes "
            f"{', '.join(nodes.names)} and {', '.join(second.nodes.names)}"
        )
    one, other = first.latents(data), second.latents(data)
    names = [str(name) for name in one.coords["latent"].to_numpy()]
    group_of = dict(zip(nodes.names, nodes.groups, strict=True))
    strength = absolute_correlations(one.to_numpy(), other.to_numpy())
    match = match_within_groups(strength, [group_of[name] for name in names])
    renamed = {names[own]: name for name, own in zip(names, match, strict=True)}
    tables = [
        table.assign(
            parent=table.parent.replace(change), child=table.child.replace(change)
        ).set_index(["parent", "child"])["probability"]
        for table, change in ((first.edge_table(), {}), (second.edge_table(), renamed))
    ]
    edges = pd.concat(tables, axis=1, keys=["first", "second"], join="inner").reset_index()
    found = strength[np.arange(len(names)), match]
    return Replication(pd.Series(found, index=names, name="correlation"), edges)
