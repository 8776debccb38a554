"""The causal contrast rewards latents by which modalities depend on one another, by few edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

import pyrocrl as crl
from pyrocrl.guide import Encoding
from pyrocrl.training import edge_cost
from pyrocrl.training.contrast import CausalContrast, causal_contrast
from pyrocrl.training.sparsity import edge_penalty


@pytest.fixture(autouse=True)
def own_random_state() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


ORDERS = ["modality", "learned", "cyclic"]


def contrast_of(
    data: crl.MultimodalData,
    knowledge: crl.BackgroundKnowledge | None = None,
    order: str = "modality",
) -> CausalContrast:
    model = crl.MultimodalSCM(data, latents=2, chains=2, knowledge=knowledge, order=order)
    return causal_contrast(model, edge_cost(model.space.allowed, model.nodes.inner))


def encoding_of(z: Tensor) -> Encoding:
    return Encoding(z, torch.ones_like(z), torch.zeros(z.shape[1:], dtype=torch.bool), {})


IDENTITY = torch.eye(4).expand(2, 4, 4)


def trained(contrast: CausalContrast, z: Tensor, sparsity: float = 0.0, steps: int = 150) -> Tensor:
    """Loss of each chain after its critics were trained on these latents."""
    optimizer = torch.optim.Adam(contrast.parameters(), lr=2e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        contrast(encoding_of(z), IDENTITY, sparsity).sum().backward()
        optimizer.step()
    loss: Tensor = contrast(encoding_of(z), IDENTITY, sparsity)
    return loss.detach()


def pairs(subjects: int = 200) -> Tensor:
    """Two latents of one modality, and one bent effect of each in the other."""
    causes = torch.randn(subjects, 2)
    return torch.cat([causes, 1.5 * torch.tanh(2 * causes) + 0.4 * torch.randn(subjects, 2)], 1)


@pytest.mark.parametrize("order", ORDERS)
def test_it_finds_what_modalities_share(small_data: crl.MultimodalData, order: str) -> None:
    contrast = contrast_of(small_data, order=order)
    z = torch.stack([pairs(), torch.randn(200, 4)])
    loss = trained(contrast, z)
    assert loss.shape == (2,)
    assert loss[0] < loss[1] - 0.5


@pytest.mark.parametrize("order", ORDERS)
def test_the_right_turn_costs_least(small_data: crl.MultimodalData, order: str) -> None:
    angle = torch.tensor(0.8)
    turn = torch.tensor([[angle.cos(), -angle.sin()], [angle.sin(), angle.cos()]])
    z = pairs()
    turned = z @ torch.block_diag(turn, turn)
    loss = trained(contrast_of(small_data, order=order), torch.stack([z, turned]), sparsity=0.3)
    assert loss[0] < loss[1] - 0.1


def test_influence_is_where_edges_are(small_data: crl.MultimodalData) -> None:
    contrast = contrast_of(small_data)
    z = torch.stack([pairs()] * 2)
    trained(contrast, z, sparsity=0.2)
    influence = contrast.influence(z).detach()[0]
    assert influence[2, 0] > 5 * influence[2, 1]
    assert influence[3, 1] > 5 * influence[3, 0]
    assert influence[:2].abs().max() < 0.2


def test_where_the_order_is_open_effects_run_either_way(small_data: crl.MultimodalData) -> None:
    contrast = contrast_of(small_data, order="learned")
    z = pairs()[:, [0, 3, 2, 1]]
    trained(contrast, torch.stack([z, z]), sparsity=0.2)
    influence = contrast.influence(z.expand(2, -1, -1)).detach()[0]
    assert influence[2, 0] > 5 * influence[2, 1]
    assert influence[1, 3] > 5 * influence[0, 3]


def test_where_the_order_is_open_a_modality_tells_its_effects(
    small_data: crl.MultimodalData,
) -> None:
    """What a modality says and the rest say of a child differ by the child's noise alone."""
    contrast = contrast_of(small_data, order="learned")
    z = torch.randn(2, 30, 4)
    residuals = [(rest - own).abs() for own, rest in contrast.sides(z).values()]
    assert len(residuals) == 2
    assert torch.allclose(residuals[0], residuals[1], atol=1e-5)


