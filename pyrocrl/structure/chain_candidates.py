"""The parent sets of one child that a Markov chain over graphs may need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from pyrocrl.structure._arrays import BoolArray, FloatArray, IntArray
from pyrocrl.structure.children import Child
from pyrocrl.structure.dag_sum import node_masks
from pyrocrl.structure.edge_prior import EdgePriorMixture, edges_log_prior

__all__ = ["Candidates", "affinities"]

# The sets of a child that are left out have this share of its posterior at most, together and
# whatever the other nodes' parents are.
_LEFT_OUT = 1e-4
_CERTAIN_LOGIT = 1e9
_LEAST_AFFINITY = 0.02


@dataclass(frozen=True, eq=False)
class Candidates:
    """The parent sets of one child that a chain may need.

    Attributes:
        child: The child with all its parent sets.
        rows: Rows of those that are needed, (set,).
        masks: The same as bit masks, (set,).
        has: Which nodes they hold, (set, node).
        log_evidence: Their log evidence, (set,).
    """

    child: Child
    rows: IntArray
    masks: IntArray
    has: BoolArray
    log_evidence: FloatArray

    @classmethod
    def of(cls, child: Child, prior: EdgePriorMixture) -> Candidates:
        """Leave out the sets that are hopeless under every component of the prior.

        A set is as improbable as the odds against the best of its own subsets say, which fits
        wherever the set does.
        """
        sets = child.scores.sets
        probabilities = prior.probabilities[:, child.scores.child]
        highest = (probabilities * child.possible).max(axis=0)
        with np.errstate(divide="ignore"):
            logit = np.log(highest) - np.log1p(-highest)
        logit = logit.clip(-_CERTAIN_LOGIT, _CERTAIN_LOGIT)
        bound = child.scores.log_evidence + sets.membership @ logit
        best = bound.copy()
        for size in range(1, sets.max_free + 1):
            level = slice(int(sets.offsets[size]), int(sets.offsets[size + 1]))
            best[level] = np.maximum(bound[level], best[sets.without(size)].max(axis=1))
        odds = np.exp(bound - best)
        order = np.argsort(odds)
        hopeless = np.searchsorted(odds[order].cumsum(), _LEFT_OUT)
        rows = np.sort(order[hopeless:])
        membership = sets.membership[rows]
        return cls(child, rows, node_masks(membership), membership, child.scores.log_evidence[rows])

    def log_weights(self, probabilities: FloatArray) -> FloatArray:
        """Log posterior weight of the sets under one component, edges (parent,)."""
        edges = (probabilities * self.child.possible)[None]
        return np.asarray(self.log_evidence + edges_log_prior(self.has, edges)[0])


def affinities(candidates: Sequence[Candidates], prior: EdgePriorMixture) -> FloatArray:
    """How much every two nodes have to do with each other, (node, node), 0 on the diagonal.

    The probability that one is a parent of the other, added up both ways, were every child's
    parents drawn by themselves.
    """
    weights = np.exp(prior.log_weights - logsumexp(prior.log_weights))
    mean = np.tensordot(weights, prior.probabilities, axes=1)
    inclusion = np.zeros(mean.shape)
    for own, edges in zip(candidates, mean, strict=True):
        log_weights = own.log_weights(edges)
        inclusion[own.child.scores.child] = np.exp(log_weights - logsumexp(log_weights)) @ own.has
    affinity = inclusion + inclusion.T + _LEAST_AFFINITY
    np.fill_diagonal(affinity, 0.0)
    return affinity
