"""The posterior over graphs when the order of causes is not known: all acyclic graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

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
from pyrocrl.structure.coarse_directions import coarsen_directions
from pyrocrl.structure.dag_sum import MAX_NODES
from pyrocrl.structure.draws import GraphDraws
from pyrocrl.structure.edge_prior import EdgePriorMixture
from pyrocrl.structure.graph_blocks import blocks_of
from pyrocrl.structure.graph_mcmc import MAX_SETS_OF_CHAINS, sample_graphs
from pyrocrl.structure.graph_posterior import GraphSampler
from pyrocrl.structure.graph_sum import sum_graphs
from pyrocrl.structure.noise_laws import NOISE_LAWS, NoiseLaw, with_noise_laws
from pyrocrl.structure.parent_sets import MAX_SETS
from pyrocrl.structure.scores import LINEAR, NormalInverseGamma

__all__ = ["UnknownOrderPosterior"]


@dataclass(frozen=True, eq=False)
class UnknownOrderPosterior:
    """The posterior over acyclic graphs given the node values, the order of causes being open.

    Mechanism weights and noise are integrated out in closed form. The sum over all acyclic graphs
    is exact, up to twelve nodes, or up to twelve among which edges may close a cycle; beyond, it is
    a Markov chain over graphs.

    What tells cause from effect is a bend in the mechanism or a shape of the noise that is not
    Gaussian; straight lines with Gaussian noise leave the direction open, as they must. Besides,
    a probability assumes that no cause common to two nodes is left out, that mechanisms add up
    functions of single parents, and that the nodes are known without error.

    The edge prior is that of independent edges, conditioned on there being no cycle.

    Made by `fit`.

    Source: Kuipers and Moffa (2015), Uniform random generation of large acyclic digraphs, and
    Talvitie, Vuoksenmaa and Koivisto (2020), Exact sampling of directed acyclic graphs from
    modular distributions, for the sum over graphs.

    Attributes:
        log_evidence: Log evidence of the standardised node values and of the graph's having no
            cycle, in nats; where chains are run, an estimate from the graphs that they return to.
        inclusion: Probability that the parent is in the child's parent set, (child, parent).
        probability: Probability that it is and that the edge is stronger than the rope,
            (child, parent).
        prior_ess: Effective number of components of the prior that are left once the data have
            weighted them; a few out of many mean that the prior is poorly represented.
        capped: For each child whose parent sets were limited in size: the largest size.
        rope: Strength below which an edge counts as none, in nats per subject.
        graph_ess: Effective number of drawn graphs that the answer rests on; infinity where the
            sum over graphs is exact.
        spread: Largest difference between Markov chains in the inclusion of an edge; 0 without
            chains. Beyond .2 the chains stay in different places, and there may be more of these.
    """

    log_evidence: float
    inclusion: FloatArray
    probability: FloatArray
    prior_ess: float
    capped: dict[int, int]
    rope: float
    graph_ess: float
    spread: float
    _children: tuple[Child, ...] = field(repr=False)
    _graphs: GraphSampler = field(repr=False)
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
        mechanism_prior: NormalInverseGamma | None = None,
        noise_laws: Sequence[NoiseLaw] = NOISE_LAWS,
        shape_unit: float = 0.0,
        seed: int = 0,
    ) -> UnknownOrderPosterior:
        """Compute the posterior.

        Args:
            z: Node values, (subject, node), in any units.
            allowed: Edges that may be, (child, parent); cycles among them are fine.
            prior: Prior over edges.
            rope: Strength below which an edge counts as none, in nats per subject.
            nonlinear: Whether mechanisms may bend; if not, they are straight lines.
            slab: Prior standard deviation of a straight line's slope, in standard deviations of
                the noise; several are equally probable widths of a slab that is no normal.
            required: Edges that are certain however weak they are, (child, parent). None takes
                those whose prior probability is 1 throughout.
            max_parents: Largest number of parents of a node. Without it all parent sets are
                considered up to twelve nodes; beyond, those of the sizes that make at most 6,000:
                see `capped`.
            mechanism_prior: Prior of weights and noise, in place of the one that `nonlinear` and
                `slab` describe and that leaves the direction of straight lines open.
            noise_laws: Shapes that the noise may have; `(GAUSSIAN,)` for Gaussian noise alone.
            shape_unit: Nats per subject by which graphs that imply the same independences must
                differ in fit for it to be worth a nat, see `coarsen_directions`: for nodes that are
                estimates. With 0 they are known exactly.
            seed: Of the draws, where the sum over graphs is not exact.

        Returns:
            The posterior.

        Raises:
            ModelError: If `z` is not finite or a node of it constant, `allowed` or the prior has
                another number of nodes, `rope` is negative, `max_parents` is less than the prior
                requires, or the edges that the prior makes certain form a cycle.

        Example:
            >>> rng = np.random.default_rng(0)
            >>> cause, other, noise = rng.normal(size=(3, 500))
            >>> z = np.stack([cause, other, np.tanh(2 * cause) + 0.5 * noise], axis=1)
            >>> posterior = UnknownOrderPosterior.fit(
            ...     z, ~np.eye(3, dtype=bool), EdgePriorMixture.fixed(np.full((3, 3), 0.1))
            ... )
            >>> posterior.probability.round(2) + 0.0
            array([[0., 0., 0.],
                   [0., 0., 0.],
                   [1., 0., 0.]])
        """
        statistics = sufficient_statistics(z, N_SMOOTH if nonlinear else 0)
        n_nodes = statistics.n_nodes
        question = EdgeQuestion.of(n_nodes, allowed, prior, required, max_parents).without_loops()
        if mechanism_prior is None:
            mechanism_prior = NormalInverseGamma.equivalent_for(slab)
            if not nonlinear:
                mechanism_prior = replace(mechanism_prior, smooth=LINEAR.smooth)
        can_be_summed = max(map(len, blocks_of(question.possible))) <= MAX_NODES
        children = score_children(
            statistics,
            question,
            mechanism_prior,
            rope,
            max_sets=MAX_SETS if n_nodes <= MAX_NODES else MAX_SETS_OF_CHAINS,
            reweigh=partial(
                with_noise_laws, z=z, statistics=statistics, prior=mechanism_prior, laws=noise_laws
            ),
        )
        infer = sum_graphs if can_be_summed else sample_graphs
        rng = np.random.default_rng(seed)
        graphs = infer(children, prior, question.possible, rng)
        if graphs.log_evidence == -np.inf:
            raise ModelError(
                "no acyclic graph has positive probability: the edges that the edge prior and "
                "required make certain form a cycle, or are more parents of a node than "
                "max_parents permits; make fewer edges certain"
            )
        graphs = coarsen_directions(
            graphs,
            children,
            prior,
            question.possible,
            n_subjects=statistics.n_subjects,
            unit=shape_unit,
            rng=rng,
        )
        inclusion, probability = edge_probabilities(children, graphs.set_probability)
        return cls(
            log_evidence=graphs.log_evidence,
            inclusion=inclusion,
            probability=probability,
            prior_ess=float(1 / (graphs.components**2).sum()),
            capped=size_limits(children),
            rope=float(rope),
            graph_ess=graphs.ess,
            spread=graphs.spread,
            _children=children,
            _graphs=graphs.sampler,
            _components=graphs.components,
            _prior=prior,
            _statistics=statistics,
            _mechanism_prior=mechanism_prior,
        )

    def sample(self, draws: int, rng: np.random.Generator) -> GraphDraws:
        """Draw acyclic graphs with the strengths and slopes of their edges.

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
            >>> posterior = UnknownOrderPosterior.fit(
            ...     z, ~np.eye(2, dtype=bool), EdgePriorMixture.fixed(np.full((2, 2), 0.5))
            ... )
            >>> drawn = posterior.sample(1000, rng).adjacency
            >>> bool((drawn[:, 0, 1] ^ drawn[:, 1, 0]).all())
            True
        """
        check_draws(draws)
        rows = self._graphs.sample(draws, rng)
        return draw_graphs(
            self._children, rows.T, self._statistics, self._mechanism_prior, self.rope, rng
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
