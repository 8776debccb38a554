"""The evidence of nodes that cause one another: mechanisms fitted together, then integrated out.

The density of a subject's values factorises over the strongly connected parts of a graph. In each
of them, a block here, the mechanisms have to be fitted together, because of the Jacobian.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import logsumexp

from pyrocrl.structure._arrays import FloatArray, IntArray
from pyrocrl.structure.cycle_jacobian import CycleData, Jacobian
from pyrocrl.structure.cycle_nodes import GaussianNode, LawNode, NodeTerm
from pyrocrl.structure.noise_laws import GAUSSIAN, NoiseLaw, law_evidence, law_likelihood
from pyrocrl.structure.scores import NormalInverseGamma, Slab

__all__ = ["Block", "BlockFit", "SlabFit", "fit_block"]

# Nodes of a block with the parents of each, in ascending order.
Block = tuple[tuple[int, tuple[int, ...]], ...]

_NEWTON_STEPS = 25
_LAW_ROUNDS = 6
_CLOSE_ENOUGH = 1e-2
_SMALLEST_STEP = 1e-5


@dataclass(frozen=True, eq=False)
class SlabFit:
    """The mechanisms of a block under one slab of the smooth features.

    Attributes:
        weights: Posterior mode of the weights, (edge * features of an edge,).
        covariance: Their posterior covariance.
        n_features: Features of an edge.
        laws: Shape of each node's noise for which the weights are best.
        log_evidence: Log evidence of the block under this slab.
        log_likelihood: Highest log likelihood, up to a constant for every node.
    """

    weights: FloatArray
    covariance: FloatArray
    n_features: int
    laws: tuple[NoiseLaw, ...]
    log_evidence: float
    log_likelihood: float


@dataclass(frozen=True, eq=False)
class BlockFit:
    """The mechanisms of a block.

    Attributes:
        edges: Its edges, (child, parent) each.
        slabs: The fit under each slab.
    """

    edges: tuple[tuple[int, int], ...]
    slabs: tuple[SlabFit, ...]

    @property
    def log_evidence(self) -> float:
        """Log evidence in nats, slabs averaged over."""
        by_slab = [fit.log_evidence for fit in self.slabs]
        return float(logsumexp(by_slab) - np.log(len(by_slab)))

    @property
    def slab_probability(self) -> FloatArray:
        """Posterior probability of each slab."""
        by_slab = np.array([fit.log_evidence for fit in self.slabs])
        return np.asarray(np.exp(by_slab - logsumexp(by_slab)))

    @property
    def log_likelihood(self) -> float:
        """Highest log likelihood under the most probable slab, up to a constant per node."""
        return max(self.slabs, key=lambda fit: fit.log_evidence).log_likelihood


def fit_block(
    data: CycleData,
    block: Block,
    prior: NormalInverseGamma,
    laws: Sequence[NoiseLaw] = (GAUSSIAN,),
) -> BlockFit:
    """Fit the mechanisms of a block together, and integrate them out around the best.

    Where a node's residuals are better described by another law than the normal one, the block is
    fitted anew under it: in a cycle, weights that are best for Gaussian noise are wrong for other
    noise.

    Args:
        data: Features of all nodes.
        block: Nodes with their parents, within the block or before it.
        prior: Prior of weights and noise.
        laws: Shapes that the noise may have.

    Returns:
        The fit; its log evidence is comparable with the sums of `LocalScores.log_evidence`.

    Source: Tierney and Kadane (1986), Accurate approximations for posterior moments and marginal
    densities, for the integral.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> z = rng.normal(size=(500, 2)) @ np.array([[1.0, 0.5], [0.4, 1.0]])
        >>> fit = fit_block(CycleData.of(z, 5), ((0, (1,)), (1, (0,))), NormalInverseGamma())
        >>> fit.edges
        ((0, 1), (1, 0))
    """
    edges = tuple((child, parent) for child, parents in block for parent in parents)
    fits: list[SlabFit] = []
    # From bent to straight: two straight lines may be any of many, and are a poor place to begin.
    for slab in sorted(prior.slabs, key=lambda slab: -slab.smooth):
        problem = _Problem(data, block, edges, slab, prior, laws)
        if fits:
            wider = fits[-1].weights.reshape(len(edges), fits[-1].n_features)
            fits.append(problem.fit(wider[:, : problem.width].ravel(), fits[-1].laws))
        else:
            starts = [problem.fit(problem.nothing, start) for start in problem.first_laws()]
            fits.append(max(starts, key=lambda fit: fit.log_evidence))
    return BlockFit(edges, tuple(fits))


class _Problem:
    """The mechanisms of a block under one slab of the smooth features."""

    def __init__(
        self,
        data: CycleData,
        block: Block,
        edges: tuple[tuple[int, int], ...],
        slab: Slab,
        prior: NormalInverseGamma,
        laws: Sequence[NoiseLaw],
    ) -> None:
        self.width = data.features.shape[2] if slab.smooth > 0 else 1
        one_edge = np.full(self.width, 1 / slab.smooth if slab.smooth > 0 else 1.0)
        one_edge[0] = 1 / slab.linear
        n_subjects = len(data.features)
        self._nodes: list[GaussianNode] = []
        self._columns: list[IntArray] = []
        first = 0
        for child, parents in block:
            features = data.features[:, list(parents), : self.width].reshape(n_subjects, -1)
            precision = np.tile(one_edge, len(parents))
            target = data.features[:, child, 0]
            self._nodes.append(GaussianNode(target, features, precision, len(parents), prior))
            self._columns.append(np.arange(first, first + features.shape[1]))
            first += features.shape[1]
        self._jacobian = Jacobian(data, [child for child, _ in block], edges, self.width)
        self._laws = laws
        self.nothing = np.zeros(first)

    def first_laws(self) -> list[tuple[NoiseLaw, ...]]:
        """Noise to begin with: Gaussian, and what the nodes' plain regressions look like."""
        residuals = [node.residuals(node.regression()) for node in self._nodes]
        likelihood = law_likelihood(np.stack(residuals, axis=1), self._laws).sum(axis=1)
        likely = self._laws[int(likelihood.argmax())]
        firsts = dict.fromkeys([GAUSSIAN, NoiseLaw(likely.power)])
        return [(law,) * len(self._nodes) for law in firsts]

    def fit(self, weights: FloatArray, laws: tuple[NoiseLaw, ...]) -> SlabFit:
        """Fit weights and laws by turns, and integrate the weights out."""
        tried = []
        for _ in range(_LAW_ROUNDS):
            tried.append(laws)
            weights, factor = _maximise(
                self._terms(weights, laws), self._columns, self._jacobian, weights
            )
            gain, best = law_evidence(np.stack(self._residuals(weights), axis=1), self._laws)
            laws = tuple(self._laws[k] for k in best)
            if laws in tried:
                break
        log_likelihood = self._jacobian.log_det(weights)[0] + float(gain.sum())
        log_joint = log_likelihood
        for residuals in self._residuals(weights):
            log_likelihood -= 0.5 * len(residuals) * float(np.log(residuals.var()))
        for node, own in zip(self._nodes, self._columns, strict=True):
            log_joint += node.constant + node.value(weights[own])
        log_volume = 0.5 * len(weights) * np.log(2 * np.pi) - np.log(np.diagonal(factor)).sum()
        return SlabFit(
            weights=weights,
            covariance=cho_solve((factor, True), np.eye(len(weights))),
            n_features=self.width,
            laws=tried[-1],
            log_evidence=float(log_joint + log_volume),
            log_likelihood=log_likelihood,
        )

    def _residuals(self, weights: FloatArray) -> list[FloatArray]:
        pairs = zip(self._nodes, self._columns, strict=True)
        return [node.residuals(weights[own]) for node, own in pairs]

    def _terms(self, weights: FloatArray, laws: tuple[NoiseLaw, ...]) -> list[NodeTerm]:
        return [
            node if law == GAUSSIAN else LawNode(node, law, float(residuals.std()))
            for node, law, residuals in zip(
                self._nodes, laws, self._residuals(weights), strict=True
            )
        ]


