"""Draws of a child's edges: their strengths and slopes, given sampled parent sets.

Given weights and noise variance, a strength is half the log of 1 + r, r being the ratio of two
variances: of what the parent adds to the other parents, and of the noise. The posterior of the
weights takes the parents' values as they are and the noise for Gaussian. In the population that
the subjects stand for, the parents' values vary otherwise, and noise with heavy tails leaves its
own variance more uncertain. So the log of r is scattered as it would be over samples of subjects,
less what the posterior of a Gaussian noise variance has scattered it already.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyrocrl.structure._arrays import BoolArray, FloatArray, IntArray
from pyrocrl.structure.basis import SufficientStatistics
from pyrocrl.structure.scores import (
    LocalScores,
    NormalInverseGamma,
    Slab,
    feature_columns,
    prior_precision,
)
from pyrocrl.structure.strength import ParentStrengths

__all__ = ["GraphDraws", "draw_edges"]

_FLOATS_PER_BLOCK = 2_000_000
_NEGLIGIBLE = 1e-12
_TINY = 1e-300
# n times the variance of the log of a sample variance.
_OF_GAUSSIAN_NOISE = 2.0


@dataclass(frozen=True, eq=False)
class GraphDraws:
    """Independent draws from the posterior over graphs and mechanisms.

    Attributes:
        adjacency: Whether parent causes child by more than the rope, (draw, child, parent).
        strength: Information that the parent adds in the population, in nats per subject,
            (draw, child, parent); 0 where there is no edge.
        effect: Slope of the straight-line part of the mechanism, in standard deviations of the
            child per standard deviation of the parent, (draw, child, parent); 0 where there is no
            edge.
    """

    adjacency: BoolArray
    strength: FloatArray
    effect: FloatArray


def draw_edges(
    rows: IntArray,
    scores: LocalScores,
    strengths: ParentStrengths,
    statistics: SufficientStatistics,
    prior: NormalInverseGamma,
    rope: float,
    rng: np.random.Generator,
) -> GraphDraws:
    """Draw the edges into one child, given a parent set for each draw.

    A parent's strength is drawn in the set in which the parent was judged, and the edge is there
    if it is beyond the rope in these subjects, so that the share of draws that hold the edge is its
    probability.

    Args:
        rows: Row of the sampled parent set, shape (draw,).
        scores: Scores of the child's parent sets.
        strengths: Verdicts on the parents of these sets.
        statistics: Products of the nodes' features, from which the scores were computed.
        prior: Prior of weights and noise, with which the scores were computed.
        rope: Strength below which an edge counts as none, in nats per subject.
        rng: Source of randomness.

    Returns:
        Draws whose arrays have shape (draw, node), for this child alone.
    """
    n_nodes = scores.sets.n_nodes
    here = np.zeros((len(rows), n_nodes))
    strength = np.zeros_like(here)
    effect = np.zeros_like(here)
    judged_in = np.where(strengths.probability[rows] > _NEGLIGIBLE, strengths.judged_in[rows], -1)

    draw, node = np.nonzero(judged_in >= 0)
    jobs = np.unique(draw * len(scores.sets) + judged_in[draw, node])
    job_draw, job_row = np.divmod(jobs, len(scores.sets))
    cumulative = scores.slab_probability.cumsum(axis=1)[job_row]
    slab = (rng.random((len(jobs), 1)) > cumulative[:, :-1]).sum(axis=1)
    size = np.searchsorted(scores.sets.offsets, job_row, side="right") - 1
    for n_free, k in np.unique(np.stack([size, slab], axis=1), axis=0):
        group = np.flatnonzero((size == n_free) & (slab == k))
        members = scores.sets.members(int(n_free))
        floats_per_job = (members.shape[1] * statistics.width) ** 2
        n_blocks = -(-len(group) * floats_per_job // _FLOATS_PER_BLOCK)
        for block in np.array_split(group, n_blocks):
            in_row = job_row[block]
            parents = members[in_row - scores.sets.offsets[n_free]]
            unique, member_of = np.unique(in_row, return_inverse=True)
            drawn = _draw_weights(
                members[unique - scores.sets.offsets[n_free]],
                scores.residual[unique, k],
                member_of,
                scores.child,
                statistics,
                prior,
                prior.slabs[k],
                rng,
            )
            draws = np.broadcast_to(job_draw[block, None], parents.shape)
            judged_here = judged_in[draws, parents] == in_row[:, None]
            place = (draws[judged_here], parents[judged_here])
            for whole, part in zip((here, strength, effect), drawn, strict=True):
                whole[place] = part[judged_here]

    required = np.zeros(n_nodes, dtype=np.bool_)
    required[list(scores.sets.required)] = True
    adjacency = (judged_in >= 0) & ((here > rope) | required)
    strength = np.where(required, strength, np.maximum(strength, np.nextafter(rope, np.inf)))
    return GraphDraws(
        adjacency, np.where(adjacency, strength, 0.0), np.where(adjacency, effect, 0.0)
    )


def _draw_weights(
    parents: IntArray,
    residual: FloatArray,
    set_of_draw: IntArray,
    child: int,
    statistics: SufficientStatistics,
    prior: NormalInverseGamma,
    slab: Slab,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draw mechanisms from their posterior.

    Args:
        parents: Parents of each distinct set, shape (set, parent).
        residual: Posterior scale of the noise variance in each set, shape (set,).
        set_of_draw: Which of these sets each draw is made in, shape (draw,).
        child: The child.
        statistics: Products of the nodes' features.
        prior: Prior of weights and noise.
        slab: Prior variances of the weights.
        rng: Source of randomness.

    Returns:
        Strength in these subjects and in the population, in nats per subject, and slope of each
        parent, all of shape (draw, parent).
    """
    n_sets, n_parents = parents.shape
    columns = feature_columns(statistics, parents, slab.smooth)
    n_features = columns.shape[1] // n_parents
    precision = statistics.gram[columns[:, :, None], columns[:, None, :]] + np.diag(
        prior_precision(statistics, n_parents, slab)
    )
    inverse_factor = np.linalg.inv(np.linalg.cholesky(precision))
    covariance = inverse_factor.swapaxes(1, 2) @ inverse_factor
    target = statistics.gram[columns, child * statistics.width]
    mean = (covariance @ target[..., None])[..., 0]
    own = np.arange(n_parents)
    blocks = covariance.reshape(n_sets, n_parents, n_features, n_parents, n_features)
    own_precision = np.linalg.inv(blocks[:, own, :, own, :]).swapaxes(0, 1)
    # Weights with which all features make up what each parent adds to the others.
    added = np.einsum(
        "sapf,spfg,spg->spa",
        blocks.reshape(n_sets, -1, n_parents, n_features),
        own_precision,
        mean.reshape(n_sets, n_parents, n_features),
    )
    scatter = _scatter(columns, mean, added, child, statistics)[set_of_draw]

    variance = residual[set_of_draw] / rng.gamma(
        prior.posterior_shape(statistics.n_subjects, n_parents), size=len(set_of_draw)
    )
    noise = rng.standard_normal((len(set_of_draw), columns.shape[1]))
    noise = (noise[:, None, :] @ inverse_factor[set_of_draw])[:, 0]
    weights = mean[set_of_draw] + np.sqrt(variance)[:, None] * noise
    weights = weights.reshape(-1, n_parents, n_features)
    # Inactive features have weights, drawn from their prior, but no influence.
    weights = weights * statistics.active[parents, :n_features][set_of_draw]
    explained = np.einsum("dpf,dpfg,dpg->dp", weights, own_precision[set_of_draw], weights)
    ratio = explained / (statistics.n_subjects * variance[:, None])
    scattered = ratio * np.exp(scatter * rng.standard_normal(scatter.shape))
    return 0.5 * np.log1p(ratio), 0.5 * np.log1p(scattered), weights[..., 0]


def _scatter(
    columns: IntArray,
    mean: FloatArray,
    added: FloatArray,
    child: int,
    statistics: SufficientStatistics,
) -> FloatArray:
    """Deviation of the log ratio of variances over samples of subjects, (set, parent).

    Beyond that of a Gaussian noise variance, which its posterior holds already. To first order,
    the log of a mean square varies as the mean of the squares does.
    """
    scatter = np.empty(added.shape[:2])
    target = statistics.features[:, child * statistics.width]
    for k, own in enumerate(columns):
        features = statistics.features[:, own]
        noise = (target - features @ mean[k]) ** 2
        parts = (features @ added[k].T) ** 2
        difference = parts / (parts.mean(axis=0) + _TINY)
        difference -= (noise / (noise.mean() + _TINY))[:, None]
        scatter[k] = (difference**2).mean(axis=0)
    return np.sqrt((scatter - _OF_GAUSSIAN_NOISE).clip(min=0) / statistics.n_subjects)
