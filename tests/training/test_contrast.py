"""The causal contrast rewards latents by which modalities depend on one another, by few edges."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import pyrocrl as crl
from pyrocrl.guide import Encoding
from pyrocrl.training import edge_cost
from pyrocrl.training.contrast import CausalContrast, causal_contrast


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
