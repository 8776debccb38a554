"""What is missing is drawn given what is there, in the units of the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

import pyrocrl as crl
from pyrocrl.errors import DataError, ModelError
from pyrocrl.posterior.imputation import resampled, systematic
from pyrocrl.posterior.regression import NodeRegression, NoiseRegression


class Chain:
    """p(z) of a -> b -> c, bent: b = tanh(2 a) + .5 e, c = b + .5 e."""

    def log_prob(self, z: Tensor) -> Tensor:
        a, b, c = z.unbind(-1)
        normal = torch.distributions.Normal(0.0, 1.0)
        log_prob: Tensor = normal.log_prob(a) + normal.log_prob((b - torch.tanh(2 * a)) / 0.5)
        total: Tensor = log_prob + normal.log_prob((c - b) / 0.5)
        return total


def draw(subjects: int) -> Tensor:
    a, e, f = torch.randn(3, subjects)
    b = torch.tanh(2 * a) + 0.5 * e
    return torch.stack([a, b, b + 0.5 * f], -1)


def test_absent_nodes_have_their_posterior_given_the_others() -> None:
    """Against sums over a grid, for a node with a parent and a child, and one with a child."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        nodes = draw(2000)
        z, grid = draw(40), torch.linspace(-5, 5, 2001)
        for position in (0, 1):
            own = torch.arange(3) == position
            regression = NodeRegression.fit(nodes[None].numpy(), None, own)
            drawn = torch.stack(list(resampled(Chain(), z[None], regression, 400)))[:, 0]
            assert torch.equal(drawn[..., ~own], z[:, ~own].expand(400, -1, -1))
            whole = z.unsqueeze(1).repeat(1, len(grid), 1)
            whole[..., position] = grid
            share = Chain().log_prob(whole).softmax(-1)
            mean = (share * grid).sum(-1)
            sd = ((share * grid**2).sum(-1) - mean**2).sqrt()
            found = drawn[..., position]
            assert float(((found.mean(0) - mean) / sd).abs().mean()) < 0.2
            assert float((found.std(0) / sd - 1).abs().mean()) < 0.2


