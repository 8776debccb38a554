"""How well each parent set explains its child, with the mechanism's weights integrated out.

A child is a sum of functions of its parents plus Gaussian noise. Weights and noise variance have a
conjugate normal-inverse-gamma prior, so that the evidence of a parent set is in closed form.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp

from pyrocrl.structure._arrays import FloatArray, IntArray
from pyrocrl.structure.basis import SufficientStatistics
from pyrocrl.structure.mechanism_prior import ADDITIVE, LINEAR, NormalInverseGamma, Slab
from pyrocrl.structure.parent_sets import MAX_SETS, ParentSets

__all__ = [
    "ADDITIVE",
    "LINEAR",
    "LocalScores",
    "NormalInverseGamma",
    "Slab",
    "feature_columns",
    "local_scores",
    "prior_precision",
]

_FLOATS_PER_BLOCK = 2_000_000


@dataclass(frozen=True, eq=False)
class LocalScores:
    """Log evidence of every parent set of one child.

    Attributes:
        child: The node that is explained.
        sets: Its parent sets, one per row of the arrays below.
        by_slab: Log evidence under each of the prior's slabs, shape (set, slab).
        residual: Posterior scale of the noise variance under each slab, shape (set, slab).
    """

    child: int
    sets: ParentSets
    by_slab: FloatArray
    residual: FloatArray

    @property
    def log_evidence(self) -> FloatArray:
        """Log evidence of every parent set in nats, slabs averaged over, shape (set,)."""
        evidence: FloatArray = logsumexp(self.by_slab, axis=1) - np.log(self.by_slab.shape[1])
        return evidence

    @property
    def slab_probability(self) -> FloatArray:
        """Posterior probability of each slab given the parent set, shape (set, slab)."""
        probability = np.exp(self.by_slab - logsumexp(self.by_slab, axis=1, keepdims=True))
        return np.asarray(probability / probability.sum(axis=1, keepdims=True))


def local_scores(
    statistics: SufficientStatistics,
    child: int,
    candidates: Iterable[int],
    required: Iterable[int] = (),
    *,
    prior: NormalInverseGamma = ADDITIVE,
    max_parents: int | None = None,
    max_sets: int = MAX_SETS,
) -> LocalScores:
    """Score every parent set of a child.

    Nothing is assumed of the rest of the graph: the scores serve a known order, a sum over all
    acyclic graphs and a Markov chain over graphs alike.

    Args:
        statistics: Products of the nodes' features.
        child: The node to explain.
        candidates: Nodes that may be its parents, the required ones included.
        required: Candidates that must be its parents.
        prior: Prior of weights and noise.
        max_parents: Largest number of parents; None for no limit of your own.
        max_sets: Largest number of sets; beyond it only sets up to some size are scored.

    Returns:
        The log evidence in nats of the standardised child under every parent set.

    Raises:
        ModelError: If more parents are required than `max_parents` permits.

    Source: Murphy (2012), Machine learning: a probabilistic perspective, section 7.6.3.

    Example:
        >>> from pyrocrl.structure.basis import sufficient_statistics
        >>> rng = np.random.default_rng(0)
        >>> cause = rng.normal(size=300)
        >>> z = np.stack([cause, rng.normal(size=300), cause + rng.normal(size=300)], axis=1)
        >>> scores = local_scores(sufficient_statistics(z), 2, [0, 1])
        >>> scores.sets.membership[scores.log_evidence.argmax()]
        array([ True, False, False])
    """
    sets = ParentSets.enumerate(
        statistics.n_nodes, candidates, required, max_parents=max_parents, max_sets=max_sets
    )
    by_slab = np.empty((len(sets), len(prior.slabs)))
    residual = np.empty_like(by_slab)
    for size in range(sets.max_free + 1):
        members = sets.members(size)
        start = int(sets.offsets[size])
        step = max(1, _FLOATS_PER_BLOCK // (members.shape[1] * statistics.width + 1) ** 2)
        for first in range(0, len(members), step):
            block = members[first : first + step]
            rows = slice(start + first, start + first + len(block))
            by_slab[rows], residual[rows] = _evidence(statistics, child, block, prior)
    return LocalScores(child, sets, by_slab, residual)


def feature_columns(statistics: SufficientStatistics, parents: IntArray, slab: float) -> IntArray:
    """Columns of the Gram matrix that a mechanism uses.

    Args:
        statistics: Products of the nodes' features.
        parents: Parents of each set, shape (set, parent).
        slab: Slab variance of the smooth features; with 0 only the straight lines are used.

    Returns:
        Columns, shape (set, parent * features per parent).
    """
    features = np.arange(statistics.width if slab > 0 else 1)
    columns: IntArray = (parents[:, :, None] * statistics.width + features).reshape(
        len(parents), parents.shape[1] * len(features)
    )
    return columns


def prior_precision(statistics: SufficientStatistics, n_parents: int, slab: Slab) -> FloatArray:
    """Prior precisions of the weights, in inverse noise variances, in `feature_columns` order."""
    if slab.smooth == 0:
        return np.full(n_parents, 1 / slab.linear)
    one_parent = np.full(statistics.width, 1 / slab.smooth)
    one_parent[0] = 1 / slab.linear
    return np.tile(one_parent, n_parents)


def _evidence(
    statistics: SufficientStatistics, child: int, parents: IntArray, prior: NormalInverseGamma
) -> tuple[FloatArray, FloatArray]:
    """Log evidence and residual scale of sets of one size, each of shape (set, slab)."""
    n_parents = parents.shape[1]
    shape = prior.posterior_shape(statistics.n_subjects, n_parents)
    prior_shape = prior.prior_shape(n_parents)
    constant = (
        float(gammaln(shape) - gammaln(prior_shape))
        + prior_shape * np.log(prior.scale)
        - 0.5 * statistics.n_subjects * np.log(2 * np.pi)
    )
    log_evidence = np.empty((len(parents), len(prior.slabs)))
    residual = np.empty_like(log_evidence)
    target = np.full((len(parents), 1), child * statistics.width, dtype=np.int64)
    gathered: dict[bool, FloatArray] = {}
    for k, slab in enumerate(prior.slabs):
        bent = slab.smooth > 0
        if bent not in gathered:
            own = feature_columns(statistics, parents, slab.smooth)
            columns = np.concatenate([own, target], axis=1)
            gathered[bent] = statistics.gram[columns[:, :, None], columns[:, None, :]]
        precision = prior_precision(statistics, n_parents, slab)
        # With the child in the last row, one factorisation gives both what is needed: the
        # determinant of the weights' precision and, as its last pivot, twice the residual scale.
        diagonal = np.append(precision, 2 * prior.scale)
        factor = np.linalg.cholesky(gathered[bent] + np.diag(diagonal))
        pivots = np.diagonal(factor, axis1=1, axis2=2)
        residual[:, k] = 0.5 * pivots[:, -1] ** 2
        log_evidence[:, k] = (
            constant
            + 0.5 * np.log(precision).sum()
            - np.log(pivots[:, :-1]).sum(axis=1)
            - shape * np.log(residual[:, k])
        )
    return log_evidence, residual
