"""Is a parent's influence large enough to matter? The region of practical equivalence.

The strength of an edge is the information, in nats per subject, that the parent adds about the
child to what the other parents tell. Given the parent set S, the features' weights w of parent j
and the noise variance have the joint posterior

    w | variance ~ Normal(m, variance * inverse(P)),      1 / variance ~ Gamma(a, b),

where P is the precision of w with the other parents' weights integrated out, and

    strength = 0.5 * log(1 + w' P w / (n * variance)).

Given the variance, w' P w / variance is noncentral chi-squared with noncentrality
m' P m / variance. And m' P m is what the residual scale rises by when j leaves S, twice over: the
scores hold it already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.special import chndtr, ndtr

from pyrocrl.errors import ModelError
from pyrocrl.structure._arrays import FloatArray, IntArray
from pyrocrl.structure.basis import SufficientStatistics
from pyrocrl.structure.scores import LocalScores, NormalInverseGamma

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

__all__ = ["ParentStrengths", "StrengthTail", "parent_strengths"]

_QUADRATURE_NODES = 24
# Above this threshold the root of a noncentral chi-squared variable is normal to 1e-6, and the
# exact function slow.
_NORMAL_BEYOND = 1e6
# No edge is this strong; it keeps the threshold of an absurd rope finite.
_LARGEST_STRENGTH = 100.0
_GRID_HALF_WIDTH = 10.0
_GRID_STEP = 0.05


class StrengthTail:
    """Probability that an edge is stronger than the rope, for one number of subjects.

    It depends on the data through a single number, the noncentrality at the mean precision, and
    is therefore tabulated once and interpolated (to 1e-6 or better).

    Source: Kruschke (2018), Rejecting or accepting parameter values in Bayesian estimation, for
    the region of practical equivalence; Golub and Welsch (1969) for the quadrature.

    Args:
        n_subjects: Number of subjects.
        shape: Shape of the precision's gamma posterior.
        rope: Strength below which an edge counts as none, in nats per subject.

    Raises:
        ModelError: If `rope` is negative or not finite.

    Example:
        >>> tail = StrengthTail(n_subjects=1000, shape=501.0, rope=0.02)
        >>> tail(np.array([1.0, 40.0, 200.0]), n_features=1).round(3)
        array([0.   , 0.474, 1.   ])
    """

    def __init__(self, n_subjects: int, shape: float, rope: float) -> None:
        if not (np.isfinite(rope) and rope >= 0):
            raise ModelError(f"rope must be finite and at least 0 nats per subject, not {rope}")
        self.rope = float(rope)
        self.n_subjects = n_subjects
        self.shape = float(shape)
        self._of_shape: dict[float, StrengthTail] = {self.shape: self}
        self._threshold = n_subjects * float(np.expm1(2 * min(rope, _LARGEST_STRENGTH)))
        self._precisions, self._weights = _gamma_quadrature(shape)
        # In the root of the noncentrality the tail is close to a normal distribution function of
        # this width, wherever the threshold lies.
        width = np.sqrt(1 + self._threshold / (2 * n_subjects))
        middle = np.sqrt(self._threshold)
        low = max(0.0, middle - _GRID_HALF_WIDTH * width)
        high = middle + _GRID_HALF_WIDTH * width
        self._grid = np.linspace(low, high, int(np.ceil((high - low) / (_GRID_STEP * width))) + 1)
        self._splines: dict[int, CubicSpline] = {}

    def __call__(self, noncentrality: FloatArray, n_features: int) -> FloatArray:
        """Evaluate the probability.

        Args:
            noncentrality: m' P m times the posterior mean of the precision, any shape.
            n_features: Number of features of the parent that are in use.

        Returns:
            Probability of a strength beyond the rope, in the shape of `noncentrality`.
        """
        if self.rope == 0:
            return np.ones(np.shape(noncentrality))
        if n_features not in self._splines:
            # Imported here: it takes a fifth of the time that importing Pyro takes.
            from scipy.interpolate import CubicSpline

            values = self.exact(self._grid**2, n_features)
            self._splines[n_features] = CubicSpline(self._grid, values)
        root = np.sqrt(np.maximum(noncentrality, 0.0)).clip(self._grid[0], self._grid[-1])
        return np.asarray(self._splines[n_features](root).clip(0.0, 1.0))

    def with_shape(self, shape: float) -> StrengthTail:
        """The same for another shape of the precision's posterior; tables are kept."""
        if shape not in self._of_shape:
            self._of_shape[shape] = StrengthTail(self.n_subjects, shape, self.rope)
        return self._of_shape[shape]

    def exact(self, noncentrality: FloatArray, n_features: int) -> FloatArray:
        """Evaluate the probability without the table; arguments as in a call."""
        noncentrality = noncentrality[..., None] * self._precisions
        if self._threshold > _NORMAL_BEYOND:
            root = np.sqrt(noncentrality + n_features - 1)
            given_variance = ndtr(root - np.sqrt(self._threshold))
        else:
            given_variance = 1 - chndtr(self._threshold, n_features, noncentrality)
        return np.asarray(given_variance @ self._weights)


