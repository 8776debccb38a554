"""What is known before the data: tiers, required and forbidden edges, probabilities of edges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pyrocrl.errors import KnowledgeError, ModelError
from pyrocrl.scm.graph_space import ORDERS, BoolMatrix, GraphSpace
from pyrocrl.scm.nodes import Nodes

__all__ = ["BackgroundKnowledge"]

Edges = Iterable[tuple[str, str]]


class BackgroundKnowledge:
    """Background knowledge about the causal order and single edges.

    Names are those of nodes (`labs.z1`, `person.age`) or of modalities (`labs`), which stand for
    all of their nodes.

    Args:
        tiers: groups of names, causes first; a node is never caused by a node of a later tier, and
            tiers go before the order of the modalities. Every node must stand in one tier.
        required: (parent, child) pairs of nodes whose edge is certain.
        forbidden: (parent, child) pairs of nodes or modalities without an edge.
        probability: prior probability of single edges, rows children, columns parents (names of
            nodes), or `{parent: {child: probability}}`; NaN or what is missing leaves the edge to
            the edge prior.

    Example:
        >>> knowledge = BackgroundKnowledge(
        ...     tiers=[["person"], ["labs"]], forbidden=[("person.age", "person.sex")]
        ... )
        >>> nodes = Nodes(
        ...     ("labs.z1", "person.age", "person.sex"),
        ...     ("labs", "person", "person"),
        ...     (True, False, False),
        ... )
        >>> knowledge.graph_space(nodes).allowed.astype(int)
        array([[0, 1, 1],
               [0, 0, 0],
               [0, 0, 0]])
    """

    def __init__(
        self,
        tiers: Sequence[Sequence[str]] | None = None,
        required: Edges = (),
        forbidden: Edges = (),
        probability: pd.DataFrame | Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        if tiers is not None and not isinstance(tiers, Sequence):
            raise KnowledgeError(f"tiers must be a list of lists of names, not {tiers!r}")
        self.tiers = [] if tiers is None else [_names(tier) for tier in tiers]
        self.required = _pairs(required, "required")
        self.forbidden = _pairs(forbidden, "forbidden")
        self.probability: Any = (
            _frame(probability) if isinstance(probability, Mapping) else probability
        )

    def graph_space(self, nodes: Nodes, rule: str = "modality") -> GraphSpace:
        """The graphs over `nodes` that agree with this knowledge.

        Args:
            nodes: the nodes.
            rule: "modality" puts causes first, by tier, then by the order of the modalities, then
                of the nodes in them (see `GraphSpace.reversible` for latents of one modality);
                "learned" (acyclic graphs) and "cyclic" heed tiers alone.

        Raises:
            ModelError: if `rule` is unknown.
            KnowledgeError: if a name is unknown, tiers overlap or leave nodes out, required edges
                form a cycle, run against the order or are forbidden, or a probability is not
                between 0 and 1.
        """
        if rule not in ORDERS:
            raise ModelError(f"order must be one of {', '.join(map(repr, ORDERS))}, not {rule!r}")
        tier = self._tier_of_each(nodes)
        order = np.lexsort((np.arange(len(nodes)), tier))
        position = np.argsort(order)
        if rule == "modality":
            allowed = position[None, :] < position[:, None]
        else:
            allowed = (tier[None, :] <= tier[:, None]) & ~np.eye(len(nodes), dtype=bool)
        forbidden = _adjacency(nodes, self.forbidden, "forbidden")
        required = _adjacency(nodes, self.required, "required", single=True)
        _check_required(nodes, required, allowed, forbidden, acyclic=rule != "cyclic")
        if rule == "learned":
            order = _order_with(required, position)
        allowed = allowed & ~forbidden
        probability = self._probabilities(nodes, allowed, required)
        reversible = None
        if rule == "modality":
            backward = (
                nodes.inner & (tier[None, :] == tier[:, None]) & (position > position[:, None])
            )
            reversible = backward & ~forbidden & ~required.T
        return GraphSpace(nodes, order, allowed, required, probability, rule, reversible)

    @property
    def named(self) -> frozenset[str]:
        """Names that are singled out: of nodes, and of modalities where these are meant whole."""
        names = {name for tier in self.tiers for name in tier}
        names |= {name for edge in (*self.required, *self.forbidden) for name in edge}
        if self.probability is not None:
            names |= {*map(str, self.probability.index), *map(str, self.probability.columns)}
        return frozenset(names)

    def to_json(self) -> dict[str, Any]:
        """The arguments as JSON values; `BackgroundKnowledge(**them)` is the same knowledge."""
        table = self.probability
        return {
            "tiers": self.tiers or None,
            "required": [list(edge) for edge in self.required],
            "forbidden": [list(edge) for edge in self.forbidden],
            "probability": None
            if table is None
            else {
                str(parent): {
                    str(child): float(p) for child, p in table[parent].items() if not pd.isna(p)
                }
                for parent in table.columns
            },
        }

    def __repr__(self) -> str:
        parts = []
        if self.tiers:
            parts.append("tiers " + " < ".join("{" + ", ".join(tier) + "}" for tier in self.tiers))
        for name, edges in (("required", self.required), ("forbidden", self.forbidden)):
            if edges:
                parts.append(f"{name} " + ", ".join(f"{p} -> {c}" for p, c in edges))
        if self.probability is not None:
            parts.append("probabilities of single edges")
        return f"BackgroundKnowledge({'; '.join(parts)})"

    def _tier_of_each(self, nodes: Nodes) -> np.ndarray:
        if not self.tiers:
            return np.zeros(len(nodes), dtype=int)
        tier = np.full(len(nodes), -1)
        for number, names in enumerate(self.tiers):
            for name in names:
                members = _members(nodes, name, "tiers")
                if (tier[members] >= 0).any():
                    raise KnowledgeError(f"tiers: {name!r} stands in more than one tier")
                tier[members] = number
        if (tier < 0).any():
            left_out = ", ".join(nodes.names[i] for i in np.flatnonzero(tier < 0))
            raise KnowledgeError(
                f"tiers: name every node or modality; these are left out: {left_out}"
            )
        return tier

    def _probabilities(self, nodes: Nodes, allowed: BoolMatrix, required: BoolMatrix) -> np.ndarray:
        own = np.full((len(nodes), len(nodes)), np.nan)
        if self.probability is None:
            return own
        table = self.probability
        if not isinstance(table, pd.DataFrame):
            raise KnowledgeError(
                "probability must be a pandas DataFrame with rows named by children and columns by "
                f"parents, not {type(table).__name__}"
            )
        for axis, labels in (("row", table.index), ("column", table.columns)):
            if labels.has_duplicates:
                twice = labels[labels.duplicated()][0]
                raise KnowledgeError(f"probability: {axis} {twice!r} stands there twice")
            for label in labels:
                if label not in nodes.names:
                    raise KnowledgeError(
                        f"probability: {axis} {label!r} is no node; nodes: {', '.join(nodes.names)}"
                    )
        for child in table.index:
            for parent in table.columns:
                value = table.loc[child, parent]
                if pd.isna(value):
                    continue
                if not isinstance(value, int | float | np.number) or not 0 <= value <= 1:
                    raise KnowledgeError(
                        f"probability of {parent} -> {child} is {value}; it must be a number "
                        "between 0 and 1"
                    )
                i, j = nodes.names.index(child), nodes.names.index(parent)
                if required[i, j] and value < 1:
                    raise KnowledgeError(
                        f"probability of {parent} -> {child} is {value}, but the edge is required"
                    )
                if value > 0 and i != j and not allowed[i, j]:
                    raise KnowledgeError(
                        f"probability of {parent} -> {child} is {value}, but the order or a "
                        "forbidden edge excludes it; give 0 or NaN, or change the order by tiers"
                    )
                own[i, j] = float(value)
        return own


def _names(tier: Sequence[str]) -> list[str]:
    return [tier] if isinstance(tier, str) else list(tier)


def _frame(probability: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    for parent, children in probability.items():
        if not isinstance(children, Mapping):
            raise KnowledgeError(
                f"probability of edges from {parent!r} must be {{child: probability}}, "
                f"not {children!r}"
            )
    return pd.DataFrame(probability)


def _pairs(edges: Edges, argument: str) -> list[tuple[str, str]]:
    if not isinstance(edges, Iterable):
        raise KnowledgeError(f"{argument} must be a list of pairs (parent, child), not {edges!r}")
    pairs = []
    for edge in edges:
        if isinstance(edge, str) or not isinstance(edge, Sequence) or len(edge) != 2:
            raise KnowledgeError(f"{argument}: every edge is a pair (parent, child), not {edge!r}")
        pairs.append((str(edge[0]), str(edge[1])))
    return pairs


def _members(nodes: Nodes, name: str, argument: str) -> np.ndarray:
    try:
        return nodes.members(name)
    except ModelError as error:
        raise KnowledgeError(f"{argument}: {error}") from None


def _adjacency(
    nodes: Nodes, edges: list[tuple[str, str]], argument: str, *, single: bool = False
) -> BoolMatrix:
    adjacency = np.zeros((len(nodes), len(nodes)), dtype=bool)
    for parent, child in edges:
        parents, children = _members(nodes, parent, argument), _members(nodes, child, argument)
        if single and (parent not in nodes.names or child not in nodes.names):
            raise KnowledgeError(
                f"{argument}: {parent} -> {child} must name two nodes, not modalities"
            )
        adjacency[np.ix_(children, parents)] = True
    np.fill_diagonal(adjacency, np.diag(adjacency) & single)
    return adjacency


def _order_with(required: BoolMatrix, position: np.ndarray) -> np.ndarray:
    """An order of the nodes in which required edges run forward, as near as can be to positions."""
    import networkx as nx

    graph = nx.from_numpy_array(required.T.astype(int), create_using=nx.DiGraph)
    return np.array(list(nx.lexicographical_topological_sort(graph, key=lambda i: position[i])))


def _check_required(
    nodes: Nodes, required: BoolMatrix, allowed: BoolMatrix, forbidden: BoolMatrix, *, acyclic: bool
) -> None:
    import networkx as nx

    graph = nx.from_numpy_array(required.T.astype(int), create_using=nx.DiGraph)
    if acyclic and not nx.is_directed_acyclic_graph(graph):
        cycle = [nodes.names[edge[0]] for edge in nx.find_cycle(graph)]
        raise KnowledgeError(f"required edges form a cycle: {' -> '.join([*cycle, cycle[0]])}")
    for i, j in zip(*np.nonzero(required), strict=True):
        edge = f"{nodes.names[j]} -> {nodes.names[i]}"
        if forbidden[i, j]:
            raise KnowledgeError(f"{edge} is both required and forbidden")
        if not allowed[i, j]:
            raise KnowledgeError(
                f"required edge {edge} runs against the order of the modalities; "
                "give the modalities in another order, or give tiers"
            )
