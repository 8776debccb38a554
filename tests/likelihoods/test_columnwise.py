"""Columns of several families side by side behave as each does alone."""

from __future__ import annotations

import pyro
import pyro.distributions as dist
import torch
from hypothesis import given
from hypothesis import strategies as st
from pyro import poutine

from pyrocrl.likelihoods import Columnwise


def families(order: list[int]) -> tuple[Columnwise, list[dist.TorchDistribution]]:
    """Five columns of three families in some order, and each column's law alone."""
    rows = torch.linspace(-1, 1, 2 * 7).reshape(2, 7, 1)
    normal = dist.Normal(rows.expand(2, 7, 2), torch.tensor([[[0.5, 2.0]]]))
    coin = dist.Bernoulli(logits=rows.expand(2, 7, 2))
    count = dist.Poisson(rows.exp())
    place = torch.tensor(order).argsort()
    mixed = Columnwise([(place[:2], normal), (place[2:4], coin), (place[4:], count)])
    alone = [
        dist.Normal(normal.loc[..., 0], 0.5),
        dist.Normal(normal.loc[..., 1], 2.0),
        dist.Bernoulli(logits=rows[..., 0]),
        dist.Bernoulli(logits=rows[..., 0]),
        dist.Poisson(rows[..., 0].exp()),
    ]
    return mixed, [alone[k] for k in order]


@given(st.permutations(range(5)))
def test_every_column_has_its_own_law_in_any_order(order: list[int]) -> None:
    mixed, alone = families(order)
    values = mixed.sample()
    assert mixed.batch_shape == values.shape == (2, 7, 5)
    log_prob = mixed.log_prob(values)
    for k, law in enumerate(alone):
        torch.testing.assert_close(log_prob[..., k], law.log_prob(values[..., k]))
        torch.testing.assert_close(mixed.mean[..., k], law.mean)


def test_it_stands_in_plates_masked_and_observed() -> None:
    mixed, _ = families([0, 1, 2, 3, 4])
    seen = torch.ones(7, 5, dtype=torch.bool)
    seen[0] = False

    def model() -> None:
        with pyro.plate("chain", 2, dim=-2), pyro.plate("subject", 7, dim=-1):
            pyro.sample("x", mixed.mask(seen).to_event(1), obs=torch.ones(7, 5))

    trace = poutine.trace(model).get_trace()
    trace.compute_log_prob()
    log_prob = trace.nodes["x"]["log_prob"]
    assert log_prob.shape == (2, 7)
    assert bool((log_prob[:, 0] == 0).all())
    assert bool((log_prob[:, 1:] != 0).all())
    torch.testing.assert_close(log_prob[:, 1:], mixed.log_prob(torch.ones(5)).sum(-1)[:, 1:])


def test_it_expands_over_rows() -> None:
    one = Columnwise(
        [
            (torch.tensor([1]), dist.Normal(torch.zeros(1, 1), 1.0)),
            (torch.tensor([0]), dist.Bernoulli(torch.full((1, 1), 0.5))),
        ]
    )
    many = one.expand(torch.Size((3, 2)))
    assert many.sample((4,)).shape == (4, 3, 2)
