"""An edge prior where its posterior is: components drawn near it, weighted back to the prior.

With many continuous sites, hardly any of a few thousand draws from the prior agrees with the data.
Where the sites' posterior lies can be told from the edges' probabilities P alone: near the places
with high

    log p(sites) + sum over edges of P log pi + (1 - P) log(1 - pi),

pi being the edges' rates there. Importance sampling in a few rounds fits a Student t distribution
to that. Components are drawn from it and from the prior, and their weights in the mixture are the
exact ratios of densities, so that the mixture still is the prior.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import logsumexp

from pyrocrl.scm.graph_space import GraphSpace
from pyrocrl.scm.priors import EdgePrior
from pyrocrl.structure._arrays import FloatArray
from pyrocrl.structure.edge_prior import EdgePriorMixture
from pyrocrl.structure.program_run import ProgramRun, run_program

if TYPE_CHECKING:
    from scipy.stats import multivariate_t

__all__ = ["mixture_near"]

_ROUNDS = 8
_FREEDOM = 5.0
_FROM_PRIOR = 0.2
# Edges that are open widen the posterior of the rates beyond what their mean says.
_WIDER = 1.5
_POWERS = 0.8 ** np.arange(50)
_TINY = 1e-12


def mixture_near(
    prior: EdgePrior,
    space: GraphSpace,
    inclusion: FloatArray,
    *,
    draws: int = 4000,
    seed: int = 0,
) -> EdgePriorMixture:
    """An edge prior with continuous sites, its components drawn where edges have a probability.

    Args:
        prior: An edge prior with continuous sites.
        space: The possible graphs.
        inclusion: Posterior probability of each edge as far as it is known, (child, parent).
        draws: Number of components.
        seed: Of the draws; the caller's random state is left as it was.

    Returns:
        The prior as a mixture, its weights prior over proposal.

    Source: Cappe, Guillin, Marin and Robert (2004), Population Monte Carlo; Hesterberg (1995),
    Weighted average importance sampling and defensive mixture distributions.
    """
    rng = np.random.default_rng(seed)
    from_prior = int(draws * _FROM_PRIOR)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        run, log_ratio = run_program(prior, space, draws), np.zeros(draws)
        for _ in range(_ROUNDS):
            log_weights = _fit_of(run, inclusion) + log_ratio
            proposal = _around(run.places, _flattened(log_weights, run.places.shape[1]))
            near = np.asarray(proposal.rvs(draws - from_prior, random_state=rng))
            # Some draws of the prior in every round bound the weights.
            afresh = run_program(prior, space, from_prior).places
            places = np.concatenate([near.reshape(-1, afresh.shape[1]), afresh])
            run = run_program(prior, space, draws, run.split(places))
            log_proposal = np.logaddexp(
                np.log1p(-_FROM_PRIOR) + proposal.logpdf(places),
                np.log(_FROM_PRIOR) + run.log_density,
            )
            log_ratio = _finite(run.log_density - log_proposal)
    return EdgePriorMixture(run.probabilities, log_ratio - logsumexp(log_ratio))


def _fit_of(run: ProgramRun, inclusion: FloatArray) -> FloatArray:
    """How well the rates of each draw agree with the edges' probabilities, (draw,)."""
    rates = run.probabilities.clip(_TINY, 1 - _TINY)
    agreement = inclusion * np.log(rates) + (1 - inclusion) * np.log1p(-rates)
    return np.asarray(agreement.sum(axis=(1, 2)))


def _flattened(log_weights: FloatArray, dimension: int) -> FloatArray:
    """Weights, flattened until enough draws carry them to fit a covariance."""
    log_weights = _finite(log_weights)
    enough = min(10 * (dimension + 1), 0.2 * len(log_weights))
    for power in _POWERS:
        weights = np.exp(power * (log_weights - log_weights.max()))
        weights /= weights.sum()
        if 1 / (weights**2).sum() >= enough:
            break
    return np.asarray(weights)


def _around(places: FloatArray, weights: FloatArray) -> multivariate_t:
    """A Student t distribution with the mean and the widened covariance of weighted places."""
    from scipy.stats import multivariate_t

    used = np.where(np.isfinite(places), places, 0.0)
    mean = weights @ used
    apart = used - mean
    covariance = (weights[:, None] * apart).T @ apart
    ridge = 1e-3 * np.diag(np.diagonal(covariance)) + 1e-6 * np.eye(len(mean))
    shape = _WIDER * (_FREEDOM - 2) / _FREEDOM * (covariance + ridge)
    return multivariate_t(mean, shape, df=_FREEDOM)


def _finite(log_weights: FloatArray) -> FloatArray:
    return np.where(np.isfinite(log_weights), log_weights, -np.inf)
