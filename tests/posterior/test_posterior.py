"""Tables, graph, draws and latents of one posterior say the same."""

from __future__ import annotations

import warnings
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import pyrocrl as crl
from pyrocrl.errors import DataError, ModelError
from pyrocrl.posterior.inference_data import import_arviz

BOTH = pytest.mark.parametrize("name", ["fitted", "fitted_mixed"])


@pytest.fixture
def posterior(name: str, request: pytest.FixtureRequest) -> crl.Posterior:
    found: crl.Posterior = request.getfixturevalue(name)
    return found


@BOTH
def test_probabilities_are_of_allowed_edges(posterior: crl.Posterior) -> None:
    p = posterior.edge_probabilities()
    assert p.index.name == "child"
    assert p.columns.name == "parent"
    assert list(p.index) == list(p.columns) == list(posterior.nodes.names)
    values = p.to_numpy()
    assert ((values >= 0) & (values <= 1)).all()
    assert (values[~posterior.allowed] == 0).all()
    # No edge runs to an earlier modality; inside one, restarts may name latents differently.
    groups = list(dict.fromkeys(posterior.nodes.groups))
    rank = np.array([groups.index(group) for group in posterior.nodes.groups])
    children, parents = np.nonzero(posterior.allowed)
    assert (rank[parents] <= rank[children]).all()


@BOTH
def test_no_draw_has_a_cycle(posterior: crl.Posterior) -> None:
    drawn = posterior.draws.adjacency.reshape(-1, *posterior.allowed.shape)
    for adjacency in np.unique(drawn, axis=0):
        graph = nx.from_numpy_array(adjacency.T.astype(int), create_using=nx.DiGraph)
        assert nx.is_directed_acyclic_graph(graph)
        assert not (adjacency & ~posterior.allowed).any()


@BOTH
def test_edge_table_agrees_with_the_probabilities(posterior: crl.Posterior) -> None:
    table, p = posterior.edge_table(), posterior.edge_probabilities()
    assert len(table) == posterior.allowed.sum()
    assert not table.duplicated(["parent", "child"]).any()
    # The most probable first; the strongest first where probabilities agree to six decimals.
    keys = pd.DataFrame({"p": table.probability.round(6), "s": table.strength.fillna(0.0)})
    assert keys.equals(keys.sort_values(["p", "s"], ascending=False, kind="stable"))
    for edge in table.itertuples():
        assert edge.probability == p.loc[edge.child, edge.parent]
    present = table[table.probability > 0.05]
    assert (present.hdi_low <= present.hdi_high).all()
    assert (present.effect_low <= present.effect_high).all()
    assert (present.strength >= posterior.rope).all()


@BOTH
def test_strength_lies_in_its_interval_and_wider_ones_hold_more(posterior: crl.Posterior) -> None:
    narrow, wide = posterior.edge_table(hdi=0.5), posterior.edge_table(hdi=0.95)
    key = ["parent", "child"]
    both = narrow.merge(wide, on=key, suffixes=("", "_wide"))
    likely = both[both.probability > 0.2]
    assert len(likely) > 0
    width, wider = likely.hdi_high - likely.hdi_low, likely.hdi_high_wide - likely.hdi_low_wide
    assert (width <= wider).all()
    assert likely.strength.between(likely.hdi_low_wide, likely.hdi_high_wide).all()


@BOTH
def test_graph_holds_the_edges_above_the_threshold(posterior: crl.Posterior) -> None:
    p = posterior.edge_probabilities()
    for threshold in (0.0, 0.3, 0.9):
        graph = posterior.graph(threshold)
        assert list(graph.nodes) == list(posterior.nodes.names)
        expected = {
            (parent, child)
            for child, row in zip(p.index, posterior.allowed, strict=True)
            for parent, allowed in zip(p.columns, row, strict=True)
            if allowed and p.loc[child, parent] >= threshold
        }
        assert set(graph.edges) == expected
        for parent, child, edge in graph.edges(data=True):
            assert edge["probability"] == p.loc[child, parent]
    for node, attributes in posterior.graph().nodes(data=True):
        assert attributes["group"] == node.split(".")[0]
        assert attributes["latent"] == node.split(".")[1].startswith("z")


