"""The posterior over graphs when the order of causes is known: an exact sum over parent sets.

With the order known every graph is acyclic, and the children do not constrain one another: their
parent sets are independent given the edge prior, and each child's can be summed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import logsumexp

from pyrocrl.errors import ModelError
from pyrocrl.structure._arrays import BoolArray, FloatArray, RealArray
from pyrocrl.structure.basis import N_SMOOTH, SufficientStatistics, sufficient_statistics
from pyrocrl.structure.children import (
    Child,
    EdgeQuestion,
    check_draws,
    draw_graphs,
    edge_probabilities,
    score_children,
    size_limits,
)
from pyrocrl.structure.draws import GraphDraws
from pyrocrl.structure.edge_prior import EdgePriorMixture
from pyrocrl.structure.scores import ADDITIVE, LINEAR, NormalInverseGamma

__all__ = ["KnownOrderPosterior"]


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
    _children: tuple[Child, ...] = field(repr=False)
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
        slab: float | Sequence[float] = 2.0,
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
                the noise; several are equally probable widths of a slab that is no normal.
            required: Edges that are certain however weak they are, (child, parent). None takes
                those whose prior probability is 1 throughout.
            max_parents: Largest number of parents of a node. Without it all parent sets are
                summed over, unless a node has more than 20,000: see `capped`.

        Returns:
            The posterior.

        Raises:
            ModelError: If `z` is not finite or a node of it constant, `allowed` or the prior has
                another number of nodes, `allowed` has a cycle, `rope` is negative, `slab`
                is not positive, or `max_parents` is less than the prior requires.

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
        mechanism_prior = (ADDITIVE if nonlinear else LINEAR).with_slab(slab)
        statistics = sufficient_statistics(z, N_SMOOTH if nonlinear else 0)
        question = EdgeQuestion.of(statistics.n_nodes, allowed, prior, required, max_parents)
        _check_acyclic(np.asarray(allowed, dtype=np.bool_))
        children = score_children(statistics, question, mechanism_prior, rope)

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
        inclusion, probability = edge_probabilities(
            children, [child.set_probability(prior, components) for child in children]
        )
        return cls(
            log_evidence=log_evidence,
            inclusion=inclusion,
            probability=probability,
            prior_ess=float(1 / (components**2).sum()),
            capped=size_limits(children),
            rope=float(rope),
            _children=children,
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
        check_draws(draws)
        component = rng.choice(len(self._components), size=draws, p=self._components)
        rows = (child.sample_sets(self._prior, component, rng) for child in self._children)
        return draw_graphs(
            self._children, rows, self._statistics, self._mechanism_prior, self.rope, rng
        )

    def edge_rates(self, draws: int, rng: np.random.Generator) -> FloatArray:
        """Draw the edge prior's rates given the data, independently.

        Args:
            draws: Number of draws.
            rng: Source of randomness.

        Returns:
            The probability that the edge prior gives each edge where its continuous sites are
            drawn from their posterior, (draw, child, parent).

        Raises:
            ModelError: If `draws` is not a positive whole number.
        """
        check_draws(draws)
        return self._prior.rates(self._components, draws, rng)


def _check_acyclic(allowed: BoolArray) -> None:
    open_nodes = np.ones(len(allowed), dtype=np.bool_)
    while open_nodes.any():
        roots = open_nodes & ~(allowed & open_nodes).any(axis=1)
        if not roots.any():
            raise ModelError(
                f"allowed has a cycle among nodes {np.flatnonzero(open_nodes).tolist()} (counted "
                "from 0): the order of causes must be known here"
            )
        open_nodes &= ~roots
