"""The guide: each modality's latents from that modality alone, gates with paired slabs."""

from __future__ import annotations

import numpy as np
import pyro.distributions as dist
import pytest
import torch
from pyro import poutine

import pyrocrl as crl
from pyrocrl.data import Batch, Cells
from pyrocrl.edge_guide import GatesInTurn, OpenEdges, PairedSlab, SpikeAndSlabGuide

CHAINS = 2


def pair(
    data: crl.MultimodalData, prior: object = None
) -> tuple[crl.MultimodalSCM, crl.AmortizedGuide]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        latents = {"labs": 2, "scan": 1}
        model = crl.MultimodalSCM(data, latents, edge_prior=prior, chains=CHAINS)  # type: ignore[arg-type]
        return model, crl.AmortizedGuide(model, data)


def changed(batch: Batch, name: str) -> Batch:
    """The same subjects with other values in one modality."""
    own = batch[name]
    cells = {**batch.cells, name: Cells.of(own.values + own.observed, own.observed)}
    return Batch(cells, batch.size)


@pytest.mark.parametrize("name", ["labs", "scan"])
def test_latents_are_encoded_from_their_modality_alone(
    mixed_data: crl.MultimodalData, name: str
) -> None:
    model, guide = pair(mixed_data)
    batch = mixed_data.batch(slice(0, 40))
    before, after = guide.encode(batch), guide.encode(changed(batch, name))
    for other in ("labs", "scan"):
        own = model.positions[other]
        for one, two in (
            (before.loc[..., own], after.loc[..., own]),
            (before.scale[..., own], after.scale[..., own]),
            (before.eta[other][0], after.eta[other][0]),
        ):
            assert torch.equal(one, two) == (other != name)


def test_missing_variables_are_completed_from_everything_else(
    mixed_data: crl.MultimodalData,
) -> None:
    model, guide = pair(mixed_data)
    batch = mixed_data.batch()
    own, missing = model.positions["person"], ~batch["person"].observed
    before, after = guide.encode(batch), guide.encode(changed(batch, "scan"))
    assert missing.any()
    assert not torch.isclose(before.loc[..., own], after.loc[..., own])[:, missing].any()
    measured = before.loc[..., own][:, ~missing]
    assert torch.equal(measured, batch["person"].values[~missing].expand(CHAINS, -1))
    assert torch.equal(before.known[:, own], ~missing)
    assert not before.known[:, model.positions["labs"]].any()


def test_without_missing_variables_nothing_completes(mixed_tables: dict[str, object]) -> None:
    whole = crl.MultimodalData(
        {
            "labs": mixed_tables["labs"],
            "person": crl.Variables(mixed_tables["person"].fillna(0.0)),  # type: ignore[attr-defined]
            "scan": mixed_tables["scan"],
        }
    )
    assert pair(whole)[1].completion is None


def test_edges_are_open_until_gates_are_fitted(mixed_data: crl.MultimodalData) -> None:
    model, guide = pair(mixed_data)
    assert isinstance(guide.edges, OpenEdges)
    assert guide.gate_probabilities() is None
    guide.edges = SpikeAndSlabGuide(model, guide.edges)
    gates = guide.gate_probabilities()
    assert gates is not None
    assert gates.shape == (CHAINS, 1, 5, 5)
    assert torch.equal(gates > 0, torch.from_numpy(model.space.allowed).expand_as(gates))


def test_all_edges_of_the_laplace_prior_are_there(mixed_data: crl.MultimodalData) -> None:
    model, guide = pair(mixed_data, crl.LaplaceEdges(0.2))
    assert isinstance(guide.edges, OpenEdges)
    guide.edges = SpikeAndSlabGuide(model, guide.edges)
    gates = guide.gate_probabilities()
    assert gates is not None
    assert torch.equal(gates[0, 0] > 0, torch.from_numpy(model.space.allowed))
    assert set(gates.unique().tolist()) == {0.0, 1.0}


def test_open_edges_draw_the_whole_space(mixed_data: crl.MultimodalData) -> None:
    model, guide = pair(mixed_data)
    trace = poutine.trace(guide).get_trace(mixed_data.batch(slice(0, 10)))
    drawn = trace.nodes["adjacency"]["value"]
    assert torch.equal(
        drawn.squeeze() > 0, torch.from_numpy(model.space.allowed).expand(drawn.squeeze().shape)
    )


def drawn(slab: PairedSlab) -> torch.Tensor:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return slab.rsample((4000,))


def test_slabs_are_paired_with_their_gates() -> None:
    gate = torch.tensor([[[[0.0, 0.0], [1.0, 0.0]]]])
    prior = dist.Normal(0.0, 2.0)
    slab = PairedSlab(
        gate, torch.full_like(gate, 3.0), 100 * torch.eye(2).expand(1, 1, 2, 2, 2), prior
    )
    weights = drawn(slab)
    by_edge = weights.reshape(-1, 4)
    torch.testing.assert_close(by_edge.mean(0), torch.tensor([0.0, 0, 3, 0]), atol=0.15, rtol=0)
    expected = torch.tensor([2.0, 2, 0.1, 2])
    torch.testing.assert_close(by_edge.std(0), expected, atol=0.01, rtol=0.06)
    # A closed edge costs nothing.
    cost = slab.child_log_prob(weights) - prior.log_prob(weights).sum(-1)
    assert torch.equal((cost == 0).all(0)[0, 0], torch.tensor([True, False]))
    torch.testing.assert_close(slab.log_prob(weights), slab.child_log_prob(weights).sum(-1))


