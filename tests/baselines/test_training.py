"""One budget for all: how it is spent, and that what is missing is not learned from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pyrocrl as crl
from pyrocrl.baselines import BASELINES, Budget
from pyrocrl.baselines.training import Decoders, train


def test_every_network_has_the_same_budget() -> None:
    budgets = {getattr(baseline, "budget", Budget()) for baseline in BASELINES.values()}
    assert budgets == {Budget(steps=1500, batch=256, learning_rate=3e-3, hidden=64)}


def test_learning_rate_falls_at_the_end() -> None:
    budget = Budget(steps=100, learning_rate=1e-2)
    rates = [budget.rate(step) for step in range(100)]
    assert rates[:76] == [1e-2] * 76
    assert (np.diff(rates[75:]) < 0).all()
    assert 0 < rates[-1] < 1e-3


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"steps": 0}, "steps must be a whole number, at least 1, not 0"),
        ({"batch": 2.5}, "batch must be a whole number, at least 1, not 2.5"),
        ({"hidden": -3}, "hidden must be a whole number, at least 1, not -3"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, not 0.0"),
    ],
)
def test_bad_budgets_are_refused(setting: dict[str, Any], words: str) -> None:
    with pytest.raises(crl.ModelError, match=words):
        Budget(**setting)


def test_each_pass_sees_every_subject_once() -> None:
    seen: list[int] = []

    def loss(rows: Tensor) -> Tensor:
        seen.extend(rows.tolist())
        total: Tensor = network(torch.zeros(1, 1)).sum()
        return total

    network = nn.Linear(1, 1)
    train([network], loss, 30, Budget(steps=6, batch=10))
    assert sorted(seen[:30]) == sorted(seen[30:]) == list(range(30))
    assert seen[:30] != seen[30:]


def test_divergence_is_an_error() -> None:
    network = nn.Linear(1, 1)
    with pytest.raises(crl.ModelError, match="training of the baseline diverged"):
        train([network], lambda rows: network(torch.full((1, 1), torch.nan)).sum(), 5, Budget(3))


def test_missing_cells_do_not_count_in_the_error() -> None:
    table = np.random.default_rng(225).normal(size=(40, 3))
    table[4, 1] = np.nan
    data = crl.MultimodalData({"a": table})
    batch = data.batch()
    decoders = Decoders(data, [2], hidden=4)
    code = torch.zeros(40, 2)
    error = decoders.squared_error(batch, [code])
    batch["a"].values[4, 1] = 1e6
    assert error.shape == (40, 1)
    assert torch.equal(error, decoders.squared_error(batch, [code]))
    batch["a"].values[4, 0] += 1.0
    assert not torch.equal(error, decoders.squared_error(batch, [code]))