@BOTH
def test_draws_agree_with_the_probabilities(posterior: crl.Posterior) -> None:
    draws = posterior.to_inference_data().posterior
    assert draws.adjacency.dims == ("chain", "draw", "child", "parent")
    assert list(draws.child.values) == list(posterior.nodes.names)
    count = draws.sizes["chain"] * draws.sizes["draw"]
    p = posterior.edge_probabilities().to_numpy()
    mean = draws.adjacency.mean(("chain", "draw")).to_numpy()
    error = np.sqrt(p * (1 - p) / count)
    assert (np.abs(mean - p) <= 5 * error + 2e-3).all()
    present = draws.adjacency.to_numpy() > 0
    assert (draws.strength.to_numpy()[~present] == 0).all()
    assert (draws.effect.to_numpy()[~present] == 0).all()
    assert (draws.strength.to_numpy()[present] >= 0).all()


@BOTH
def test_chains_are_the_restarts_that_count(posterior: crl.Posterior) -> None:
    table, inference_data = posterior.restarts, posterior.to_inference_data()
    kept = table[table.weight > 0]
    assert table.weight.sum() == pytest.approx(1.0)
    assert inference_data.posterior.chain.values.tolist() == kept.restart.tolist()
    assert posterior.best in kept.restart.tolist()
    assert table.agreement[posterior.best] == pytest.approx(1.0)
    weight = inference_data.sample_stats.weight.isel(draw=0)
    np.testing.assert_allclose(weight, kept.weight)
    assert inference_data.attrs["rope"] == posterior.rope
    assert inference_data.constant_data.modality.values.tolist() == list(posterior.nodes.groups)


@BOTH
def test_arviz_understands_the_draws(posterior: crl.Posterior) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    az = import_arviz()
    inference_data = posterior.to_inference_data()
    edge = posterior.edge_table().iloc[0]
    one = {"child": [edge.child], "parent": [edge.parent]}
    with warnings.catch_warnings():
        # One chain has no between-chain diagnostics, a certain edge no variance.
        warnings.simplefilter("ignore")
        summary = az.summary(inference_data, var_names=["adjacency", "strength"], kind="stats")
        row = summary.loc[f"adjacency[{edge.child}, {edge.parent}]"]
        assert row["mean"] == pytest.approx(edge.probability, abs=0.06)
        interval = az.hdi(inference_data, var_names=["strength"], coords=one, hdi_prob=0.9)
        assert interval.strength.sizes["hdi"] == 2
        axes = az.plot_forest(inference_data, var_names=["strength"], coords=one, combined=True)
    assert axes[0].get_figure() is not None
    pyplot.close("all")


@BOTH
def test_latents_have_named_dimensions(posterior: crl.Posterior) -> None:
    latents = posterior.latents()
    assert latents.dims == ("subject", "latent")
    names = [
        name
        for name, latent in zip(posterior.nodes.names, posterior.nodes.is_latent, strict=True)
        if latent
    ]
    assert list(latents.latent.values) == names
    assert np.isfinite(latents).all()


def test_fitted_subjects_given_again_have_their_latents(
    fitted_mixed: crl.Posterior, mixed_data: crl.MultimodalData, mixed_tables: dict[str, Any]
) -> None:
    fitted = fitted_mixed.latents()
    np.testing.assert_allclose(fitted_mixed.latents(mixed_data), fitted, atol=1e-5)
    some = {name: table.iloc[[7, 3, 200]] for name, table in mixed_tables.items()}
    some["person"] = crl.Variables(some["person"])
    again = fitted_mixed.latents(some)
    assert list(again.subject.values) == ["p7", "p3", "p200"]
    np.testing.assert_allclose(again, fitted.sel(subject=again.subject), atol=1e-4)


def test_latents_of_a_modality_need_no_other(
    fitted_mixed: crl.Posterior, mixed_tables: dict[str, Any]
) -> None:
    some: dict[str, Any] = {name: table.iloc[:40].copy() for name, table in mixed_tables.items()}
    some["scan"].loc[:] = np.nan
    some["person"] = crl.Variables(some["person"])
    again = fitted_mixed.latents(some)
    own = ["labs.z1", "labs.z2"]
    np.testing.assert_allclose(
        again.sel(latent=own), fitted_mixed.latents()[:40].sel(latent=own), atol=1e-4
    )