@pytest.mark.parametrize("gates", [[1.0, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0]])
def test_slabs_are_those_of_a_regression_on_the_open_parents(gates: list[float]) -> None:
    rng = np.random.default_rng(0)
    parents = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 3))
    child = parents @ [0.5, 0.3, -0.4] + rng.normal(size=200)
    precision, gate = torch.from_numpy(parents.T @ parents), torch.tensor(gates).double()
    least_squares = torch.from_numpy(np.linalg.lstsq(parents, child, rcond=None)[0])
    slab = PairedSlab(gate[None], least_squares[None], precision[None], dist.Normal(0.0, 2.0))
    kept = np.flatnonzero(gates)
    expected = np.linalg.lstsq(parents[:, kept], child, rcond=None)[0]
    np.testing.assert_allclose(slab.loc[0][kept], expected, rtol=1e-6)
    value = torch.tensor([0.4, 0.2, -0.3]).double()
    closed = dist.Normal(0.0, 2.0).log_prob(value[gate == 0]).sum()
    total = closed
    if len(kept):
        total = total + dist.MultivariateNormal(
            torch.from_numpy(expected), precision_matrix=precision[kept][:, kept]
        ).log_prob(value[kept])
    torch.testing.assert_close(slab.log_prob(value[None]), total)


def test_gates_in_turn_are_a_distribution() -> None:
    rng = np.random.default_rng(1)
    logit, bond = (
        torch.from_numpy(rng.normal(size=(1, 4))),
        torch.from_numpy(rng.normal(size=(1, 4, 4))),
    )
    lowest, highest = (
        torch.tensor([[0.0, 1, 0, 0]]).double(),
        torch.tensor([[1.0, 1, 1, 0]]).double(),
    )
    gates = GatesInTurn(logit, 2 * bond, torch.full_like(logit, 0.3), lowest, highest)
    # Of the second every draw has it, of the last none.
    every = torch.cartesian_prod(*4 * [torch.tensor([0.0, 1.0]).double()]).unsqueeze(1)
    possible = every[(every[:, 0, 1] == 1) & (every[:, 0, 3] == 0)]
    probability = gates.log_prob(possible).exp()
    torch.testing.assert_close(probability.sum(), torch.tensor(1.0).double())
    expected = (probability[:, None, None] * possible).sum(0)
    torch.testing.assert_close(gates.mean, expected, atol=0.02, rtol=0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn_mean = gates.sample((4000,)).mean(0)
    torch.testing.assert_close(drawn_mean, expected, atol=0.03, rtol=0)


@pytest.fixture(scope="module")
def lacking_data(small_data: crl.MultimodalData) -> crl.MultimodalData:
    """Every third subject lacks the second modality."""
    second = small_data.frame("m2")
    return crl.MultimodalData(
        {"m1": small_data.frame("m1"), "m2": second[second.index % 3 > 0]}, align="union"
    )


def lacking_pair(data: crl.MultimodalData) -> tuple[crl.MultimodalSCM, crl.AmortizedGuide]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = crl.MultimodalSCM(data, 2, chains=CHAINS)
        return model, crl.AmortizedGuide(model, data)


def test_latents_of_an_absent_modality_are_told_by_the_others(
    lacking_data: crl.MultimodalData,
) -> None:
    model, guide = lacking_pair(lacking_data)
    batch = lacking_data.batch()
    before, after = guide.encode(batch), guide.encode(changed(batch, "m1"))
    own, gone = model.positions["m2"], ~batch["m2"].present
    assert before.absent is not None
    assert torch.equal(before.absent[:, own].all(1), gone)
    assert not bool(before.absent[:, model.positions["m1"]].any())
    moved = (before.loc[..., own] != after.loc[..., own]).all(-1)
    assert bool(moved[:, gone].all())
    assert not bool(moved[:, ~gone].any())
    mean, deviation = before.eta["m2"]
    assert bool((mean[:, gone] == 0).all())
    assert bool((deviation[:, gone] == 1).all())


def test_an_absent_modality_costs_its_latents_alone(lacking_data: crl.MultimodalData) -> None:
    """Neither measurements nor noise of what is not there have a part in the ELBO."""
    model, guide = lacking_pair(lacking_data)
    batch = lacking_data.batch()
    guide_trace = poutine.trace(guide).get_trace(batch)
    trace = poutine.trace(poutine.replay(model, guide_trace)).get_trace(batch)
    for one in (trace, guide_trace):
        one.compute_log_prob()
    gone = ~batch["m2"].present
    assert bool((trace.nodes["m2"]["unscaled_log_prob"][:, gone] == 0).all())
    torch.testing.assert_close(
        trace.nodes["m2.eta"]["unscaled_log_prob"][:, gone],
        guide_trace.nodes["m2.eta"]["unscaled_log_prob"][:, gone],
    )


def test_nothing_is_completed_where_nobody_lacks_anything(small_data: crl.MultimodalData) -> None:
    _, guide = lacking_pair(small_data)
    assert guide.completion is None
    assert guide.encode(small_data.batch()).absent is None


def test_those_who_lack_nothing_teach_what_the_others_lack(
    lacking_data: crl.MultimodalData,
) -> None:
    """The loss falls, and nothing but the completion learns from it."""
    _, guide = lacking_pair(lacking_data)
    assert guide.completion is not None
    encoding = guide.encode(lacking_data.batch())
    before = guide.completion_loss(encoding)
    before.sum().backward()
    taught = {id(p) for p in guide.completion.parameters()}
    for parameter in guide.parameters():
        moved = parameter.grad is not None and bool((parameter.grad != 0).any())
        assert moved == (id(parameter) in taught)
    optimizer = torch.optim.Adam(guide.completion.parameters(), lr=1e-2)
    for _ in range(20):
        optimizer.zero_grad()
        guide.completion_loss(encoding).sum().backward()
        optimizer.step()
    assert bool((guide.completion_loss(encoding) < before - 0.1).all())
