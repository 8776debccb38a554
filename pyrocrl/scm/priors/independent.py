"""Spike and slab: every edge is there or not, independently, at a rate that is given or shared."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np
import pandas as pd
import pyro
import pyro.distributions as dist
import torch

from pyrocrl.errors import ModelError, PriorError
from pyrocrl.scm.graph_space import GraphSpace
from pyrocrl.scm.nodes import Nodes
from pyrocrl.scm.priors.checks import (
    check_positive,
    check_probability,
    checked_rate,
    on_device,
)
from pyrocrl.scm.priors.protocol import ShippedPrior

__all__ = ["BlockEdges", "ExpertEdges", "SpikeAndSlab"]


class SpikeAndSlab(ShippedPrior):
    """Every edge is absent (spike) or has a normal weight (slab), independently.

    Args:
        probability: prior inclusion probability of every allowed edge, between 0 and 1; a
            (D, D) array gives each edge its own, `[child, parent]`; a Pyro distribution on
            (0, 1), such as `dist.Beta(1.0, 9.0)`, is that of one rate shared by all edges.
        slab: standard deviation of an edge's linear weight, in standard deviations of the nodes.

    Raises:
        PriorError: if the probability is not between 0 and 1 or the slab not positive.

    Source: Scott and Berger (2010), Bayes and empirical-Bayes multiplicity adjustment in the
    variable-selection problem, for the rate with a distribution.

    Example:
        >>> SpikeAndSlab(probability=0.2)
        SpikeAndSlab(probability=0.2, slab=2)
        >>> SpikeAndSlab(dist.Beta(1.0, 9.0))
        SpikeAndSlab(probability=Beta(1, 9), slab=2)
    """

    kind = "spike_and_slab"

    def __init__(
        self,
        probability: float | np.ndarray | torch.Tensor | dist.TorchDistribution = 0.1,
        slab: float = 2.0,
    ) -> None:
        self.probability: Any = (
            checked_rate(probability, "SpikeAndSlab: probability")
            if isinstance(probability, torch.distributions.Distribution)
            else _probabilities(probability)
        )
        self.slab = dist.Normal(0.0, check_positive(slab, "SpikeAndSlab: slab"))

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """Draw an adjacency: independent Bernoulli edges."""
        probability, size = self.probability, len(space.nodes)
        if not isinstance(probability, torch.Tensor):
            probability = pyro.sample("edge_rate", on_device(probability))
        elif probability.ndim == 2 and probability.shape != (size, size):
            raise PriorError(
                f"SpikeAndSlab: probability has shape {tuple(probability.shape)}, but there "
                f"are {size} nodes: it must be ({size}, {size}), rows children, columns parents"
            )
        adjacency: torch.Tensor = pyro.sample("adjacency", space.edges(probability))
        return adjacency

    def arguments(self) -> dict[str, Any]:
        """See `ShippedPrior.arguments`."""
        probability = self.probability
        if isinstance(probability, torch.Tensor):
            probability = probability.tolist()
        return {"probability": probability, "slab": float(self.slab.scale)}


class BlockEdges(ShippedPrior):
    """Spike and slab with one rate for edges between modalities and another inside each.

    Args:
        between: prior probability of an edge between two modalities.
        within: prior probability of an edge between two nodes of one modality.
        slab: standard deviation of an edge's linear weight, in standard deviations of the nodes.

    Raises:
        PriorError: if a probability is not between 0 and 1 or the slab not positive.

    Example:
        >>> BlockEdges(between=0.2)
        BlockEdges(between=0.2, within=0.02, slab=2)
    """

    kind = "blocks"

    def __init__(self, between: float = 0.1, within: float = 0.02, slab: float = 2.0) -> None:
        self.between = check_probability(between, "BlockEdges: between")
        self.within = check_probability(within, "BlockEdges: within")
        self.slab = dist.Normal(0.0, check_positive(slab, "BlockEdges: slab"))

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """Draw an adjacency: independent Bernoulli edges."""
        group = space.group_index
        same = group[:, None] == group[None, :]
        probability = torch.where(same, self.within, self.between)
        adjacency: torch.Tensor = pyro.sample("adjacency", space.edges(probability))
        return adjacency

    def arguments(self) -> dict[str, Any]:
        """See `ShippedPrior.arguments`."""
        return {"between": self.between, "within": self.within, "slab": float(self.slab.scale)}


class ExpertEdges(ShippedPrior):
    """Spike and slab with probabilities that an expert states edge by edge.

    A modality's name stands for all of its nodes. Latents have no names before they are found:
    `labs.z1` may come out as what the expert calls `labs.z2`, so name tables with several latents
    as a whole, and single nodes where they are measured.

    Args:
        probabilities: rows children, columns parents, by names of nodes or of modalities; NaN
            states nothing. Where an edge is meant more than once, a node counts before a modality.
        default: prior probability of every edge about which nothing is stated.
        slab: standard deviation of an edge's linear weight, in standard deviations of the nodes.

    Raises:
        PriorError: if `probabilities` is no table of numbers between 0 and 1, or a name stands
            there twice; when a graph is drawn, if a name is unknown.

    Example:
        >>> table = pd.DataFrame({"person.age": {"labs": 0.8, "scan": 0.3}})
        >>> ExpertEdges(table, default=0.05)
        ExpertEdges(probabilities=<matrix>, default=0.05, slab=2)
    """

    kind = "expert"

    def __init__(
        self, probabilities: pd.DataFrame, default: float = 0.1, slab: float = 2.0
    ) -> None:
        self.probabilities = _expert_table(probabilities)
        self.default = check_probability(default, "ExpertEdges: default")
        self.slab = dist.Normal(0.0, check_positive(slab, "ExpertEdges: slab"))

    def __call__(self, space: GraphSpace) -> torch.Tensor:
        """Draw an adjacency: independent Bernoulli edges."""
        probability = torch.tensor(self._matrix(space.nodes), dtype=torch.get_default_dtype())
        adjacency: torch.Tensor = pyro.sample("adjacency", space.edges(probability))
        return adjacency

    def arguments(self) -> dict[str, Any]:
        """See `ShippedPrior.arguments`."""
        return {
            "probabilities": self.probabilities,
            "default": self.default,
            "slab": float(self.slab.scale),
        }

    def _matrix(self, nodes: Nodes) -> np.ndarray:
        """(child, parent), the stated probabilities, those of single nodes written last."""
        matrix = np.full((len(nodes), len(nodes)), self.default)
        table = self.probabilities
        stated = [
            (_members(nodes, child), _members(nodes, parent), float(table.loc[child, parent]))
            for child in table.index
            for parent in table.columns
            if not np.isnan(table.loc[child, parent])
        ]
        stated.sort(key=lambda cells: -len(cells[0]) * len(cells[1]))
        for children, parents, probability in stated:
            matrix[np.ix_(children, parents)] = probability
        return matrix


def _probabilities(given: Any) -> torch.Tensor:
    try:
        numbers = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError):
        raise PriorError(
            "SpikeAndSlab: probability must be one number, a (child, parent) matrix of "
            f"numbers or a Pyro distribution, not {reprlib.repr(given)}"
        ) from None
    probability = torch.tensor(numbers, dtype=torch.get_default_dtype())
    if not bool(((probability >= 0) & (probability <= 1)).all()):
        raise PriorError(f"SpikeAndSlab: probability must be between 0 and 1, not {given}")
    if probability.ndim not in (0, 2):
        raise PriorError(
            "SpikeAndSlab: probability must be one number, a (child, parent) matrix or a Pyro "
            f"distribution, not of shape {tuple(probability.shape)}"
        )
    return probability


def _expert_table(given: Any) -> pd.DataFrame:
    if not isinstance(given, pd.DataFrame):
        raise PriorError(
            "ExpertEdges: probabilities must be a pandas DataFrame, rows children, columns "
            f"parents, not {type(given).__name__}"
        )
    for axis, labels in (("row", given.index), ("column", given.columns)):
        if labels.has_duplicates:
            twice = labels[labels.duplicated()][0]
            raise PriorError(f"ExpertEdges: probabilities: {axis} {twice!r} stands there twice")
    try:
        table = given.rename(index=str, columns=str).astype(float)
    except (TypeError, ValueError):
        raise PriorError("ExpertEdges: probabilities must be numbers, NaN where unstated") from None
    outside = ~((table >= 0) & (table <= 1) | table.isna()).to_numpy()
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise PriorError(
            f"ExpertEdges: probability of {table.columns[column]} -> {table.index[row]} must be "
            f"between 0 and 1, not {table.iat[row, column]:g}"
        )
    return table


def _members(nodes: Nodes, name: str) -> np.ndarray:
    try:
        return nodes.members(name)
    except ModelError as error:
        raise PriorError(f"ExpertEdges: probabilities: {error}") from None
