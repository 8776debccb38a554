"""The posterior weight of graphs that may have cycles, part by part, remembered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyrocrl.structure._arrays import BoolArray, IntArray
from pyrocrl.structure.children import Child
from pyrocrl.structure.cycle_fit import Block, BlockFit, fit_block
from pyrocrl.structure.cycle_jacobian import CycleData
from pyrocrl.structure.cycle_search import Graph, strong_parts
from pyrocrl.structure.dag_sum import node_masks
from pyrocrl.structure.graph_prior import GraphPrior
from pyrocrl.structure.noise_laws import GAUSSIAN, NoiseLaw, shape_tells
from pyrocrl.structure.scores import NormalInverseGamma

__all__ = ["CycleScores", "block_of"]


class CycleScores:
    """Log posterior weight of graphs.

    Nodes that are on no cycle have the evidence of their parent sets, as in an acyclic graph;
    the others are fitted together with those that they share cycles with.

    Args:
        children: The nodes with the evidence of their parent sets.
        data: Features of all nodes.
        mechanism_prior: Prior of weights and noise.
        laws: Shapes that the noise may have; on cycles through a node of few values it is Gaussian.
        graph_prior: The edge prior.
    """

    def __init__(
        self,
        children: Sequence[Child],
        data: CycleData,
        mechanism_prior: NormalInverseGamma,
        laws: Sequence[NoiseLaw],
        graph_prior: GraphPrior,
    ) -> None:
        self._children = children
        self._data, self._mechanism_prior, self._laws = data, mechanism_prior, laws
        self._shape_tells = [shape_tells(values) for values in data.features[:, :, 0].T]
        self._graph_prior = graph_prior
        self._rows = [
            {int(mask): row for row, mask in enumerate(node_masks(child.scores.sets.membership))}
            for child in children
        ]
        self._evidence = [child.scores.log_evidence for child in children]
        self._fits: dict[Block, BlockFit] = {}
        self._scores: dict[Graph, float] = {}

    def __call__(self, graph: Graph) -> float:
        """Log evidence plus log prior."""
        if graph not in self._scores:
            prior = float(self._graph_prior.log_probability(self.adjacency([graph]))[0])
            evidence = self.log_evidence(graph) if prior > -np.inf else 0.0
            self._scores[graph] = prior + evidence
        return self._scores[graph]

    def log_evidence(self, graph: Graph) -> float:
        """Log evidence of a graph."""
        total = 0.0
        for part in strong_parts(graph):
            if len(part) == 1:
                total += float(self._evidence[part[0]][self.row(part[0], graph[part[0]])])
            else:
                total += self.fit(block_of(graph, part)).log_evidence
        return total

    def acyclic(self, graph: Graph) -> float:
        """Log posterior weight, minus infinity for a graph with a cycle."""
        return self(graph) if len(strong_parts(graph)) == len(graph) else -np.inf

    def fit(self, block: Block) -> BlockFit:
        """The mechanisms of nodes that cause one another."""
        if block not in self._fits:
            fine = all(self._shape_tells[node] for node, _ in block)
            laws = self._laws if fine else (GAUSSIAN,)
            self._fits[block] = fit_block(self._data, block, self._mechanism_prior, laws)
        return self._fits[block]

    def row(self, node: int, parents: int) -> int:
        """Row of a parent set among all of the node's."""
        return self._rows[node][parents]

    def rows(self, graphs: Sequence[Graph]) -> IntArray:
        """Rows of the parent sets of graphs, (graph, child)."""
        rows = [[self.row(node, own) for node, own in enumerate(graph)] for graph in graphs]
        return np.array(rows, dtype=np.int64).reshape(len(graphs), len(self._children))

    def adjacency(self, graphs: Sequence[Graph]) -> BoolArray:
        """Graphs as matrices, (graph, child, parent)."""
        masks = np.array(graphs, dtype=np.int64).reshape(len(graphs), len(self._children), 1)
        return (masks >> np.arange(len(self._children)) & 1).astype(np.bool_)


def block_of(graph: Graph, part: Sequence[int]) -> Block:
    """A part of a graph with its nodes' parents."""
    return tuple(
        (node, tuple(k for k in range(len(graph)) if graph[node] >> k & 1)) for node in part
    )
