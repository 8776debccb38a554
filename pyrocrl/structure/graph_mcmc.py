"""The posterior over all acyclic graphs by Markov chains, where they are too many to sum over.

A chain's state is a parent set for every node and a component of the edge prior. A move draws the
parent sets of a few nodes anew together, given those of the others (`block_moves`). The component
is drawn anew given the graph from time to time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from pyrocrl.structure._arrays import BoolArray, FloatArray, IntArray
from pyrocrl.structure.block_moves import draw_blocks, draw_together, reached
from pyrocrl.structure.chain_candidates import Candidates, affinities
from pyrocrl.structure.children import Child
from pyrocrl.structure.edge_prior import EdgePriorMixture
from pyrocrl.structure.graph_posterior import GraphPosterior, graphs_of, no_graph, pool_chains
from pyrocrl.structure.graph_prior import GraphPrior

__all__ = ["MAX_SETS_OF_CHAINS", "sample_graphs"]

MAX_SETS_OF_CHAINS = 6_000
_CHAINS = 6
_MOVES_PER_NODE = 200
_BURN_IN = 0.2
_BLOCK = 4
_MOVES_PER_COMPONENT = 10
_MOVES_PER_DRAW = 2
_ATTEMPTS = 20


def sample_graphs(
    children: Sequence[Child],
    prior: EdgePriorMixture,
    possible: BoolArray,
    rng: np.random.Generator,
    *,
    chains: int = _CHAINS,
    moves: int | None = None,
) -> GraphPosterior:
    """Run Markov chains over acyclic graphs.

    Every chain starts from the best parent sets along a random order of the nodes, improved until
    no single node's parent set can be.

    Args:
        children: The children with their parent sets.
        prior: The edge prior.
        possible: Edges that matter, (child, parent).
        rng: Source of randomness.
        chains: Number of chains.
        moves: Moves of each chain, the first fifth of which is discarded; None for 200 a node.

    Returns:
        The posterior; its log evidence is minus infinity if no chain finds a graph to start from.

    Source: Goudie and Mukherjee (2016), A Gibbs sampler for learning DAGs, who redraw the parent
    sets of up to three nodes together.
    """
    moves = _MOVES_PER_NODE * len(children) if moves is None else moves
    candidates = [Candidates.of(child, prior) for child in children]
    graph_prior = GraphPrior(prior, possible)
    own = _Chains(candidates, prior, chains, rng)
    if not own.start():
        return no_graph(children)
    size = min(_BLOCK, len(children))
    blocks = draw_blocks(affinities(candidates, prior), moves, size, rng)
    visited = []
    for move, block in enumerate(blocks.tolist()):
        if len(prior.log_weights) > 1 and move % _MOVES_PER_COMPONENT == 0:
            for chain, graph in enumerate(graphs_of(children, own.rows())):
                given = graph_prior.components(graph[None], np.ones(1))
                own.set_component(chain, int(rng.choice(len(given), p=given)))
        own.redraw(block)
        if move >= _BURN_IN * moves and move % _MOVES_PER_DRAW == 0:
            visited.append(own.rows())

    def log_joint(rows: IntArray) -> FloatArray:
        evidence = np.zeros(len(rows))
        for child, own in zip(children, rows.T, strict=True):
            evidence += child.scores.log_evidence[own]
        return evidence + graph_prior.log_probability(graphs_of(children, rows))

    return pool_chains(children, list(np.stack(visited, axis=1)), log_joint, graph_prior)


class _Chains:
    """Markov chains over acyclic graphs, side by side.

    Args:
        candidates: The parent sets of every node.
        prior: The edge prior.
        chains: Number of chains.
        rng: Source of randomness.
    """

    def __init__(
        self,
        candidates: Sequence[Candidates],
        prior: EdgePriorMixture,
        chains: int,
        rng: np.random.Generator,
    ) -> None:
        self._candidates = candidates
        self._prior = prior
        self._rng = rng
        self._component = [-1] * chains
        self._parents = [[0] * len(candidates) for _ in range(chains)]
        self._places = np.zeros((chains, len(candidates)), dtype=np.int64)
        self._log_weights = [np.zeros((chains, len(own.rows))) for own in candidates]

    def rows(self) -> IntArray:
        """Rows of the parent sets of the present graphs, (chain, child)."""
        places = zip(self._candidates, self._places.T, strict=True)
        return np.stack([own.rows[k] for own, k in places], axis=1)

    def set_component(self, chain: int, component: int) -> None:
        """Let a chain go on under another component of the prior."""
        if component != self._component[chain]:
            self._component[chain] = component
            edges = self._prior.probabilities[component]
            for own, weights, row in zip(self._candidates, self._log_weights, edges, strict=True):
                weights[chain] = own.log_weights(row)

    def start(self) -> bool:
        """Find a graph for every chain, under a component that permits one; false if none is."""
        weights = np.exp(self._prior.log_weights - logsumexp(self._prior.log_weights))
        for chain in range(len(self._parents)):
            for component in self._rng.choice(len(weights), size=_ATTEMPTS, p=weights):
                self.set_component(chain, int(component))
                if self._start(chain):
                    break
            else:
                return False
        return True

    def redraw(self, block: Sequence[int]) -> None:
        """Draw the parent sets of a few nodes anew."""
        together = sum(1 << node for node in block)
        below = [[reached(node, own, together) for node in block] for own in self._parents]
        drawn = draw_together(
            [self._candidates[node].masks for node in block],
            [self._log_weights[node] for node in block],
            np.array(below),
            self._rng,
        )
        for chain, places in enumerate(drawn):
            for node, place in zip(block, places, strict=True):
                self._take(chain, node, int(place))

    def _start(self, chain: int) -> bool:
        """Begin from good parent sets along a random order, each improved till none can be."""
        parents = self._parents[chain]
        waiting = self._rng.permutation(len(parents)).tolist()
        while waiting:
            unplaced = sum(1 << node for node in waiting)
            placed = next((n for n in waiting if self._take_best(chain, n, unplaced)), None)
            if placed is None:
                return False
            waiting.remove(placed)
        before: list[int] = []
        while parents != before:
            before = list(parents)
            for node in self._rng.permutation(len(parents)).tolist():
                self._take_best(chain, node, reached(node, parents, 1 << node))
        return True

    def _take(self, chain: int, node: int, place: int) -> None:
        self._parents[chain][node] = int(self._candidates[node].masks[place])
        self._places[chain, node] = place

    def _take_best(self, chain: int, node: int, closed: int) -> bool:
        """Take the best parent set that avoids the closed nodes; false if there is none."""
        open_sets = (self._candidates[node].masks & closed) == 0
        log_weights = np.where(open_sets, self._log_weights[node][chain], -np.inf)
        best = int(log_weights.argmax())
        if log_weights[best] == -np.inf:
            return False
        self._take(chain, node, best)
        return True
