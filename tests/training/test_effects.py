"""Effects inside the causal contrast: of parents alone, added up, with the slopes they have."""

from __future__ import annotations

import pytest
import torch

from pyrocrl.training.effects import Effects

MASK = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0]])


@pytest.fixture
def effects() -> Effects:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = Effects(2, MASK).double()
        torch.nn.init.normal_(made.share)
        torch.nn.init.normal_(made.weight)
    return made


@pytest.fixture
def z() -> torch.Tensor:
    return torch.randn(2, 7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_slopes_are_derivatives(effects: Effects, z: torch.Tensor) -> None:
    subjects = z[:, :1]
    jacobian = torch.autograd.functional.jacobian(effects, subjects)
    own = torch.stack([jacobian[chain, 0, :, chain, 0] for chain in range(2)])
    torch.testing.assert_close(effects.slopes(subjects)[:, 0], own)


def test_only_parents_count(effects: Effects, z: torch.Tensor) -> None:
    assert (effects.slopes(z)[..., MASK == 0] == 0).all()
    assert (effects.slopes(z)[..., MASK == 1] != 0).all()


def test_effects_of_several_parents_add_up(effects: Effects, z: torch.Tensor) -> None:
    first, second = torch.tensor([1.0, 0, 0]).double(), torch.tensor([0, 1.0, 0]).double()
    both = effects(z + first + second) - effects(z)
    apart = effects(z + first) + effects(z + second) - 2 * effects(z)
    torch.testing.assert_close(both, apart)
