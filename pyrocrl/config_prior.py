"""The edge prior that a run's file names: any that is shipped, by its kind.

    edge_prior: {kind: spike_and_slab, probability: 0.1, slab: 2}
    edge_prior: {kind: spike_and_slab, probability: {beta: [1, 9]}}
    edge_prior: {kind: blocks, between: 0.1, within: 0.02}
    edge_prior: {kind: expert, probabilities: expert.csv, default: 0.1}
    edge_prior: {kind: hierarchical, mean: {beta: [1, 9]}, pooling: 5}
    edge_prior: {kind: scale_free, probability: 0.1, tail: 2}
    edge_prior: {kind: laplace, scale: 0.5}
    edge_prior: {kind: horseshoe, scale: 0.2}

What is left out takes its default. `{beta: [1, 9]}` is the distribution of an unknown rate: one
that all edges share, or the mean of those of pairs of modalities. The file of an expert holds
children in its first column and parents in its first row, by names of nodes or of modalities; an
empty cell states nothing.
"""

from __future__ import annotations

from inspect import signature
from typing import Any

import pyro.distributions as dist

from pyrocrl.config_file import Section
from pyrocrl.config_tables import probabilities
from pyrocrl.errors import PyrocrlError
from pyrocrl.scm import EdgePrior
from pyrocrl.scm.priors import SHIPPED

__all__ = ["edge_prior"]

_KINDS = {prior.kind: tuple(signature(prior).parameters) for prior in SHIPPED}
_RATES = (("spike_and_slab", "probability"), ("hierarchical", "mean"))


def edge_prior(top: Section) -> EdgePrior | None:
    """The edge prior of a run; None where it says nothing of it.

    Args:
        top: the whole file.

    Raises:
        ConfigError: if the kind is unknown, a key does not belong to it, or a value cannot be.
    """
    every_key = dict.fromkeys(key for keys in _KINDS.values() for key in keys)
    block = top.section("edge_prior", ("kind", *every_key))
    if block is None:
        return None
    kind = block.choice("kind", tuple(_KINDS), "spike_and_slab")
    for key in block:
        if key not in ("kind", *_KINDS[kind]):
            raise block.error(
                key, f"does not belong to {kind}, which has {', '.join(_KINDS[kind])}"
            )
    if kind == "expert" and "probabilities" not in block:
        raise block.error("probabilities", "is missing: name a .csv or .tsv file")
    values = {key: _value(block, kind, key) for key in block if key != "kind"}
    (prior,) = (prior for prior in SHIPPED if prior.kind == kind)
    try:
        return prior(**values)
    except PyrocrlError as error:
        raise top.error("edge_prior", str(error)) from error


def _value(block: Section, kind: str, key: str) -> Any:
    if key == "probabilities":
        return probabilities(block, key)
    if (kind, key) in _RATES and isinstance(block.raw(key), dict):
        return _beta(block, key)
    if (kind, key) == ("hierarchical", "mean"):
        raise block.error(key, "must be a distribution, such as {beta: [1, 9]}")
    return block.number(key, minimum=0)


def _beta(block: Section, key: str) -> dist.TorchDistribution:
    section = block.section(key, ("beta",))
    numbers = None if section is None else section.raw("beta")
    if (
        not isinstance(numbers, list)
        or len(numbers) != 2
        or not all(type(n) in (int, float) and n > 0 for n in numbers)
    ):
        raise block.error(key, "must be two positive numbers, such as {beta: [1, 9]}")
    return dist.Beta(*(float(n) for n in numbers))
