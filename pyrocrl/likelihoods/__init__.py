"""How the columns of a table were measured: one likelihood a column."""

from __future__ import annotations

from pyrocrl.likelihoods.base import FloatArray, Likelihood, Own
from pyrocrl.likelihoods.choice import (
    LIKELIHOODS,
    Asked,
    choose,
    likelihood_from_json,
    likelihood_named,
)
from pyrocrl.likelihoods.columnwise import Columnwise
from pyrocrl.likelihoods.continuous import Continuous, Gaussian, LogNormal, StudentT
from pyrocrl.likelihoods.counts import NegativeBinomial, Poisson, check_counts, negative_binomial
from pyrocrl.likelihoods.discrete import Bernoulli, Categorical, Ordinal

__all__ = [
    "LIKELIHOODS",
    "Asked",
    "Bernoulli",
    "Categorical",
    "Columnwise",
    "Continuous",
    "FloatArray",
    "Gaussian",
    "Likelihood",
    "LogNormal",
    "NegativeBinomial",
    "Ordinal",
    "Own",
    "Poisson",
    "StudentT",
    "check_counts",
    "choose",
    "likelihood_from_json",
    "likelihood_named",
    "negative_binomial",
]
