"""Directions that the shape of dependences tells, no surer than the nodes are near.

Graphs of a Markov equivalence class imply the same independences. Which of them fits best, bends
and noise that is not normal say; and latents, which are estimates and known up to monotone changes
alone, have their own bends. With many subjects a small difference in fit would make a direction
certain. So within a class the likelihood counts to a power, as that of n / (1 + n unit) subjects
would: a difference of `unit` nats per subject is worth about one nat, however many there are. What
the class as a whole has of the probability stays as it is.

Source: Miller and Dunson (2019), Robust Bayesian inference via coarsening, for the power;
Chickering (1995), A transformational characterization of equivalent Bayesian networks, for covered
edges, by whose reversals all graphs of a class are reached, even of those that agree with
background knowledge: only edges in which two graphs differ are reversed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import logsumexp

from pyrocrl.structure._arrays import BoolArray, FloatArray, IntArray
from pyrocrl.structure.children import Child
from pyrocrl.structure.edge_prior import EdgePriorMixture
from pyrocrl.structure.graph_posterior import GraphPool, GraphPosterior, graphs_of
from pyrocrl.structure.graph_prior import GraphPrior

__all__ = ["coarsen_directions", "equivalent_graphs"]

_POOL = 4_000
_LARGEST_CLASS = 500


def coarsen_directions(
    posterior: GraphPosterior,
    children: Sequence[Child],
    prior: EdgePriorMixture,
    possible: BoolArray,
    *,
    n_subjects: int,
    unit: float,
    rng: np.random.Generator,
) -> GraphPosterior:
    """The posterior with the probability of every equivalence class spread within it anew.

    Args:
        posterior: A posterior over graphs.
        children: The children with their parent sets.
        prior: The edge prior.
        possible: Edges that may be, (child, parent).
        n_subjects: Number of subjects.
        unit: Difference in fit that is worth a nat, in nats per subject; 0 changes nothing.
        rng: Of the graphs that are drawn to know the classes that have probability.

    Returns:
        The posterior. Where no direction is open it is the one that was given.
    """
    if unit == 0 or not (possible & possible.T).any():
        return posterior
    power = 1 / (1 + n_subjects * unit)
    drawn = posterior.sampler.sample(_POOL, rng)
    rows, counts = np.unique(drawn, axis=0, return_counts=True)
    plain = GraphPool(rows, counts / counts.sum())
    lookup = [_rows_of_sets(child) for child in children]
    graph_prior = GraphPrior(prior, possible)
    graphs = graphs_of(children, rows)
    mass = {graph.tobytes(): float(w) for graph, w in zip(graphs, plain.weights, strict=True)}
    new_rows, new_weights = [], []
    while mass:
        first = np.frombuffer(next(iter(mass)), dtype=np.bool_).reshape(possible.shape)
        members, own_rows, evidence = _scored(first, possible, lookup, children)
        total = sum(mass.pop(graph.tobytes(), 0.0) for graph in members)
        log_weight = graph_prior.log_probability(members) + power * evidence
        new_rows.append(own_rows)
        new_weights.append(total * np.exp(log_weight - logsumexp(log_weight)))
    pool = GraphPool(np.concatenate(new_rows), np.concatenate(new_weights))
    # Where no direction is open the exact numbers stay.
    set_probability = pool.in_place_of(plain, posterior.set_probability)
    return replace(posterior, set_probability=set_probability, sampler=pool)


def equivalent_graphs(adjacency: BoolArray, possible: BoolArray) -> BoolArray:
    """The graphs of a Markov equivalence class that consist of possible edges.

    Args:
        adjacency: One of them, (child, parent).
        possible: Edges that may be, (child, parent).

    Returns:
        (graph, child, parent), the one given first; of a class of more than 500, some 500.

    Example:
        >>> chain = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=bool)  # 0 -> 1 -> 2
        >>> len(equivalent_graphs(chain, ~np.eye(3, dtype=bool)))
        3
        >>> collider = np.array([[0, 0, 0], [1, 0, 1], [0, 0, 0]], dtype=bool)  # 0 -> 1 <- 2
        >>> len(equivalent_graphs(collider, ~np.eye(3, dtype=bool)))
        1
    """
    found = {adjacency.tobytes(): adjacency}
    waiting = [adjacency]
    while waiting and len(found) < _LARGEST_CLASS:
        graph = waiting.pop()
        for child, parent in np.argwhere(graph & possible.T):
            own, others = graph[child].copy(), graph[parent]
            own[parent] = False
            if not np.array_equal(own, others):
                continue
            turned = graph.copy()
            turned[child, parent], turned[parent, child] = False, True
            if turned.tobytes() not in found:
                found[turned.tobytes()] = turned
                waiting.append(turned)
    return np.stack(list(found.values()))


def _rows_of_sets(child: Child) -> dict[bytes, int]:
    return {held.tobytes(): row for row, held in enumerate(child.scores.sets.membership)}


def _scored(
    adjacency: BoolArray,
    possible: BoolArray,
    lookup: Sequence[dict[bytes, int]],
    children: Sequence[Child],
) -> tuple[BoolArray, IntArray, FloatArray]:
    """The graphs of a class, rows of their parent sets (graph, child), and their log evidence."""
    members, rows = [], []
    for graph in equivalent_graphs(adjacency, possible):
        own = [sets.get(held.tobytes()) for sets, held in zip(lookup, graph, strict=True)]
        if None not in own:
            members.append(graph)
            rows.append(own)
    table = np.array(rows, dtype=np.int64)
    evidence = [
        child.scores.log_evidence[own] for child, own in zip(children, table.T, strict=True)
    ]
    return np.stack(members), table, np.sum(evidence, axis=0)
