"""Another prior, the same latents: the answer is that of a sum over graphs under that prior."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyro
import pyro.distributions as dist
import pytest
import torch
from scipy.special import expit, logit

import pyrocrl as crl
from pyrocrl.errors import DataError, ModelError, PriorError, PriorWarning
from pyrocrl.posterior import sensitivity
from pyrocrl.posterior.sensitivity import prior_sensitivity
from pyrocrl.scm import BackgroundKnowledge, Nodes
from pyrocrl.scm.priors import slab_of
from pyrocrl.scm.varied_prior import VariedPrior, varied_priors
from pyrocrl.structure.program_prior import independent_edge_mixture


def hierarchical(space: crl.GraphSpace) -> torch.Tensor:
    rate = pyro.sample("rate", dist.Beta(1.0, 4.0))
    adjacency: torch.Tensor = pyro.sample("adjacency", space.edges(rate))
    return adjacency


DEFAULT = ["sparser", "denser", "narrower slab", "wider slab"]


def table_of(posterior: crl.Posterior, *args: object) -> pd.DataFrame:
    with warnings.catch_warnings():
        # Six epochs find nothing sure: other priors may well count other restarts.
        warnings.simplefilter("ignore", PriorWarning)
        return posterior.prior_sensitivity(*args)  # type: ignore[arg-type]


def test_the_same_prior_gives_the_same_answer(fitted: crl.Posterior) -> None:
    own = fitted.model.edge_prior
    table = table_of(fitted, {"own": own, "varied by nothing": VariedPrior(own)})
    np.testing.assert_array_equal(table["own"], table["as fitted"])
    np.testing.assert_array_equal(table["varied by nothing"], table["as fitted"])
    p = fitted.edge_probabilities()
    for row in table.itertuples():
        assert row.own == p.loc[row.child, row.parent]
    assert len(table) == fitted.allowed.sum()


def test_odds_and_slabs_move_probabilities_as_they_should(fitted: crl.Posterior) -> None:
    table = table_of(fitted)
    assert list(table) == ["parent", "child", "as fitted", *DEFAULT, "difference"]
    assert (table["denser"] >= table["sparser"] - 1e-9).all()
    assert table["difference"].is_monotonic_decreasing
    assert table["difference"].iloc[0] > 0
    assert (table_of(fitted, {"none": crl.SpikeAndSlab(0.0)})["none"] == 0).all()


def test_background_knowledge_stays(fitted_mixed: crl.Posterior) -> None:
    table = table_of(fitted_mixed).set_index(["parent", "child"])
    assert list(table) == ["as fitted", *DEFAULT, "difference"]
    assert (table.loc[("labs.z1", "person.age"), ["as fitted", *DEFAULT]] > 0.999).all()
    assert ("person.ill", "scan.z1") not in table.index


def test_a_loaded_fit_needs_its_data(
    fitted: crl.Posterior, small_data: crl.MultimodalData, tmp_path: Path
) -> None:
    loaded = crl.load(fitted.save(tmp_path))
    with pytest.raises(ModelError, match="give the data that it was fitted to"):
        loaded.prior_sensitivity()
    again = table_of(loaded, None, small_data)
    pd.testing.assert_frame_equal(again, table_of(fitted), rtol=1e-4)
    with pytest.raises(DataError, match="not the subjects of the fit"):
        loaded.prior_sensitivity(data=small_data.select(range(50)))


def test_other_restarts_under_another_prior_are_told_of(
    fitted: crl.Posterior, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensitivity, "expected_cost", lambda *_: np.array([1.0, 2.0, 2.1]))
    scores = {"difference": 0.0, "difference_se": 1.0}
    others = fitted.restarts.assign(**scores, weight=[0.0, 0.5, 0.5])
    with pytest.warns(PriorWarning, match="'same' .*: 0 would count instead of 1, 2"):
        dataclasses.replace(fitted, restarts=others).prior_sensitivity(
            {"same": fitted.model.edge_prior}
        )
    # Restarts that do worse on held-out subjects count under no prior.
    worse = fitted.restarts.assign(difference=[-9.0, 0.0, 0.0], difference_se=1.0)
    fine = dataclasses.replace(fitted, restarts=worse.assign(weight=[0.0, 0.5, 0.5]))
    assert prior_sensitivity(fine, {"same": fitted.model.edge_prior}, None).notes == ()


@pytest.mark.parametrize(
    ("priors", "message"),
    [
        ({}, "mapping from a name to an edge prior"),
        ([crl.SpikeAndSlab()], "mapping from a name to an edge prior"),
        ({"parent": crl.SpikeAndSlab()}, "'parent' cannot be the name of a prior"),
        ({"dense": 0.3}, "0.3 cannot be called"),
        ({"small": crl.SpikeAndSlab(np.ones((2, 2)))}, "must be"),
    ],
)
def test_bad_priors_are_named(fitted: crl.Posterior, priors: object, message: str) -> None:
    with pytest.raises((ModelError, PriorError), match=message):
        fitted.prior_sensitivity(priors)  # type: ignore[arg-type]


SPACE = BackgroundKnowledge(
    required=[("a.x", "b.x")], probability={"a.x": {"c.x": 0.3}}
).graph_space(Nodes(("a.x", "b.x", "c.x"), ("a", "b", "c"), (False,) * 3), "modality")


@pytest.mark.parametrize("odds", [1 / 3, 3.0])
@pytest.mark.parametrize("prior", [crl.SpikeAndSlab(0.2), crl.ScaleFree(), hierarchical])
def test_odds_are_multiplied(prior: crl.EdgePrior, odds: float) -> None:
    own, varied = (
        independent_edge_mixture(p, SPACE, draws=20, seed=3).probabilities
        for p in (prior, VariedPrior(prior, odds=odds))
    )
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(varied, expit(logit(own) + np.log(odds)), atol=1e-5)
    assert (varied[:, 1, 0] == 1).all()


def test_a_prior_is_varied_where_it_has_something_to_vary() -> None:
    assert list(varied_priors(crl.SpikeAndSlab(), SPACE)) == DEFAULT
    assert list(varied_priors(crl.LaplaceEdges(), SPACE)) == DEFAULT[2:]
    assert list(varied_priors(hierarchical, SPACE)) == DEFAULT
    horseshoe = crl.Horseshoe(1.0)
    wider = varied_priors(horseshoe, SPACE)["wider slab"]
    np.testing.assert_allclose(slab_of(wider).stddev, 2 * slab_of(horseshoe).stddev)
    assert float(VariedPrior(crl.LaplaceEdges(0.5), width=2.0).slab.scale) == 1.0