def test_new_subjects_with_other_columns(fitted: crl.Posterior) -> None:
    with pytest.raises(DataError, match="lacks the modalities 'm2'"):
        fitted.latents({"m1": pd.DataFrame(np.zeros((3, 15)))})


def test_loadings_are_correlations_over_observed_cells(
    fitted_mixed: crl.Posterior, mixed_tables: dict[str, pd.DataFrame]
) -> None:
    loadings = fitted_mixed.loadings()
    assert len(loadings) == 3 * (6 + 2 + 5)
    latents = fitted_mixed.latents().to_pandas()
    for row in loadings.itertuples():
        measured = mixed_tables[row.modality][row.column]
        expected = np.corrcoef(latents[row.latent][measured.notna()], measured.dropna())[0, 1]
        assert row.correlation == pytest.approx(expected, abs=1e-4)
        assert row.own == (row.latent.split(".")[0] == row.modality)


@BOTH
def test_latents_rise_with_most_of_their_columns(posterior: crl.Posterior) -> None:
    loadings = posterior.loadings()
    own = loadings[loadings.own].groupby("latent").correlation.sum()
    assert (own > -0.05).all()


@BOTH
def test_reliability_is_a_share(posterior: crl.Posterior) -> None:
    reliability = posterior.reliability()
    assert reliability.between(0, 1).all()
    assert list(reliability.index) == list(posterior.latents().latent.values)


def test_background_knowledge_is_kept(fitted_mixed: crl.Posterior) -> None:
    table = fitted_mixed.edge_table().set_index(["parent", "child"])
    required = table.loc[("labs.z1", "person.age")]
    assert required.probability == pytest.approx(1)
    assert required.direction == "required"
    assert ("person.ill", "scan.z1") not in table.index
    inside = [("labs.z1", "labs.z2"), ("labs.z2", "labs.z1")]
    assert (table.direction[inside] == "found in the data").all()
    others = table.direction.drop([("labs.z1", "person.age"), *inside])
    assert (others == "given by the order").all()
    assert (
        fitted_mixed.to_inference_data()
        .posterior.adjacency.sel(child="person.age", parent="labs.z1")
        .all()
    )


@BOTH
def test_variational_probabilities_stand_beside(posterior: crl.Posterior) -> None:
    table = posterior.edge_table()
    assert table.variational.between(0, 1).all()


@BOTH
def test_records_of_the_fit(posterior: crl.Posterior) -> None:
    history, stages = posterior.history, posterior.stages
    assert set(history.stage) <= set(stages.stage)
    assert {"stage", "epoch", "restart", "elbo", "held_out_elbo"} == set(history.columns)
    assert {"stage", "epochs", "seconds", "reason"} <= set(stages.columns)
    assert all(isinstance(value, str | int | float) for value in posterior.settings.values())
    assert posterior.settings["subjects"] == 300
    assert posterior.settings["rope"] == 0.02


def test_few_subjects_and_missing_cells_are_mentioned(fitted_mixed: crl.Posterior) -> None:
    said = " ".join(fitted_mixed.warnings)
    assert "only 300 subjects" in said
    assert "of 300 subjects for whom every variable" in said


@BOTH
def test_posterior_shows_itself(posterior: crl.Posterior) -> None:
    assert f"{len(posterior.nodes)} nodes" in repr(posterior)
    assert "<table" in posterior._repr_html_()


@BOTH
def test_the_answers_can_be_changed_without_harm(posterior: crl.Posterior) -> None:
    loadings, table = posterior.loadings(), posterior.edge_table()
    loadings["correlation"] = 0.0
    table["probability"] = 0.0
    assert (posterior.loadings().correlation != 0).any()
    assert (posterior.edge_table().probability != 0).any()


@pytest.mark.parametrize("threshold", [-0.1, 1.1, np.nan])
def test_thresholds_are_probabilities(fitted: crl.Posterior, threshold: float) -> None:
    with pytest.raises(ModelError, match="threshold must be between 0 and 1"):
        fitted.graph(threshold)


@pytest.mark.parametrize("mass", [0.0, 1.0, 90.0, np.nan])
def test_intervals_hold_a_share(fitted: crl.Posterior, mass: float) -> None:
    with pytest.raises(ModelError, match="hdi must be between 0 and 1"):
        fitted.edge_table(hdi=mass)