def _maximise(
    terms: Sequence[NodeTerm],
    columns: Sequence[IntArray],
    jacobian: Jacobian,
    weights: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """The highest point near `weights` and the Cholesky factor of the curvature there."""

    def value(at: FloatArray) -> tuple[float, FloatArray]:
        _, log_det, matrices = jacobian.log_det(at)
        inner = sum(term.value(at[own]) for term, own in zip(terms, columns, strict=True))
        return log_det + inner, matrices

    height, matrices = value(weights)
    for _ in range(_NEWTON_STEPS):
        gradient, curvature = jacobian.derivatives(matrices, len(weights))
        diagonal = np.ones(len(weights))
        for term, own in zip(terms, columns, strict=True):
            own_gradient, own_curvature = term.derivatives(weights[own])
            gradient[own] += own_gradient
            curvature[np.ix_(own, own)] += own_curvature
            diagonal[own] += np.abs(np.diagonal(own_curvature))
        factor, raised = _factorise(curvature, diagonal)
        step = cho_solve((factor, True), gradient)
        rise = float(gradient @ step)
        if rise < _CLOSE_ENOUGH:
            if not raised:
                break
            # A saddle: go down its side.
            step, rise = np.linalg.eigh(curvature)[1][:, 0], 0.0
        length = 1.0
        while length > _SMALLEST_STEP:
            higher, there = value(weights + length * step)
            if higher > height + 1e-4 * length * rise:
                break
            length *= 0.5
        else:
            break
        weights, height, matrices = weights + length * step, higher, there
    return weights, factor


def _factorise(curvature: FloatArray, diagonal: FloatArray) -> tuple[FloatArray, bool]:
    """Cholesky factor of the curvature, raised until positive definite, and whether it was."""
    raised = 0.0
    while True:
        try:
            factor, _ = cho_factor(curvature + raised * np.diag(diagonal), lower=True)
            return np.tril(factor), raised > 0
        except LinAlgError:
            raised = max(2 * raised, 1e-3)