def test_edges_that_knowledge_forbids_have_no_influence(small_data: crl.MultimodalData) -> None:
    first, second = small_data.names
    knowledge = crl.BackgroundKnowledge(tiers=[[second], [first]])
    contrast = contrast_of(small_data, knowledge)
    assert list(contrast.positions) == [first]
    influence = contrast.influence(torch.randn(2, 50, 4))
    assert float(influence.detach()[:, 2:, :2].abs().max()) == 0.0
    assert float(influence.detach()[:, :2, 2:].abs().min()) > 0.0


def test_units_of_the_latents_do_not_matter_to_the_match(small_data: crl.MultimodalData) -> None:
    contrast = contrast_of(small_data)
    z = torch.randn(2, 40, 4)
    scaled = 3 * z + 1
    one = contrast.log_match(encoding_of(z), IDENTITY)
    other = contrast.log_match(encoding_of(scaled), IDENTITY)
    assert torch.allclose(one, other, atol=1e-3)
    assert bool((one <= 0).all())


@pytest.mark.parametrize("order", ORDERS)
def test_nobody_absent_is_no_absence_at_all(small_data: crl.MultimodalData, order: str) -> None:
    contrast, z = contrast_of(small_data, order=order), pairs(256).expand(2, -1, -1)
    there = replace(encoding_of(z), absent=torch.zeros(256, 4, dtype=torch.bool))
    torch.testing.assert_close(contrast(there, IDENTITY), contrast(encoding_of(z), IDENTITY))


def lacking(z: Tensor, nodes: slice, subjects: int) -> Encoding:
    absent = torch.zeros(z.shape[1:], dtype=torch.bool)
    absent[:subjects, nodes] = True
    return replace(encoding_of(z), absent=absent)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("nodes", [slice(0, 2), slice(2, 4)])
def test_latents_of_an_absent_modality_are_never_looked_at(
    small_data: crl.MultimodalData, order: str, nodes: slice
) -> None:
    contrast, z = contrast_of(small_data, order=order), pairs().expand(2, -1, -1)
    spoilt = z.clone()
    spoilt[:, :60, nodes] = 1e3 * torch.randn(2, 60, 2)
    before = contrast(lacking(z, nodes, 60), IDENTITY, 0.1)
    torch.testing.assert_close(contrast(lacking(spoilt, nodes, 60), IDENTITY, 0.1), before)


def test_a_subject_has_no_term_of_a_modality_that_is_absent(
    small_data: crl.MultimodalData,
) -> None:
    contrast, z = contrast_of(small_data), pairs().expand(2, -1, -1)
    lack = lacking(z, slice(2, 4), 60)
    nats = -contrast.log_match(lack, IDENTITY)
    assert bool((nats[:, :60] == 0).all())
    assert bool((nats[:, 60:] > 0).all())


def test_influence_is_priced_where_latents_are_not_for_want_of_a_modality(
    small_data: crl.MultimodalData,
) -> None:
    """Slopes at the mean, where latents of an absent modality stand, are no subject's."""
    z = pairs(256).expand(2, -1, -1)
    contrast, lack = contrast_of(small_data), lacking(z, slice(2, 4), 128)
    price = contrast(lack, IDENTITY, 1.0) - contrast(lack, IDENTITY)
    there = z[:, 128:]
    unit = (z - z.mean(1, keepdim=True)) / z.std(1, keepdim=True)
    unit[..., 2:] = (z - there.mean(1, keepdim=True))[..., 2:] / there.std(1, keepdim=True)[..., 2:]
    slopes = edge_penalty(contrast.influence(unit[:, 128:]), contrast.edge_cost)
    torch.testing.assert_close(price, slopes, rtol=1e-3, atol=1e-4)


def test_those_who_lack_a_cause_teach_how_little_they_say(small_data: crl.MultimodalData) -> None:
    """They do not keep the others from learning who belongs to whom."""
    z = pairs(400).expand(2, -1, -1)
    contrast, without = contrast_of(small_data), contrast_of(small_data)
    some = lacking(z, slice(0, 2), 120)
    for critics, encoding in ((contrast, some), (without, encoding_of(z[:, 120:]))):
        optimizer = torch.optim.Adam(critics.parameters(), lr=2e-2)
        for _ in range(150):
            optimizer.zero_grad()
            critics(encoding, IDENTITY).sum().backward()
            optimizer.step()
    nats, alone = contrast.nats, without.nats
    unit = (z - z.mean(1, keepdim=True)) / z.std(1, keepdim=True)
    with torch.no_grad():
        assert float((nats(unit[:, 120:], 128) - alone(unit[:, 120:], 128)).mean()) < 0.1