@dataclass(frozen=True, eq=False)
class ParentStrengths:
    """How probably each parent of a set is stronger than the rope.

    Two parents that carry the same information each look weak beside the other. So the weakest
    parent is judged first and, when it is more probably weak than not, leaves the set before the
    others are judged, and so on until every parent that is left is probably strong.

    Attributes:
        probability: P(strength > rope | parent set), shape (set, node); 0 for nodes outside the
            set, 1 for required parents.
        judged_in: Row of the set in which the parent was judged, shape (set, node); -1 for nodes
            outside the set.
    """

    probability: FloatArray
    judged_in: IntArray


def parent_strengths(
    scores: LocalScores,
    statistics: SufficientStatistics,
    prior: NormalInverseGamma,
    tail: StrengthTail,
) -> ParentStrengths:
    """Judge the parents of every parent set.

    Args:
        scores: Scores of the child's parent sets.
        statistics: Products of the nodes' features, from which the scores were computed.
        prior: Prior of weights and noise, with which the scores were computed.
        tail: Probability that an edge is stronger than the rope.

    Returns:
        The probabilities, and the sets that they refer to.
    """
    sets = scores.sets
    probability = np.zeros((len(sets), sets.n_nodes))
    judged_in = np.full((len(sets), sets.n_nodes), -1, dtype=np.int64)
    required = list(sets.required)
    probability[:, required] = 1.0
    judged_in[:, required] = np.arange(len(sets))[:, None]
    for size in range(1, sets.max_free + 1):
        rows = np.arange(sets.offsets[size], sets.offsets[size + 1])
        members = sets.free_members(size)
        without = sets.without(size)
        strong, information = _judge(scores, statistics, prior, tail, rows, members, without)

        least = strong.min(axis=1, keepdims=True)
        weakest = np.where(strong == least, information, np.inf).argmin(axis=1)
        stays = least[:, 0] >= 0.5
        kept = rows[stays, None]
        probability[kept, members[stays]] = strong[stays]
        judged_in[kept, members[stays]] = kept

        leaves = np.flatnonzero(~stays)
        rest = without[leaves, weakest[leaves]]
        probability[rows[leaves]] = probability[rest]
        judged_in[rows[leaves]] = judged_in[rest]
        left = members[leaves, weakest[leaves]]
        probability[rows[leaves], left] = least[leaves, 0]
        judged_in[rows[leaves], left] = rows[leaves]
    return ParentStrengths(probability, judged_in)


def _judge(
    scores: LocalScores,
    statistics: SufficientStatistics,
    prior: NormalInverseGamma,
    tail: StrengthTail,
    rows: IntArray,
    members: IntArray,
    without: IntArray,
) -> tuple[FloatArray, FloatArray]:
    """P(strength > rope) and rough mean strength of each free parent, both (set, parent)."""
    n_subjects = statistics.n_subjects
    shape = prior.posterior_shape(n_subjects, len(scores.sets.required) + members.shape[1])
    tail = tail.with_shape(shape)
    slab_probability = scores.slab_probability[rows]
    weak = np.zeros(members.shape)
    information = np.zeros(members.shape)
    for k, slab in enumerate(prior.slabs):
        residual = scores.residual[rows, k][:, None]
        gain = 2 * (scores.residual[without, k] - residual).clip(min=0)
        noncentrality = shape * gain / residual
        features = statistics.active.sum(axis=1) if slab.smooth else np.ones(statistics.n_nodes)
        n_features = features.astype(np.int64)[members]
        given_slab = np.empty(members.shape)
        for count in np.unique(n_features):
            chosen = n_features == count
            given_slab[chosen] = tail(noncentrality[chosen], int(count))
        weight = slab_probability[:, k, None]
        weak += weight * (1 - given_slab)
        information += weight * 0.5 * np.log1p((n_features + noncentrality) / n_subjects)
    return (1 - weak).clip(0.0, 1.0), information


def _gamma_quadrature(shape: float) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of Gauss quadrature for Gamma(shape) variables divided by their mean."""
    k = np.arange(_QUADRATURE_NODES, dtype=np.float64)
    nodes, vectors = eigh_tridiagonal(2 * k + shape, np.sqrt(k[1:] * (k[1:] + shape - 1)))
    return nodes / shape, vectors[0] ** 2
