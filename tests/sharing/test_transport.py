"""Partial transport: masses, gradients, and the same plan as POT's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrocrl.errors import ModelError
from pyrocrl.sharing.transport import padded, partial_transport


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10_000))
def test_no_latent_is_matched_more_than_once(rows: int, columns: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    plan = partial_transport(torch.rand(3, rows, columns, generator=generator), 0.5, iterations=400)
    assert bool((plan >= 0).all())
    assert bool((plan.sum(-1) <= 1.01).all())
    assert bool((plan.sum(-2) <= 1.01).all())


def test_cheap_matches_are_made_and_dear_ones_are_not() -> None:
    cost = torch.tensor([[0.01, 0.8, 0.9], [0.9, 0.5, 0.02], [0.7, 0.6, 0.9]])
    plan = partial_transport(cost, alone=0.15, softness=0.005, iterations=200)
    wanted = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, 0, 0]])
    torch.testing.assert_close(plan, wanted, atol=0.01, rtol=0)


def test_the_plan_is_that_of_pot() -> None:
    ot = pytest.importorskip("ot")
    cost = torch.rand(3, 4, generator=torch.Generator().manual_seed(0)).double()
    costs, row_mass, column_mass = padded(cost, alone=0.6)
    wanted = ot.sinkhorn(
        row_mass.numpy(), column_mass.numpy(), costs.numpy(), 0.05, method="sinkhorn_log"
    )
    plan = partial_transport(cost, alone=0.6, softness=0.05, iterations=500)
    np.testing.assert_allclose(plan, wanted[:-1, :-1], atol=1e-6)


def test_plans_can_be_differentiated() -> None:
    cost = torch.rand(2, 2, generator=torch.Generator().manual_seed(1)).double().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda c: partial_transport(c, alone=0.5, softness=0.2, iterations=20), cost
    )


@pytest.mark.parametrize("name", ["alone", "softness", "iterations"])
def test_numbers_must_be_positive(name: str) -> None:
    with pytest.raises(ModelError, match=name):
        partial_transport(torch.zeros(1, 1), **{name: 0})
