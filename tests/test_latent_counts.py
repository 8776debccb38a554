"""Latents are counted by what they share: true counts are found, and bad input is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyro
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

import pyrocrl as crl
from pyrocrl.latent_counts.matching import CountedMatch, JointMatch, given_columns, shared_nats
from pyrocrl.latent_counts.rule import judge
from pyrocrl.simulate import latent_count_case, numerical_case

COLUMNS = ["modality", "latents", "held_out", "held_out_se"]
COLUMNS += ["difference", "standard_error", "chosen"]
QUICK: dict[str, Any] = {"restarts": 1, "max_epochs": 3, "progress": False}


@pytest.fixture(scope="module")
def quick(mixed_data: crl.MultimodalData) -> crl.LatentCounts:
    """Two tables with missing cells and a group of variables, hardly trained."""
    return crl.select_latents(mixed_data, counts=[3, 1, 6], **QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [200, 201])
def test_the_true_counts_are_found(seed: int) -> None:
    data, _ = numerical_case(1, seed=seed, n_subjects=3000)
    found = crl.select_latents(data, counts=range(1, 5), progress=False)
    assert found.counts == {"m1": 2, "m2": 2}
    assert not found.warnings


@pytest.mark.slow
def test_unequal_counts_are_found() -> None:
    data, _ = latent_count_case((3, 2, 1), seed=200, n_subjects=3000)
    found = crl.select_latents(data, counts=range(1, 5), progress=False)
    assert found.counts == {"m1": 3, "m2": 2, "m3": 1}


def test_nothing_is_counted_where_nothing_is_shared() -> None:
    rng = np.random.default_rng(200)
    tables = {name: rng.normal(size=(400, 6)) for name in ("gut", "brain")}
    found = crl.select_latents(tables, counts=[1, 2, 3], progress=False, restarts=1)
    assert found.counts == {"gut": 1, "brain": 1}
    assert [warning.split(" shares ")[0] for warning in found.warnings] == ["gut", "brain"]


def test_variables_stand_opposite_and_have_no_count(quick: crl.LatentCounts) -> None:
    assert list(quick.counts) == ["labs", "scan"]


def test_one_table_is_counted_by_the_variables_that_it_tells() -> None:
    rng = np.random.default_rng(201)
    causes = rng.normal(size=(1500, 2))
    labs = causes @ rng.normal(size=(2, 5)) + 0.1 * rng.normal(size=(1500, 5))
    tables = {"labs": labs, "person": crl.Variables(causes + 0.3 * rng.normal(size=(1500, 2)))}
    found = crl.select_latents(tables, counts=[1, 2, 3], progress=False)
    assert found.counts == {"labs": 2}


def test_table_has_one_row_per_table_and_count(quick: crl.LatentCounts) -> None:
    table = quick.table
    assert list(table.columns) == COLUMNS
    # scan has five columns.
    assert table.groupby("modality")["latents"].agg(list).to_dict() == {
        "labs": [1, 3, 6],
        "scan": [1, 3],
    }
    assert (table.groupby("modality")["chosen"].sum() == 1).all()
    assert quick.counts == dict(
        zip(table.modality[table.chosen], table.latents[table.chosen], strict=True)
    )


def test_the_fewest_latents_that_lose_next_to_nothing_are_chosen(quick: crl.LatentCounts) -> None:
    for _, own in quick.table.groupby("modality"):
        best, error = own.loc[own.held_out.idxmax(), ["held_out", "held_out_se"]]
        assert own.difference.to_numpy() == pytest.approx(own.held_out.to_numpy() - best)
        assert (own.standard_error[own.difference < 0] > 0).all()
        enough = -own.difference <= np.maximum(own.standard_error, 0.02 * best)
        nothing = best < max(0.02, 2 * error)
        smallest = own.latents.min() if nothing else own.latents[enough].min()
        assert own.latents[own.chosen].item() == smallest


def test_one_seed_decides_everything(small_data: crl.MultimodalData) -> None:
    first = crl.select_latents(small_data, counts=[1, 2], seed=7, **QUICK)
    other = crl.select_latents(small_data, counts=[1, 2], seed=8, **QUICK)
    torch.manual_seed(1)
    again = crl.select_latents(small_data, counts=[1, 2], seed=7, **QUICK)
    pd.testing.assert_frame_equal(first.table, again.table, check_exact=True)
    assert not first.table.equals(other.table)


def test_no_trace_is_left(small_data: crl.MultimodalData) -> None:
    torch.manual_seed(3)
    state = torch.random.get_rng_state()
    before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    crl.select_latents(small_data, counts=[1, 2], **QUICK)
    assert torch.equal(state, torch.random.get_rng_state())
    assert np.array_equal(before, np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002
    assert len(pyro.get_param_store()) == 0


def test_a_mapping_of_tables_is_data(small_data: crl.MultimodalData) -> None:
    tables = {name: small_data.frame(name) for name in small_data.names}
    one = crl.select_latents(tables, counts=[1, 2], **QUICK)
    other = crl.select_latents(crl.MultimodalData(tables), counts=[1, 2], **QUICK)
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)


def test_the_counts_go_into_a_fit(
    small_data: crl.MultimodalData,
) -> None:
    found = crl.select_latents(small_data, counts=[1, 2], **QUICK)
    options: dict[str, Any] = {"max_epochs": 1, "restarts": 1, "progress": False}
    posterior = crl.fit(small_data, latents=found.counts, **options)
    assert posterior.latents().sizes["latent"] == sum(found.counts.values())


def test_any_name_of_a_modality_will_do(small_data: crl.MultimodalData) -> None:
    tables = {"forward": small_data.frame("m1"), "keys": small_data.frame("m2")}
    found = crl.select_latents(tables, counts=[1, 2], **QUICK)
    assert list(found.counts) == ["forward", "keys"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"counts": []}, "counts is empty"),
        ({"counts": 3}, "counts must be numbers of latents"),
        ({"counts": [1, 0]}, "whole numbers from 1 on, not 0"),
        ({"counts": [1, 2.5]}, "whole numbers from 1 on, not 2.5"),
        ({"counts": [True]}, "whole numbers from 1 on, not True"),
        ({"counts": "12"}, "whole numbers from 1 on, not '1'"),
        ({"counts": [16]}, "'m1' has 15 columns"),
        ({"restarts": 0}, "restarts"),
        ({"seed": -1}, "seed"),
        ({"max_epochs": 0}, "max_epochs"),
        ({"device": "abacus"}, "device 'abacus'"),
    ],
)
def test_bad_arguments_are_refused(
    small_data: crl.MultimodalData, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(crl.ModelError, match=message):
        crl.select_latents(small_data, **{"progress": False, **arguments})


def test_data_without_anything_to_count_by_are_refused() -> None:
    table = np.random.default_rng(202).normal(size=(120, 4))
    with pytest.raises(crl.DataError, match="only one modality, 'labs'"):
        crl.select_latents({"labs": table})
    with pytest.raises(crl.DataError, match="Variables alone"):
        crl.select_latents({"a": crl.Variables(table), "b": crl.Variables(table[::-1].copy())})
    with pytest.raises(crl.DataError, match="too few subjects to count latents: 60"):
        crl.select_latents({"labs": table[:60], "scan": table[60:]})


def test_what_diverged_is_not_chosen() -> None:
    nats = np.random.default_rng(203).normal(1.0, 0.1, size=(3, 50))
    nats[0] = np.nan
    table = judge("labs", [1, 2, 3], nats)
    assert table.chosen.tolist() == [False, True, False]
    assert math.isnan(table.held_out[0])
    with pytest.raises(crl.ModelError, match="'labs': training diverged"):
        judge("labs", [1, 2, 3], np.full((3, 50), np.nan))


def test_more_latents_are_chosen_only_for_what_cannot_be_chance() -> None:
    noise = np.random.default_rng(204).normal(size=(2, 400))
    shared = np.array([[1.0], [1.1]]) + 0.1 * noise
    assert judge("labs", [1, 2], shared).chosen.tolist() == [False, True]
    # The same gain, but within a standard error.
    uncertain = np.array([[1.0], [1.1]]) + 2.0 * noise
    assert judge("labs", [1, 2], uncertain).chosen.tolist() == [True, False]
    # Certain, but less than two hundredths of what is shared.
    small = np.array([[1.0], [1.015]]) + 0.001 * noise
    assert judge("labs", [1, 2], small).chosen.tolist() == [True, False]


def counts_of(names: list[str], chosen: int = 2) -> crl.LatentCounts:
    rows = [
        (name, count, value, 0.03, value - 1.2, 0.02, count == chosen)
        for name in names
        for count, value in enumerate([0.8, 1.19, 1.2], start=1)
    ]
    return crl.LatentCounts(pd.DataFrame(rows, columns=COLUMNS))


def test_it_shows_itself() -> None:
    found = counts_of(["labs", "<b>"])
    assert repr(found) == "LatentCounts({'labs': 2, '<b>': 2})"
    html = found._repr_html_()
    assert "<td" in html
    assert html.count("font-weight:bold") == 2 * 4
    assert "&lt;b&gt;" in html
    assert "⚠" not in html


def test_the_largest_count_is_no_answer() -> None:
    found = counts_of(["labs"], chosen=3)
    assert found.warnings == ("labs may hold more latents than 3, the most that was tried",)
    assert found.warnings[0] in found._repr_html_()


def test_the_plot_has_a_line_for_each_table(tmp_path: Path) -> None:
    found = counts_of(["labs", "cost $US$"])
    figure = Figure()
    ax = figure.subplots()
    assert found.plot(ax) is ax
    assert not plt.get_fignums()
    texts = [text.get_text() for text in ax.get_legend().get_texts()]  # type: ignore[union-attr]
    assert texts == ["labs", r"cost \$US\$"]
    rings = [line for line in ax.lines if line.get_markersize() > 10]
    assert [list(np.asarray(ring.get_xdata())) for ring in rings] == [[2], [2]]
    figure.savefig(tmp_path / "counts.png")


def test_the_plot_makes_axes_that_a_notebook_shows() -> None:
    plt.switch_backend("agg")
    ax = counts_of(["labs"]).plot()
    assert ax in plt.gcf().axes


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_shared_nats_are_the_mutual_information(correlation: float) -> None:
    generator = torch.Generator().manual_seed(200)
    x, e = torch.randn(2, 4, 2000, generator=generator).double()
    y = correlation * x + math.sqrt(1 - correlation**2) * e
    one, other = gaussian_features(x, y, correlation)
    nats = shared_nats(one, other)
    assert nats.shape == (4, 2000)
    truth = -0.5 * math.log(1 - correlation**2)
    assert nats.mean().item() == pytest.approx(truth, abs=0.03)


def gaussian_features(
    x: torch.Tensor, y: torch.Tensor, correlation: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Features whose inner product is the log density ratio of a pair of normal variables."""
    rest = 1 - correlation**2
    bent = -0.5 * correlation**2 / rest
    one = torch.stack([correlation / rest * x, bent * x**2, torch.ones_like(x)], -1)
    return one, torch.stack([y, torch.ones_like(y), bent * y**2], -1)


@given(st.integers(2, 12), st.integers(0, 2**31))
def test_shared_nats_never_exceed_the_logarithm_of_the_subjects(subjects: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    one, other = 5 * torch.randn(2, 3, subjects, 4, generator=generator, dtype=torch.float64)
    nats = shared_nats(one, other)
    assert bool((nats <= math.log(subjects) + 1e-4).all())
    torch.testing.assert_close(nats, shared_nats(other, one))


def test_a_chain_sees_no_more_latents_than_its_count(small_data: crl.MultimodalData) -> None:
    torch.manual_seed(200)
    batch = small_data.batch()
    given = given_columns(small_data, batch)
    joint = JointMatch(small_data, {"m1": 3, "m2": 3}, chains=2)
    others = joint.latents(batch)["m2"][0]
    counted = CountedMatch(joint.encoder("m1"), 1, [1, 2, 3], others.shape[1])
    before = counted(batch["m1"], others)
    with torch.no_grad():
        counted.encoder.network.weights[-1][..., 2] += 1.0
    changed = (counted(batch["m1"], others) != before).any(1)
    assert changed.tolist() == [False, False, True]
    assert given.shape == (small_data.n_subjects, 0)
