"""Any network, with parameters of its own for every chain."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call

from pyrocrl.errors import ModelError

__all__ = ["ChainStack"]


class ChainStack(nn.Module):
    """A network for every chain: the same code, fresh parameters in each.

    The chains run one after another. On a CPU that takes convolutions half the time of
    `torch.func.vmap` or of grouped convolutions, and it takes what `vmap` refuses, such as
    `nn.LSTM`.

    Args:
        chains: number of chains.
        make: makes the network of one chain; called once for each of them.

    Raises:
        ModelError: if `make` does not make a network that can be stacked: no parameters, others at
            each call, or statistics that training changes, as those of BatchNorm.

    Example:
        >>> stack = ChainStack(3, lambda: nn.Linear(5, 2))
        >>> stack(torch.zeros(5).expand(3, 10, 5)).shape
        torch.Size([3, 10, 2])
        >>> [tuple(parameter.shape) for parameter in stack.parameters()]
        [(3, 2, 5), (3, 2)]
    """

    def __init__(self, chains: int, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        modules = [_made(make) for _ in range(chains)]
        self.chains = chains
        # In a tuple, so that torch does not count its parameters among ours.
        self._template = (modules[0],)
        self.parameter_names = [name for name, _ in modules[0].named_parameters()]
        self.buffer_names = [name for name, _ in modules[0].named_buffers()]
        self.stacked = nn.ParameterList(
            nn.Parameter(_stacked(modules, name, nn.Module.get_parameter))
            for name in self.parameter_names
        )
        for number, name in enumerate(self.buffer_names):
            buffer = _stacked(modules, name, nn.Module.get_buffer)
            self.register_buffer(f"buffer{number}", buffer, persistent=False)

    def forward(self, each: Tensor, *same: Tensor) -> Tensor:
        """Run every chain's network.

        Args:
            each: (chain, ...), what each chain's network gets first.
            same: what all of them get after it.

        Returns:
            (chain, ...).
        """
        return torch.stack(
            [
                functional_call(self._template[0], self.state_of(k), (each[k], *same))
                for k in range(self.chains)
            ]
        )

    def state_of(self, chain: int) -> dict[str, Tensor]:
        """Parameters and buffers of one chain's network, by name."""
        state = {name: p[chain] for name, p in zip(self.parameter_names, self.stacked, strict=True)}
        for number, name in enumerate(self.buffer_names):
            state[name] = self.get_buffer(f"buffer{number}")[chain]
        return state


def _made(make: Callable[[], nn.Module]) -> nn.Module:
    module = make()
    if not isinstance(module, nn.Module):
        raise ModelError(f"a network must be a torch.nn.Module, not a {type(module).__name__}")
    for name, part in module.named_modules():
        if getattr(part, "track_running_stats", False):
            raise ModelError(
                f"{type(part).__name__} {name!r} keeps statistics of the batches that it has seen, "
                "which chains cannot keep apart; use GroupNorm or LayerNorm"
            )
    if not any(True for _ in module.parameters()):
        raise ModelError(f"the network {type(module).__name__} has no parameters to learn")
    return module


def _stacked(
    modules: list[nn.Module], name: str, read: Callable[[nn.Module, str], Tensor]
) -> Tensor:
    try:
        return torch.stack([read(module, name).detach() for module in modules])
    except (AttributeError, RuntimeError) as error:
        raise ModelError(
            f"the networks of different chains must be alike, but {name!r} differs: {error}"
        ) from error
