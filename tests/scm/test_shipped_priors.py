"""What every shipped edge prior promises: draws, prior means, collapsed posterior, fit, save."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyro
import pyro.distributions as dist
import pytest
import torch

import pyrocrl as crl
from pyrocrl.posterior.collapse import collapse
from pyrocrl.scm import BackgroundKnowledge, Nodes
from pyrocrl.scm.priors import ShippedPrior, prior_from_json, prior_to_json
from pyrocrl.scm.programs import check_in_plate
from pyrocrl.structure.program_prior import check_can_be_summed, independent_edge_mixture

NODES = Nodes(("m1.z1", "m1.z2", "m2.z1", "m2.z2"), ("m1", "m1", "m2", "m2"), (True,) * 4)
SPACE = BackgroundKnowledge().graph_space(NODES)
EXPERT = pd.DataFrame({"m1": {"m2": 0.4}, "m1.z1": {"m2": np.nan, "m2.z1": 0.8}})

# name: (prior, P(m1.z1 -> m2.z1), P(m1.z1 -> m1.z2))
PRIORS: dict[str, tuple[ShippedPrior, float, float]] = {
    "fixed": (crl.SpikeAndSlab(0.2), 0.2, 0.2),
    "shared rate": (crl.SpikeAndSlab(dist.Beta(2.0, 6.0)), 0.25, 0.25),
    "blocks": (crl.BlockEdges(between=0.3, within=0.05), 0.3, 0.05),
    "expert": (crl.ExpertEdges(EXPERT, default=0.1), 0.8, 0.1),
    "hierarchical": (crl.HierarchicalEdges(dist.Beta(2.0, 6.0)), 0.25, 0.25),
    "scale-free": (crl.ScaleFree(0.2), 0.2, 0.2),
    "laplace": (crl.LaplaceEdges(0.3), 1.0, 1.0),
    "horseshoe": (crl.Horseshoe(0.2), 1.0, 1.0),
}


@pytest.mark.parametrize("name", PRIORS)
def test_draws_are_admitted_and_have_the_stated_means(name: str) -> None:
    prior, between, within = PRIORS[name]
    check_in_plate(prior, SPACE, taken=("z", "weight"))
    chains = 4000
    with torch.random.fork_rng():
        torch.manual_seed(200)
        with pyro.plate("chain", chains, dim=-2):
            drawn = SPACE.admit(prior(SPACE)).expand(chains, 1, 4, 4)[:, 0]
    assert ((drawn == 0) | (drawn == 1)).all()
    assert not drawn.triu().any()
    assert float(drawn[:, 2, 0].mean()) == pytest.approx(between, abs=0.04)
    assert float(drawn[:, 1, 0].mean()) == pytest.approx(within, abs=0.04)


@pytest.mark.parametrize("name", PRIORS)
def test_it_enters_the_collapsed_posterior(name: str) -> None:
    prior, between, within = PRIORS[name]
    mixture = independent_edge_mixture(prior, SPACE)
    mean = np.exp(mixture.log_weights) @ mixture.probabilities.reshape(-1, 16)
    assert mean.reshape(4, 4)[2, 0] == pytest.approx(between, abs=0.03)
    assert mean.reshape(4, 4)[1, 0] == pytest.approx(within, abs=0.03)
    z = np.random.default_rng(201).normal(size=(1, 200, 4))
    z[..., 2] += 1.5 * z[..., 0]
    collapsed = collapse(z, SPACE, prior, rope=0.02, nonlinear=False, seed=0)
    assert collapsed.posteriors[0] is not None
    probability = collapsed.posteriors[0].probability
    assert probability[2, 0] > 0.9
    assert probability[3, 1] < 0.5


@pytest.mark.parametrize("name", PRIORS)
def test_it_comes_back_from_json(name: str) -> None:
    prior = PRIORS[name][0]
    stored = json.loads(json.dumps(prior_to_json(prior)))
    again = prior_from_json(stored)
    assert again is not None
    assert repr(again) == repr(prior)
    assert prior_to_json(again) == prior_to_json(prior)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRIORS)
def test_it_is_fitted_and_saved(name: str, small_data: crl.MultimodalData, tmp_path: Path) -> None:
    prior = PRIORS[name][0]
    options: dict[str, Any] = {"restarts": 1, "max_epochs": 2, "progress": False}
    posterior = crl.fit(small_data, latents=2, edge_prior=prior, **options)
    again = crl.load(posterior.save(tmp_path))
    assert again.settings["edge prior"] == repr(prior)
    pd.testing.assert_frame_equal(again.edge_table(), posterior.edge_table(), atol=1e-5)


BAD: dict[str, tuple[Any, str]] = {
    "a normal rate": (lambda: crl.SpikeAndSlab(dist.Normal(0.0, 1.0)), "number between 0 and 1"),
    "rates of many": (lambda: crl.SpikeAndSlab(dist.Beta(torch.ones(2), 9.0)), "of one number"),
    "block above one": (lambda: crl.BlockEdges(between=2), "BlockEdges: between.*not 2"),
    "mean a number": (lambda: crl.HierarchicalEdges(0.1), "mean must be a Pyro distribution"),
    "no pooling": (lambda: crl.HierarchicalEdges(pooling=0), "pooling must be positive"),
    "tail": (lambda: crl.ScaleFree(tail=-1), "tail must be positive"),
    "certain": (lambda: crl.ScaleFree(1.0), "must not be 1"),
    "scale": (lambda: crl.Horseshoe(0.0), "Horseshoe: scale must be positive"),
    "widths below zero": (
        lambda: crl.NormalScaleMixture.of(dist.Normal(0.0, 1.0)),
        "width must be the distribution of one positive number",
    ),
    "widths without quantiles": (
        lambda: crl.NormalScaleMixture.of(dist.Gamma(1.0, 1.0)),
        "with an icdf, such as dist.LogNormal",
    ),
    "no table": (lambda: crl.ExpertEdges({"a": 1}), "must be a pandas DataFrame"),
    "impossible": (lambda: crl.ExpertEdges(EXPERT * 2), "m1.z1 -> m2.z1 must be between"),
    "unknown": (lambda: crl.ExpertEdges(EXPERT.rename(index={"m2": "x"}))(SPACE), "'x'"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_prior_is_refused(case: str) -> None:
    make, says = BAD[case]
    with pytest.raises(crl.PriorError, match=says):
        make()


CERTAIN: dict[str, ShippedPrior] = {
    "laplace": crl.LaplaceEdges(),
    "horseshoe": crl.Horseshoe(),
    "a ring": crl.SpikeAndSlab(np.roll(np.eye(4), 1, axis=0)),
}


@pytest.mark.parametrize("name", CERTAIN)
def test_certain_cycles_are_refused_before_training(name: str) -> None:
    check_can_be_summed(crl.LaplaceEdges(), SPACE)
    space = BackgroundKnowledge().graph_space(NODES, "learned")
    check_can_be_summed(crl.SpikeAndSlab(np.eye(4, k=-1)), space)
    with pytest.raises(crl.PriorError, match=r"m1.z1 to m1.z2 and back.*order='learned'"):
        check_can_be_summed(CERTAIN[name], space)
