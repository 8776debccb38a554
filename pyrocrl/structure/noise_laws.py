"""What the shape of the noise says: evidence of parent sets beyond means and variances.

Where the order of causes is open, noise that is taken for Gaussian and is not misleads: regressed
on an effect, a cause looks bent, and the bend speaks for the wrong direction. So the residuals of
every parent set are compared with several laws, and their evidence is averaged.

Of a yes or no, or of a few grades, the shape is that of the values themselves, and most like itself
where nothing is explained: taken for noise, it would speak against every cause. Such nodes have
Gaussian noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gamma, logsumexp

from pyrocrl.structure._arrays import FloatArray, IntArray, RealArray
from pyrocrl.structure.basis import NodeBasis, SufficientStatistics
from pyrocrl.structure.scores import (
    LocalScores,
    NormalInverseGamma,
    Slab,
    feature_columns,
    prior_precision,
)

__all__ = [
    "GAUSSIAN",
    "NOISE_LAWS",
    "NoiseLaw",
    "law_evidence",
    "law_likelihood",
    "shape_tells",
    "with_noise_laws",
]

# Residuals looked at, over all parent sets of a graph; every set keeps at least the fewest rows.
_RESIDUALS = 60_000_000
_FEWEST_SUBJECTS = 1_000
# Prior probability of the normal law. What it costs to leave it is soon earned where the noise is
# not Gaussian, and keeps a few hundred subjects from suggesting shapes that are chance.
_GAUSSIAN = 0.9
_FEWEST_VALUES = 20
_FLOATS_PER_BLOCK = 4_000_000


@dataclass(frozen=True)
class NoiseLaw:
    """A shape of the noise: a generalised normal density, stretched to one side.

    Source: Nadarajah (2005), A generalized normal distribution; Fernandez and Steel (1998), On
    Bayesian modeling of fat tails and skewness, for the stretching.

    Attributes:
        power: Of the distance in the exponent: 2 is the normal law, 1 Laplace's, 4 nearly flat.
        skew: Factor by which the right side is stretched and the left one shrunk.
    """

    power: float
    skew: float = 1.0

    @property
    def mode(self) -> float:
        """Mode of the law with mean 0 and standard deviation 1."""
        first, second = (float(gamma((k + 1) / self.power) / gamma(1 / self.power)) for k in (1, 2))
        mean = (self.skew - 1 / self.skew) * first
        square = (self.skew**3 + self.skew**-3) / (self.skew + 1 / self.skew) * second
        return -mean / float(np.sqrt(square - mean**2))

    def log_likelihood(self, residuals: FloatArray, deviation: FloatArray) -> FloatArray:
        """Mean log density at the best scale.

        Args:
            residuals: Centred residuals, (subject, set).
            deviation: Their standard deviations, (set,).

        Returns:
            Nats per subject, (set,).
        """
        distance = residuals - self.mode * deviation
        if self.skew != 1:
            distance *= np.where(distance > 0, 1 / self.skew, -self.skew)
        moment = _raise(np.abs(distance), self.power).mean(axis=0)
        scale = (self.power * moment) ** (1 / self.power)
        width = float(gamma(1 + 1 / self.power)) * (self.skew + 1 / self.skew)
        return np.asarray(-np.log(scale * width) - 1 / self.power)


GAUSSIAN = NoiseLaw(2.0)
NOISE_LAWS = (
    GAUSSIAN,
    *(NoiseLaw(power) for power in (1.0, 1.5, 4.0)),
    *(NoiseLaw(power, skew) for power in (1.0, 1.5) for skew in (0.5, 1 / 1.4, 1.4, 2.0)),
)


def law_likelihood(residuals: FloatArray, laws: Sequence[NoiseLaw] = NOISE_LAWS) -> FloatArray:
    """How much better than the normal law every law describes residuals.

    Args:
        residuals: Residuals of one mechanism in each column, (subject, set).
        laws: The laws.

    Returns:
        Log likelihood ratio in nats per subject, (law, set).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> residuals = np.stack([rng.laplace(size=1000), rng.uniform(size=1000)], axis=1)
        >>> law_likelihood(residuals)[:4].argmax(axis=0)
        array([1, 3])
    """
    residuals = residuals - residuals.mean(axis=0)
    deviation = residuals.std(axis=0)
    gaussian = GAUSSIAN.log_likelihood(residuals, deviation)
    return np.stack([law.log_likelihood(residuals, deviation) - gaussian for law in laws])


def law_evidence(
    residuals: FloatArray, laws: Sequence[NoiseLaw] = NOISE_LAWS, n_subjects: int | None = None
) -> tuple[FloatArray, IntArray]:
    """Log evidence of residuals, averaged over the laws, against that of the normal law.

    The normal law has probability .9 beforehand, the others share the rest.

    Args:
        residuals: Residuals of one mechanism in each column, (subject, set).
        laws: The laws.
        n_subjects: Number of subjects that the residuals stand for; None for their own.

    Returns:
        Nats for each set, and the most probable law of each, both (set,).
    """
    n_subjects = len(residuals) if n_subjects is None else n_subjects
    by_law = n_subjects * law_likelihood(residuals, laws)
    by_law += np.log(_law_probability(laws))[:, None]
    return np.asarray(logsumexp(by_law, axis=0)), by_law.argmax(axis=0)


def shape_tells(values: RealArray) -> bool:
    """Whether a node takes enough values for the shape of its noise to tell anything.

    Args:
        values: Of one node, (subject,).

    Returns:
        Whether it takes as many values as twenty that are equally frequent, or more (one over the
        probability that two subjects share one).

    Example:
        >>> rng = np.random.default_rng(0)
        >>> shape_tells(rng.normal(size=300)), shape_tells(rng.integers(0, 2, 300))
        (True, False)
    """
    _, often = np.unique(values, return_counts=True)
    return bool(np.square(often / len(values)).sum() <= 1 / _FEWEST_VALUES)


def with_noise_laws(
    scores: Sequence[LocalScores],
    z: RealArray,
    statistics: SufficientStatistics,
    prior: NormalInverseGamma,
    laws: Sequence[NoiseLaw] = NOISE_LAWS,
) -> list[LocalScores]:
    """Add to all parent sets what the shape of their residuals says.

    Residuals are those of the mechanism's posterior mean under the set's most probable slab. With
    many sets they are looked at in some thousand evenly spread subjects and scaled up. Nodes that
    take few values keep Gaussian noise, see `shape_tells`.

    Args:
        scores: Scores of the children, under Gaussian noise.
        z: Node values, (subject, node), in any units.
        statistics: Products of the nodes' features, from which the scores were computed.
        prior: Prior of weights and noise, with which the scores were computed.
        laws: Shapes of the noise.

    Returns:
        The scores, their evidence averaged over the laws.
    """
    if tuple(laws) == (GAUSSIAN,):
        return list(scores)
    n_subjects = len(z)
    affordable = _RESIDUALS // sum(len(child.sets) for child in scores)
    rows = np.linspace(
        0, n_subjects - 1, min(n_subjects, max(affordable, _FEWEST_SUBJECTS))
    ).astype(np.int64)
    columns = []
    for node in range(statistics.n_nodes):
        basis = NodeBasis.fit(np.asarray(z[:, node], dtype=np.float64), statistics.width - 1)
        columns.append(basis.transform(z[rows, node]))
    features = np.concatenate(columns, axis=1)
    return [
        _weigh(child, features, statistics, prior, laws)
        if shape_tells(z[:, child.child])
        else child
        for child in scores
    ]


def _weigh(
    scores: LocalScores,
    features: FloatArray,
    statistics: SufficientStatistics,
    prior: NormalInverseGamma,
    laws: Sequence[NoiseLaw],
) -> LocalScores:
    gain = np.empty(len(scores.sets))
    best = scores.by_slab.argmax(axis=1)
    size = scores.sets.membership.sum(axis=1)
    step = max(1, _FLOATS_PER_BLOCK // len(features))
    target = scores.child * statistics.width
    for n_parents, slab in np.unique(np.stack([size, best], axis=1), axis=0):
        group = np.flatnonzero((size == n_parents) & (best == slab))
        for first in range(0, len(group), step):
            block = group[first : first + step]
            parents = np.nonzero(scores.sets.membership[block])[1].reshape(len(block), n_parents)
            weights = _mean_weights(parents, target, statistics, prior.slabs[slab])
            residuals = features[:, target, None] - features @ weights
            gain[block], _ = law_evidence(residuals, laws, statistics.n_subjects)
    return replace(scores, by_slab=scores.by_slab + gain[:, None])


def _law_probability(laws: Sequence[NoiseLaw]) -> FloatArray:
    others = sum(law != GAUSSIAN for law in laws)
    if others in (0, len(laws)):
        return np.full(len(laws), 1 / len(laws))
    rest = (1 - _GAUSSIAN) / others
    return np.array([_GAUSSIAN if law == GAUSSIAN else rest for law in laws])


def _mean_weights(
    parents: IntArray,
    target: int,
    statistics: SufficientStatistics,
    slab: Slab,
) -> FloatArray:
    """Posterior mean weights of all features, zero for those not in use, (feature, set)."""
    columns = feature_columns(statistics, parents, slab.smooth)
    precision = statistics.gram[columns[:, :, None], columns[:, None, :]] + np.diag(
        prior_precision(statistics, parents.shape[1], slab)
    )
    mean = np.linalg.solve(precision, statistics.gram[columns, target][..., None])[..., 0]
    weights = np.zeros((len(statistics.gram), len(parents)))
    weights[columns, np.arange(len(parents))[:, None]] = mean
    return weights


def _raise(distance: FloatArray, power: float) -> FloatArray:
    # A general power of an array costs twenty times as much.
    if power == 1.5:
        return distance * np.sqrt(distance)
    if power == 4:
        return np.square(np.square(distance))
    return distance if power == 1 else distance**power
