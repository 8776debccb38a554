"""The posterior over graphs in which nodes may cause one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from pyrocrl.errors import ModelError
from pyrocrl.structure._arrays import BoolArray, FloatArray, IntArray, RealArray
from pyrocrl.structure.basis import SufficientStatistics, sufficient_statistics
from pyrocrl.structure.children import EdgeQuestion, check_draws, score_children, size_limits
from pyrocrl.structure.cycle_jacobian import CycleData
from pyrocrl.structure.cycle_scores import CycleScores
from pyrocrl.structure.cycle_search import Graph, Moves, climb, walk
from pyrocrl.structure.cycle_verdicts import CycleVerdicts
from pyrocrl.structure.draws import GraphDraws
from pyrocrl.structure.edge_prior import EdgePriorMixture
from pyrocrl.structure.graph_posterior import GraphPool, pool_chains
from pyrocrl.structure.graph_prior import GraphPrior
from pyrocrl.structure.noise_laws import NOISE_LAWS, NoiseLaw, with_noise_laws
from pyrocrl.structure.prior_clusters import cluster_components
from pyrocrl.structure.scores import LINEAR, NormalInverseGamma
from pyrocrl.structure.strength import StrengthTail

__all__ = ["CyclicPosterior"]

MAX_CYCLIC_NODES = 10
# Two thousand subjects decide on every edge beyond the usual rope; more would cost time alone.
_MAX_SUBJECTS = 2_000
# A function that a few smooth features only come near to leaves residues, and these are enough to
# make up further cycles.
_N_SMOOTH = 8
_MAX_SUMS = 16
_STARTS = 6
_CLIMBS = 4
_CHAINS = 4
_STEPS_PER_NODE = 400
_BURN_IN = 0.2
_FAR = 12.0
_UNSEEN = 1e-3


@dataclass(frozen=True, eq=False)
class CyclicPosterior:
    """The posterior over graphs given the node values, where nodes may cause one another.

    A cycle is read as an equilibrium, z = f(z) + noise, with one solution whatever the noise. The
    density of the values has then the determinant of I - df/dz as a factor, and the mechanisms of
    a cycle's nodes are fitted together; their weights are integrated out around the best ones
    (Laplace's approximation). Nodes outside cycles are scored as in `UnknownOrderPosterior`, and
    Markov chains go over the graphs.

    Bent mechanisms, or noise that is not Gaussian, tell cycles from acyclic graphs; with straight
    lines and Gaussian noise the two cannot be told apart. Besides, a probability assumes that no
    cause common to two nodes is left out and that mechanisms add up functions of single parents.
    Opposed effects around a cycle can hide it.

    Made by `fit`.

    Source: Bongers, Forre, Peters and Mooij (2021), Foundations of structural causal models with
    cycles and latent variables, for models with one solution; Mooij and Heskes (2013), Cyclic
    causal discovery from continuous equilibrium data, for the likelihood.

    Attributes:
        log_evidence: Log evidence of the standardised node values that were looked at, in nats.
        inclusion: Probability that the parent is in the child's parent set, (child, parent).
        probability: Probability that it is and that the edge is stronger than the rope,
            (child, parent).
        prior_ess: Effective number of components of the prior that are left once the data have
            weighted them.
        capped: For each child whose parent sets were limited in size: the largest size.
        rope: Strength below which an edge counts as none, in nats per subject.
        graph_ess: Effective number of drawn graphs that the answer rests on.
        spread: Largest difference between Markov chains in the inclusion of an edge.
        n_subjects: Number of subjects that were looked at.
    """

    log_evidence: float
    inclusion: FloatArray
    probability: FloatArray
    prior_ess: float
    capped: dict[int, int]
    rope: float
    graph_ess: float
    spread: float
    n_subjects: int
    _graphs: tuple[Graph, ...] = field(repr=False)
    _weights: FloatArray = field(repr=False)
    _verdicts: CycleVerdicts = field(repr=False)
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
        noise_laws: Sequence[NoiseLaw] = NOISE_LAWS,
        max_subjects: int = _MAX_SUBJECTS,
        seed: int = 0,
    ) -> CyclicPosterior:
        """Compute the posterior.

        Args:
            z: Node values, (subject, node), in any units; at most ten nodes.
            allowed: Edges that may be, (child, parent).
            prior: Prior over edges.
            rope: Strength below which an edge counts as none, in nats per subject.
            nonlinear: Whether mechanisms may bend; if not, they are straight lines.
            slab: Prior standard deviation of a straight line's slope, in standard deviations of
                the noise; several are equally probable widths of a slab that is no normal.
            required: Edges that are certain however weak they are, (child, parent). None takes
                those whose prior probability is 1 throughout.
            max_parents: Largest number of parents of a node, None for no limit.
            noise_laws: Shapes that the noise may have; `(GAUSSIAN,)` for Gaussian noise alone.
            max_subjects: With more subjects, as many as this are drawn and looked at.
            seed: Of the draws.

        Returns:
            The posterior.

        Raises:
            ModelError: If `z` is not finite, a node of it constant or it has more than ten nodes,
                `allowed` or the prior has another number of nodes, `rope` is negative, or no graph
                agrees with the prior and `max_parents`.

        Example:
            >>> rng = np.random.default_rng(0)
            >>> noise = rng.normal(size=(1000, 2))
            >>> z = np.zeros_like(noise)
            >>> for _ in range(100):  # to the equilibrium
            ...     z = 0.6 * np.tanh(1.5 * z[:, ::-1]) + noise
            >>> posterior = CyclicPosterior.fit(
            ...     z, ~np.eye(2, dtype=bool), EdgePriorMixture.fixed(np.full((2, 2), 0.1))
            ... )
            >>> posterior.probability.round(1)
            array([[0., 1.],
                   [1., 0.]])
        """
        rng = np.random.default_rng(seed)
        z = np.asarray(z, dtype=np.float64)
        n_smooth = _N_SMOOTH if nonlinear else 0
        n_nodes = sufficient_statistics(z, 0).n_nodes
        if n_nodes > MAX_CYCLIC_NODES:
            raise ModelError(
                f"graphs with cycles are searched up to {MAX_CYCLIC_NODES} nodes, but z has "
                f"{n_nodes}; use an order without cycles or fewer nodes"
            )
        if len(z) > max_subjects:
            z = z[np.sort(rng.choice(len(z), size=max_subjects, replace=False))]
        statistics = sufficient_statistics(z, n_smooth)
        question = EdgeQuestion.of(n_nodes, allowed, prior, required, max_parents).without_loops()
        mechanism_prior = NormalInverseGamma.equivalent_for(slab)
        if not nonlinear:
            mechanism_prior = replace(mechanism_prior, smooth=LINEAR.smooth)
        weigh = partial(
            with_noise_laws, z=z, statistics=statistics, prior=mechanism_prior, laws=noise_laws
        )
        children = score_children(statistics, question, mechanism_prior, rope, reweigh=weigh)

        clustered = cluster_components(prior, question.possible, _MAX_SUMS).prior
        data = CycleData.of(z, n_smooth)
        scores = CycleScores(
            children, data, mechanism_prior, noise_laws, GraphPrior(clustered, question.possible)
        )
        moves = Moves(
            question.possible,
            question.certain,
            [child.scores.sets.max_parents for child in children],
        )
        always = question.certain | (question.possible & (prior.probabilities == 1).all(axis=0))
        modes = _modes(scores, moves, always, rng)
        steps = _STEPS_PER_NODE * n_nodes
        walks = [
            walk(scores, moves, modes[k % len(modes)], steps, own)[int(_BURN_IN * steps) :]
            for k, own in enumerate(rng.spawn(_CHAINS))
        ]
        exact_prior = GraphPrior(prior, question.possible)
        graph_of_rows = {tuple(scores.rows([g])[0].tolist()): g for own in walks for g in set(own)}

        def log_joint(rows: IntArray) -> FloatArray:
            graphs = [graph_of_rows[tuple(row)] for row in rows.tolist()]
            evidence = np.array([scores.log_evidence(graph) for graph in graphs])
            return evidence + exact_prior.log_probability(scores.adjacency(graphs))

        pooled = pool_chains(children, [scores.rows(own) for own in walks], log_joint, exact_prior)
        assert isinstance(pooled.sampler, GraphPool)
        kept = pooled.sampler.largest(1 - _UNSEEN)
        graphs = tuple(graph_of_rows[tuple(row)] for row in kept.rows.tolist())
        tail = StrengthTail(len(z), mechanism_prior.posterior_shape(len(z), 0), rope)
        verdicts = CycleVerdicts(children, scores, question.certain, data.active, tail)
        probability = sum(
            weight * verdicts.probability(graph)
            for weight, graph in zip(kept.weights, graphs, strict=True)
        )
        return cls(
            log_evidence=pooled.log_evidence,
            inclusion=np.tensordot(kept.weights, scores.adjacency(graphs), axes=1).clip(0, 1),
            probability=np.clip(probability, 0, 1),
            prior_ess=float(1 / (pooled.components**2).sum()),
            capped=size_limits(children),
            rope=float(rope),
            graph_ess=pooled.ess,
            spread=pooled.spread,
            n_subjects=len(z),
            _graphs=graphs,
            _weights=kept.weights,
            _verdicts=verdicts,
            _statistics=statistics,
            _mechanism_prior=mechanism_prior,
        )

    def sample(self, draws: int, rng: np.random.Generator) -> GraphDraws:
        """Draw graphs with the strengths and slopes of their edges.

        Args:
            draws: Number of draws.
            rng: Source of randomness.

        Returns:
            The draws; their mean adjacency tends to `probability`. A graph may have cycles.

        Raises:
            ModelError: If `draws` is not a positive whole number.
        """
        check_draws(draws)
        graph = rng.choice(len(self._graphs), size=draws, p=self._weights)
        return self._verdicts.draw(
            self._graphs, graph, self._statistics, self._mechanism_prior, rng
        )


def _modes(
    scores: CycleScores, moves: Moves, always: BoolArray, rng: np.random.Generator
) -> list[Graph]:
    """The best graphs that climbing from different places leads to, best first.

    Acyclic graphs cost little: the climbs begin among these, from random ones.
    """
    tops = set()
    for _ in range(_STARTS):
        start = moves.random_acyclic(always, rng)
        top = climb(scores.acyclic, moves, start)
        tops.add(top)
    best = sorted(tops, key=lambda graph: (scores(graph), graph), reverse=True)[:_CLIMBS]
    modes = {climb(scores, moves, graph) for graph in best}
    highest = max(scores(graph) for graph in modes)
    if highest == -np.inf:
        raise ModelError(
            "no graph has positive probability: the edge prior and required make more edges "
            "certain than max_parents permits; make fewer edges certain"
        )
    near = [graph for graph in modes if scores(graph) > highest - _FAR]
    return sorted(near, key=lambda graph: (scores(graph), graph), reverse=True)
