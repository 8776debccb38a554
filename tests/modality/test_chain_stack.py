"""Every chain has its own copy of a network, and runs exactly that."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from pyrocrl.errors import ModelError
from pyrocrl.modality import ChainStack

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(6, 2),
    "deep": lambda: nn.Sequential(nn.Linear(6, 5), nn.GELU(), nn.LayerNorm(5), nn.Linear(5, 2)),
    "convolution": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 6)), nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)
    ),
    "embedding of a constant": lambda: WithConstant(),
}


class WithConstant(nn.Module):
    """A network with a buffer, as positional encodings are."""

    constant: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("constant", torch.randn(6))
        self.layer = nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.layer(x * self.constant)
        return found


@pytest.mark.parametrize("name", NETWORKS)
def test_each_chain_runs_its_own_network(name: str) -> None:
    made: list[nn.Module] = []

    def make() -> nn.Module:
        made.append(NETWORKS[name]())
        return made[-1]

    stack, x = ChainStack(3, make), torch.randn(3, 10, 6)

    for chain, network in enumerate(made):
        torch.testing.assert_close(stack(x)[chain], network(x[chain]))
    assert not torch.allclose(stack(x[:1].expand(3, -1, -1))[0], stack(x[:1].expand(3, -1, -1))[1])


@pytest.mark.parametrize("name", NETWORKS)
def test_chains_learn_apart(name: str) -> None:
    stack = ChainStack(3, NETWORKS[name])

    stack(torch.randn(3, 10, 6))[1].pow(2).sum().backward()

    assert len(list(stack.parameters())) == len(list(NETWORKS[name]().parameters()))
    for parameter in stack.parameters():
        assert parameter.grad is not None
        assert len(parameter) == 3
        assert (parameter.grad[[0, 2]] == 0).all()
    moved = torch.stack(
        [p.grad.flatten(1).abs().sum(1) for p in stack.parameters() if p.grad is not None]
    )
    assert moved[:, 1].sum() > 0


def test_recurrent_networks_can_be_stacked() -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(2, 4, batch_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            states: torch.Tensor = self.lstm(x)[0]
            return states[:, -1]

    stack = ChainStack(2, Last)
    assert stack(torch.randn(2, 5, 7, 2)).shape == (2, 5, 4)


def test_a_stack_comes_back_from_its_state() -> None:
    one, other = ChainStack(2, NETWORKS["deep"]), ChainStack(2, NETWORKS["deep"])
    other.load_state_dict(one.state_dict())
    x = torch.randn(2, 4, 6)
    assert torch.equal(one(x), other(x))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: nn.Sequential(nn.Linear(6, 2), nn.BatchNorm1d(2)), "GroupNorm or LayerNorm"),
        (lambda: nn.Flatten(), "no parameters to learn"),
        (lambda: torch.relu, "must be a torch.nn.Module, not a builtin_function"),
        (lambda: nn.Linear(6, int(torch.randint(1, 10**6, ()))), "must be alike"),
    ],
)
def test_what_cannot_be_stacked_is_refused(make: Callable[[], nn.Module], complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        ChainStack(2, make)
