"""Batches pass over everybody; a chain that diverges stops no other; the best is kept."""

from __future__ import annotations

import pyro
import pytest
import torch
from torch import nn

import pyrocrl as crl
from pyrocrl.training import ChainELBO, held_out_elbo
from pyrocrl.training.loop import BestSoFar
from pyrocrl.training.steps import forget_divergence, shuffled_rows

CHAINS = 3


def pair(data: crl.MultimodalData) -> tuple[crl.MultimodalSCM, crl.AmortizedGuide]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = crl.MultimodalSCM(data, chains=CHAINS)
        return model, crl.AmortizedGuide(model, data)


def test_a_pass_takes_each_subject_at_most_once(small_data: crl.MultimodalData) -> None:
    batches = [small_data.batch(rows) for rows in shuffled_rows(small_data, 64)]
    assert [batch.size for batch in batches] == [64] * 4
    values = torch.cat([batch["m1"].values for batch in batches])
    assert len(values.unique(dim=0)) == 256
    whole = {tuple(row) for row in small_data.table("m1").values.tolist()}
    assert {tuple(row) for row in values.tolist()} <= whole


def test_gradients_of_a_diverged_chain_do_not_move_it() -> None:
    parameters = [nn.Parameter(torch.ones(3, 2)), nn.Parameter(torch.ones(3, 1, 4))]
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    assert parameters[1].grad is not None
    parameters[1].grad[1, 0, 2] = torch.nan
    forget_divergence(optimizer)
    optimizer.step()
    for parameter in parameters:
        assert (parameter[[0, 2]] == 0).all()
        assert (parameter[1] == 1).all()


def test_a_diverged_chain_leaves_the_others_as_they_would_be(
    small_data: crl.MultimodalData,
) -> None:
    trained = []
    for broken in (False, True):
        model, guide = pair(small_data)
        if broken:
            with torch.no_grad():
                guide.encoders["m1"].network.weights[0][1] = torch.nan  # type: ignore[union-attr,index]
        parameters = list({id(p): p for m in (model, guide) for p in m.parameters()}.values())
        optimizer = torch.optim.Adam(parameters, lr=1e-2)
        with torch.random.fork_rng():
            torch.manual_seed(1)
            for _ in range(3):
                optimizer.zero_grad()
                with pyro.validation_enabled(False):
                    ChainELBO().loss_and_grads(model, guide, small_data.batch())
                forget_divergence(optimizer)
                optimizer.step()
            scores = held_out_elbo(model, guide, small_data.batch())
        trained.append((parameters, scores))
    (whole, healthy), (partly, scores) = trained
    for one, other in zip(whole, partly, strict=True):
        torch.testing.assert_close(one[[0, 2]], other[[0, 2]])
    assert torch.isnan(scores[1]).all()
    torch.testing.assert_close(scores[[0, 2]], healthy[[0, 2]], atol=1e-3, rtol=1e-4)


def test_each_chain_goes_back_to_its_own_best() -> None:
    network = nn.Linear(1, 2, bias=False)
    best = BestSoFar([network])
    for epoch, score in enumerate([[0.0, torch.nan], [1.0, -5.0], [0.5, -4.0]], 1):
        with torch.no_grad():
            network.weight.fill_(float(epoch))
        best.update(torch.tensor(score), epoch)
    assert best.epoch == 3
    best.restore()
    assert network.weight.flatten().tolist() == [2.0, 3.0]


def test_nothing_is_kept_of_a_worse_epoch() -> None:
    network = nn.Linear(1, 2, bias=False)
    best = BestSoFar([network])
    best.update(torch.tensor([1.0, 1.0]), 1)
    best.update(torch.tensor([0.0, torch.nan]), 2)
    assert best.epoch == 1


def test_more_draws_make_the_held_out_elbo_steadier(small_data: crl.MultimodalData) -> None:
    model, guide = pair(small_data)
    batch = small_data.batch(slice(0, 50))
    spread = {}
    for draws in (1, 16):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            runs = [held_out_elbo(model, guide, batch, draws=draws) for _ in range(8)]
        assert runs[0].shape == (CHAINS, 50)
        spread[draws] = float(torch.stack(runs).std(0).mean())
    assert spread[16] == pytest.approx(spread[1] / 4, rel=0.5)
