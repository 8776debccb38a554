"""The exact posterior over graphs of a few nodes, by writing every acyclic graph down.

A reference for `pyrocrl.structure`, which shares no code with it: the evidence is that of a
multivariate t distribution of the child's values, graphs are listed one by one, and the order of
causes is known by leaving out the graphs that break it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from pyrocrl.errors import ModelError

__all__ = ["Enumerated", "acyclic_graphs", "enumerate_posterior", "linear_evidence", "reachable"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

_MOST_NODES = 5


@dataclass(frozen=True, eq=False)
class Enumerated:
    """Exact probabilities over all acyclic graphs.

    Attributes:
        edges: Probability of each edge, (child, parent).
        paths: Probability of a directed path from parent to child, (child, parent).
        log_evidence: Log sum over graphs of prior times evidence, in nats.
    """

    edges: FloatArray
    paths: FloatArray
    log_evidence: float


@cache
def acyclic_graphs(n_nodes: int) -> BoolArray:
    """All acyclic graphs, (graph, child, parent).

    Every pair of nodes is unlinked or linked one way or the other; what has a cycle is left out.

    Raises:
        ModelError: If there are more than five nodes.

    Source: Robinson (1973), Counting labeled acyclic digraphs, for the number of them.

    Example:
        >>> [len(acyclic_graphs(n)) for n in (1, 2, 3, 4)]
        [1, 3, 25, 543]
    """
    if n_nodes > _MOST_NODES:
        raise ModelError(f"graphs of at most {_MOST_NODES} nodes can be listed, not of {n_nodes}")
    pairs = list(combinations(range(n_nodes), 2))
    codes = np.arange(3 ** len(pairs))
    graphs = np.zeros((len(codes), n_nodes, n_nodes), dtype=np.bool_)
    for place, (a, b) in enumerate(pairs):
        digit = codes // 3**place % 3
        graphs[:, a, b] = digit == 1
        graphs[:, b, a] = digit == 2
    cyclic = reachable(graphs)[:, np.arange(n_nodes), np.arange(n_nodes)].any(axis=1)
    return graphs[~cyclic]


def reachable(graphs: BoolArray) -> BoolArray:
    """Which nodes a path leads to from which, (graph, to, from), for adjacencies of that shape.

    Example:
        >>> chain = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]]], dtype=bool)
        >>> bool(reachable(chain)[0, 2, 0])
        True
    """
    paths = np.array(graphs, dtype=np.bool_)
    for middle in range(graphs.shape[-1]):
        paths |= paths[:, :, [middle]] & paths[:, [middle], :]
    return paths


def linear_evidence(y: FloatArray, x: FloatArray, slab: float, shape: float, scale: float) -> float:
    """Log evidence of a linear mechanism with Gaussian noise, weights and variance integrated out.

    With noise variance s ~ InverseGamma(shape, scale) and weights ~ Normal(0, slab s), the values
    have a multivariate t distribution with 2 shape degrees of freedom, mean 0 and scale matrix
    (scale / shape) (I + slab X X').

    Args:
        y: The child's values, (subject,).
        x: The parents' values, (subject, parent).
        slab: Variance of a weight, in noise variances.
        shape: Of the inverse-gamma prior.
        scale: Of the inverse-gamma prior.

    Returns:
        Nats.

    Source: Bernardo and Smith (1994), Bayesian theory, section 5.4 and appendix A.

    Example:
        >>> y, x = np.array([0.3, -1.0]), np.array([[1.0], [0.5]])
        >>> round(linear_evidence(y, x, 4.0, 1.0, 1.0), 3)
        -3.586
    """
    n_subjects = len(y)
    directions, lengths, _ = np.linalg.svd(x, full_matrices=False)
    spread = slab * lengths**2
    explained = (spread / (1 + spread)) @ (directions.T @ y) ** 2
    distance = (y @ y - explained) / (2 * scale)
    return float(
        gammaln(shape + n_subjects / 2)
        - gammaln(shape)
        - n_subjects / 2 * np.log(2 * np.pi * scale)
        - 0.5 * np.log1p(spread).sum()
        - (shape + n_subjects / 2) * np.log1p(distance)
    )


def enumerate_posterior(
    z: FloatArray,
    edge_probability: float,
    *,
    order_known: bool,
    slab: float = 4.0,
) -> Enumerated:
    """The posterior over all graphs under linear mechanisms with Gaussian noise.

    The inverse-gamma prior of a node with k parents is what `pyrocrl.structure` says it is: shape
    1 and scale 1 if the order is known; shape 1 + k/2 and scale 1/(2 slab) if it is not, so that
    equivalent graphs have the same evidence.

    Args:
        z: Node values, (subject, node); causes before effects if the order is known.
        edge_probability: Prior probability of each edge.
        order_known: Whether only graphs that agree with the order of the nodes count.
        slab: Variance of a weight, in noise variances.

    Returns:
        The probabilities.

    Raises:
        ModelError: If there are more than five nodes.

    Example:
        >>> cause, noise = np.random.default_rng(0).normal(size=(2, 200))
        >>> exact = enumerate_posterior(
        ...     np.stack([cause, cause + noise], axis=1), 0.5, order_known=False
        ... )
        >>> exact.edges.round(2)
        array([[0. , 0.5],
               [0.5, 0. ]])
    """
    n_nodes = z.shape[1]
    graphs = acyclic_graphs(n_nodes)
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    if order_known:
        graphs = graphs[~graphs[:, *np.triu_indices(n_nodes)].any(axis=1)]
    n_edges = graphs.sum(axis=(1, 2))
    free = n_nodes * (n_nodes - 1) // (2 if order_known else 1)
    log_joint = n_edges * np.log(edge_probability)
    log_joint = log_joint + (free - n_edges) * np.log1p(-edge_probability)
    for child in range(n_nodes):
        codes = graphs[:, child] @ (1 << np.arange(n_nodes))
        for code in np.unique(codes):
            parents = np.flatnonzero(code >> np.arange(n_nodes) & 1)
            shape, scale = (1.0, 1.0) if order_known else (1 + len(parents) / 2, 0.5 / slab)
            evidence = linear_evidence(z[:, child], z[:, parents], slab, shape, scale)
            log_joint[codes == code] += evidence
    highest = log_joint.max()
    weights = np.exp(log_joint - highest)
    total = weights.sum()
    weights /= total
    return Enumerated(
        edges=np.einsum("g,gcp->cp", weights, graphs),
        paths=np.einsum("g,gcp->cp", weights, reachable(graphs)),
        log_evidence=float(highest + np.log(total)),
    )
