"""The posterior over graphs when the order of causes is known: an exact sum over parent sets.

With the order known every graph is acyclic, and the children do not constrain one another: their
parent sets are independent given the edge prior, and each child's can be summed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import logsumexp

from pyrocrl.errors import ModelError
from pyrocrl.structure._arrays import BoolArray, FloatArray, IntArray, RealArray
from pyrocrl.structure.basis import N_SMOOTH, SufficientStatistics, sufficient_statistics
from pyrocrl.structure.draws import GraphDraws, draw_edges
from pyrocrl.structure.edge_prior import EdgePriorMixture, log_prior
from pyrocrl.structure.scores import (
    ADDITIVE,
    LINEAR,
    LocalScores,
    NormalInverseGamma,
    local_scores,
)
from pyrocrl.structure.strength import ParentStrengths, StrengthTail, parent_strengths

__all__ = ["KnownOrderPosterior"]

_FLOATS_PER_BLOCK = 4_000_000


@dataclass(frozen=True, eq=False)
class KnownOrderPosterior:
    """The exact posterior over graphs given the node values and the order of causes.

    Mechanism weights and noise are integrated out in closed form, parent sets and the prior's
    components are summed over. A probability assumes that the order is right, that no cause common
    to two nodes is left out, and that mechanisms add up functions of single parents.

    Made by `fit`.

    Source: Cooper and Herskovits (1992), A Bayesian method for the induction of probabilistic
    networks from data, for the sum over parent sets.

    Attributes:
        log_evidence: Log evidence of the standardised node values, in nats.
        inclusion: Probability that the parent is in the child's parent set, (child, parent).
        probability: Probability that it is and that the edge is stronger than the rope,
            (child, parent).
        prior_ess: Effective number of components of the prior that are left once the data have
            weighted them; a few out of many mean that the prior is poorly represented.
        capped: For each child whose parent sets were limited in size: the largest size.
        rope: Strength below which an edge counts as none, in nats per subject.
    """

    log_evidence: float
    inclusion: FloatArray
    probability: FloatArray
    prior_ess: float
    capped: dict[int, int]
    rope: float
    _children: tuple[_Child, ...] = field(repr=False)
    _components: FloatArray = field(repr=False)
    _prior: EdgePriorMixture = field(repr=False)
    _statistics: SufficientStatistics = field(repr=False)
    _mechanism_prior: NormalInverseGamma = field(repr=False)

    @classmethod
    def fit(
        cls,
        z: RealArray,
        allowed: BoolArray,
        prior: EdgePriorMixture,
        *,
        rope: float = 0.02,
        nonlinear: bool = True,
        slab: float = 2.0,
        required: BoolArray | None = None,
        max_parents: int | None = None,
    ) -> KnownOrderPosterior:
        """Compute the posterior.

        Args:
            z: Node values, (subject, node), in any units.
            allowed: Which edges the order permits, (child, parent); acyclic.
            prior: Prior over edges.
            rope: Strength below which an edge counts as none, in nats per subject.
            nonlinear: Whether mechanisms may bend; if not, they are straight lines.
            slab: Prior standard deviation of a straight line's slope, in standard deviations of
                the noise.
            required: Edges that are certain however weak they are, (child, parent). None takes
                those whose prior probability is 1 throughout.
            max_parents: Largest number of parents of a node. Without it all parent sets are
                summed over, unless a node has more than 20,000: see `capped`.

        Returns:
            The posterior.

        Raises:
            ModelError: If `z` is not finite or a node of it constant, `allowed` or the prior has
                another number of nodes, `allowed` has a cycle, `rope` is negative, or
                `max_parents` is less than the prior requires.

        Example:
            >>> rng = np.random.default_rng(0)
            >>> cause, other, noise = rng.normal(size=(3, 500))
            >>> z = np.stack([cause, other, np.tanh(2 * cause) + noise], axis=1)
            >>> allowed = np.tri(3, k=-1, dtype=bool)
            >>> posterior = KnownOrderPosterior.fit(
            ...     z, allowed, EdgePriorMixture.fixed(np.full((3, 3), 0.1))
            ... )
            >>> posterior.probability.round(2)
            array([[0., 0., 0.],
                   [0., 0., 0.],
                   [1., 0., 0.]])
        """
        allowed = np.asarray(allowed, dtype=np.bool_)
        mechanism_prior = replace(ADDITIVE if nonlinear else LINEAR, linear=slab**2)
        _check_max_parents(max_parents)
        statistics = sufficient_statistics(z, N_SMOOTH if nonlinear else 0)
        n_nodes = statistics.n_nodes
        _check_allowed(allowed, n_nodes)
        if prior.probabilities.shape[1] != n_nodes:
            raise ModelError(
                f"the edge prior is over {prior.probabilities.shape[1]} nodes, but z has {n_nodes}"
            )
        shape = mechanism_prior.posterior_shape(statistics.n_subjects)
        tail = StrengthTail(statistics.n_subjects, shape, rope)

        possible = allowed & (prior.probabilities > 0).any(axis=0)
        if required is None:
            required = (prior.probabilities == 1).all(axis=0)
        certain = allowed & required
        children = []
        for node in range(n_nodes):
            scores = local_scores(
                statistics,
                node,
                np.flatnonzero(possible[node]).tolist(),
                np.flatnonzero(certain[node]).tolist(),
                prior=mechanism_prior,
                max_parents=max_parents,
            )
            strengths = parent_strengths(scores, statistics, mechanism_prior, tail)
            children.append(_Child(scores, strengths, possible[node]))

        log_joint = prior.log_weights - logsumexp(prior.log_weights)
        evidence = [child.log_evidence(prior) for child in children]
        log_joint = log_joint + np.sum(evidence, axis=0)
        log_evidence = float(logsumexp(log_joint))
        if not np.isfinite(log_evidence):
            raise ModelError(
                "no graph has positive probability: the edge prior requires more parents of a "
                "node than max_parents permits; raise max_parents"
            )
        components = np.exp(log_joint - log_evidence)
        components /= components.sum()

        inclusion = np.zeros((n_nodes, n_nodes))
        probability = np.zeros((n_nodes, n_nodes))
        for child in children:
            node = child.scores.child
            weights = child.set_probability(prior, components)
            inclusion[node] = weights @ child.scores.sets.membership.astype(np.float64)
            probability[node] = weights @ child.strengths.probability
        return cls(
            log_evidence=log_evidence,
            inclusion=inclusion.clip(0.0, 1.0),
            probability=probability.clip(0.0, 1.0),
            prior_ess=float(1 / (components**2).sum()),
            capped={
                child.scores.child: child.scores.sets.max_parents
                for child in children
                if child.scores.sets.capped
            },
            rope=float(rope),
            _children=tuple(children),
            _components=components,
            _prior=prior,
            _statistics=statistics,
            _mechanism_prior=mechanism_prior,
        )

    def sample(self, draws: int, rng: np.random.Generator) -> GraphDraws:
        """Draw graphs with the strengths and slopes of their edges, independently.

        Args:
            draws: Number of draws.
            rng: Source of randomness.

        Returns:
            The draws; their mean adjacency tends to `probability`.

        Raises:
            ModelError: If `draws` is not a positive whole number.

        Example:
            >>> rng = np.random.default_rng(0)
            >>> z = rng.normal(size=(300, 2)) @ np.array([[1.0, 1.0], [0.0, 1.0]])
            >>> posterior = KnownOrderPosterior.fit(
            ...     z, np.tri(2, k=-1, dtype=bool), EdgePriorMixture.fixed(np.full((2, 2), 0.5))
            ... )
            >>> drawn = posterior.sample(1000, rng)
            >>> drawn.adjacency.mean(axis=0)
            array([[0., 0.],
                   [1., 0.]])
            >>> round(float(drawn.effect.mean(axis=0)[1, 0]), 1)
            0.7
        """
        if not isinstance(draws, int | np.integer) or draws < 1:
            raise ModelError(f"draws must be a positive whole number, not {draws!r}")
        component = rng.choice(len(self._components), size=draws, p=self._components)
        by_child = [
            draw_edges(
                child.sample_sets(self._prior, component, rng),
                child.scores,
                child.strengths,
                self._statistics,
                self._mechanism_prior,
                self.rope,
                rng,
            )
            for child in self._children
        ]
        return GraphDraws(
            np.stack([drawn.adjacency for drawn in by_child], axis=1),
            np.stack([drawn.strength for drawn in by_child], axis=1),
            np.stack([drawn.effect for drawn in by_child], axis=1),
        )


@dataclass(frozen=True, eq=False)
class _Child:
    """One child's parent sets: their evidence, their prior and the verdicts on their parents."""

    scores: LocalScores
    strengths: ParentStrengths
    possible: BoolArray

    def log_posterior(self, probabilities: FloatArray) -> FloatArray:
        """Log evidence plus log prior, (component, set), from edge priors (component, parent)."""
        return log_prior(self.scores.sets, probabilities * self.possible) + (
            self.scores.log_evidence
        )

    def _blocks(self, components: IntArray) -> list[IntArray]:
        step = max(1, _FLOATS_PER_BLOCK // len(self.scores.sets))
        return [components[first : first + step] for first in range(0, len(components), step)]

    def log_evidence(self, prior: EdgePriorMixture) -> FloatArray:
        """Log evidence of each component of the prior, sets summed over."""
        probabilities = prior.probabilities[:, self.scores.child]
        evidence = [
            logsumexp(self.log_posterior(probabilities[block]), axis=1)
            for block in self._blocks(np.arange(len(probabilities)))
        ]
        return np.concatenate(evidence)

    def set_probability(self, prior: EdgePriorMixture, components: FloatArray) -> FloatArray:
        """Posterior probability of every set, given those of the components."""
        probabilities = prior.probabilities[:, self.scores.child]
        total = np.zeros(len(self.scores.sets))
        for block in self._blocks(np.flatnonzero(components > 0)):
            total += components[block] @ _normalise(self.log_posterior(probabilities[block]))
        return total

    def sample_sets(
        self, prior: EdgePriorMixture, component: IntArray, rng: np.random.Generator
    ) -> IntArray:
        """Draw the row of a parent set for every drawn component."""
        probabilities = prior.probabilities[:, self.scores.child]
        rows = np.empty(len(component), dtype=np.int64)
        for block in self._blocks(np.unique(component)):
            posterior = _normalise(self.log_posterior(probabilities[block]))
            for k, weights in zip(block, posterior, strict=True):
                draws = np.flatnonzero(component == k)
                rows[draws] = rng.choice(len(weights), size=len(draws), p=weights)
        return rows


def _normalise(log_weights: FloatArray) -> FloatArray:
    weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _check_max_parents(max_parents: int | None) -> None:
    if max_parents is not None and (
        not isinstance(max_parents, int | np.integer) or max_parents < 0
    ):
        raise ModelError(f"max_parents must be None or a whole number >= 0, not {max_parents!r}")


def _check_allowed(allowed: BoolArray, n_nodes: int) -> None:
    if allowed.shape != (n_nodes, n_nodes):
        raise ModelError(
            f"allowed must have shape (child, parent) = {(n_nodes, n_nodes)} for the {n_nodes} "
            f"nodes of z, but has shape {allowed.shape}"
        )
    open_nodes = np.ones(n_nodes, dtype=np.bool_)
    while open_nodes.any():
        roots = open_nodes & ~(allowed & open_nodes).any(axis=1)
        if not roots.any():
            raise ModelError(
                f"allowed has a cycle among nodes {np.flatnonzero(open_nodes).tolist()} (counted "
                "from 0): the order of causes must be known here"
            )
        open_nodes &= ~roots