@pytest.mark.parametrize("draws", [1, 7, 200])
def test_particles_are_drawn_as_often_as_their_chances_say(draws: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        chances = (3 * torch.randn(2, 50, 20)).softmax(-1)
        chosen = systematic(chances, draws)
        again = torch.stack([systematic(chances, draws) for _ in range(2000)])
    count = torch.nn.functional.one_hot(chosen, 20).sum(-2)
    assert float((count - draws * chances).abs().max()) < 1 + 1e-4
    # Each draw alone has these chances too, first and last alike.
    for position in (0, -1):
        often = torch.nn.functional.one_hot(again[..., position], 20).double().mean(0)
        assert float((often - chances).abs().max()) < 5 * 0.5 / 2000**0.5


def test_noises_are_drawn_as_they_go_with_the_nodes() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        z = torch.randn(2, 4000, 3)
        along = torch.stack([0.8 * z[..., 0] - 0.5, torch.zeros_like(z[..., 0])], -1)
        loc = along + 0.3 * torch.randn_like(along)
        regression = NoiseRegression.fit(z, loc, torch.full_like(loc, 0.4))
        new = torch.randn(2, 5000, 3)
        drawn = regression.draw(new)
        expected = torch.stack([0.8 * new[..., 0] - 0.5, torch.zeros_like(new[..., 0])], -1)
        rest = drawn - expected
        assert float(rest.mean(1).abs().max()) < 0.03
        assert torch.allclose(rest.std(1), torch.tensor(0.5), atol=0.03)


def test_cells_and_variables_that_are_missing(
    fitted_mixed: crl.Posterior, mixed_tables: dict[str, pd.DataFrame]
) -> None:
    imputed = fitted_mixed.impute(draws=20)
    for name, table in mixed_tables.items():
        gaps = table.isna()
        filled = imputed.frame(name)
        assert not bool(filled.isna().any().any())
        pd.testing.assert_frame_equal(filled.where(~gaps), table.astype(float), rtol=1e-4)
        drawn = imputed.draws[name]
        assert drawn.dims == ("draw", "subject", "column")
        assert drawn.sizes["draw"] == 20
        assert list(drawn.subject.values) == list(table.index[gaps.any(axis=1)])
        spread = drawn.std("draw").to_numpy()
        assert bool((spread[imputed.missing[name]] > 0).all())
        assert float(spread[~imputed.missing[name]].max()) < 1e-9
    summary = imputed.table(interval=0.8)
    assert len(summary) == sum(int(t.isna().sum().sum()) for t in mixed_tables.values())
    assert bool((summary.low <= summary["mean"]).all() and (summary["mean"] <= summary.high).all())


def test_the_same_seed_draws_the_same(fitted_mixed: crl.Posterior) -> None:
    state = torch.get_rng_state()
    one, two = (fitted_mixed.impute(draws=3).table() for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.fixture
def new_subjects(small_data: crl.MultimodalData) -> crl.MultimodalData:
    """The fitted tables, of which the first ten subjects lack the second."""
    tables = {name: small_data.frame(name) for name in small_data.names}
    return crl.MultimodalData({**tables, "m2": tables["m2"].iloc[10:]}, align="union")


def test_a_modality_that_new_subjects_lack(
    fitted: crl.Posterior, new_subjects: crl.MultimodalData
) -> None:
    imputed = fitted.impute(new_subjects, draws=40)
    assert list(imputed.draws) == ["m2"]
    assert list(imputed.draws["m2"].subject.values) == list(range(10))
    filled = imputed.frame("m2")
    measured = new_subjects["m2"].measured()
    assert filled.shape == (300, 15)
    inside = filled.iloc[:10].to_numpy()
    assert bool((np.abs(inside - np.nanmean(measured, 0)) < 5 * np.nanstd(measured, 0)).all())
    assert "m2 (10 subjects)" in repr(imputed)


def test_nothing_missing(fitted: crl.Posterior) -> None:
    imputed = fitted.impute(draws=2)
    assert imputed.draws == {}
    assert imputed.table().empty
    assert imputed.frame("m1").shape == (300, 15)


def test_a_loaded_fit_needs_the_data(
    fitted: crl.Posterior, new_subjects: crl.MultimodalData, tmp_path: Path
) -> None:
    loaded = crl.load(fitted.save(tmp_path / "fit"))
    with pytest.raises(ModelError, match="without measurements: give impute"):
        loaded.impute()
    assert loaded.impute(new_subjects, draws=2).frame("m2").shape == (300, 15)
    with pytest.raises(DataError, match="only 20 of 30 subjects have every modality"):
        loaded.impute(new_subjects.select(range(30)), draws=2)


@pytest.mark.parametrize("draws", [0, -1, 1.5, True])
def test_draws_that_are_no_number(fitted: crl.Posterior, draws: Any) -> None:
    with pytest.raises(ModelError, match="draws must be a whole number"):
        fitted.impute(draws=draws)


@pytest.mark.parametrize("interval", [0.0, 1.0, 2.0])
def test_intervals_that_are_none(fitted: crl.Posterior, interval: float) -> None:
    with pytest.raises(ModelError, match="interval must be between 0 and 1"):
        fitted.impute(draws=2).table(interval)


def test_a_modality_that_is_not_there(fitted: crl.Posterior) -> None:
    with pytest.raises(DataError, match="no modality 'm9'"):
        fitted.impute(draws=2).frame("m9")


def test_labels_of_subjects_may_have_a_name(
    fitted: crl.Posterior, small_data: crl.MultimodalData
) -> None:
    named = pd.RangeIndex(small_data.n_subjects, name="patient")
    tables = {name: small_data.frame(name).set_axis(named, axis=0) for name in small_data.names}
    imputed = fitted.impute(crl.MultimodalData(tables).without("m2", [3, 5]), draws=4)
    assert imputed.draws["m2"].subject.values.tolist() == [3, 5]
    assert set(imputed.table().subject) == {3, 5}
    assert imputed.frame("m2").index.equals(named)
