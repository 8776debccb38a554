"""Encoders and decoders from any networks: every chain has its own parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pyro.distributions as dist
import torch
from torch import Tensor, nn

from pyrocrl.data import Cells
from pyrocrl.errors import ModelError
from pyrocrl.modality.chain_stack import ChainStack
from pyrocrl.modality.tabular import bounded_deviation

__all__ = ["NetworkDecoder", "NetworkEncoder", "Networks", "SteadyEncoder"]

_LOG_EXCESS = math.log(0.4)


@dataclass(frozen=True)
class Networks:
    """A modality's encoder and decoder, any two torch modules.

    The modality keeps its likelihood: normal, with a standard deviation that is learned for every
    channel of an image or series, or for every column of a table. Every restart has its own
    parameters, so the modules are made anew by a callable. Use no BatchNorm, whose statistics
    would be the chains' together.

    Args:
        encoder: `encoder(outputs)` makes a module that takes a modality's standardised values
            (subject, *shape), 0 where missing, to (subject, outputs).
        decoder: `decoder(inputs)` makes a module that takes (subject, inputs) to means of the
            standardised values, (subject, *shape).

    Example:
        >>> own = Networks(
        ...     encoder=lambda outputs: nn.Sequential(nn.Flatten(), nn.Linear(784, outputs)),
        ...     decoder=lambda inputs: nn.Sequential(
        ...         nn.Linear(inputs, 784), nn.Unflatten(1, (1, 28, 28))
        ...     ),
        ... )
        >>> own.decoder(3)(torch.zeros(5, 3)).shape
        torch.Size([5, 1, 28, 28])
    """

    encoder: Callable[[int], nn.Module]
    decoder: Callable[[int], nn.Module]

    def __post_init__(self) -> None:
        for argument in ("encoder", "decoder"):
            given = getattr(self, argument)
            if isinstance(given, nn.Module) or not callable(given):
                raise ModelError(
                    f"{argument} must be a callable that makes a new network, such as "
                    f"`lambda size: MyNetwork(size)`, not {type(given).__name__}"
                )


class NetworkEncoder(nn.Module):
    """Any network as encoder: measurements -> mean and standard deviation of the coordinates.

    Args:
        chains: number of chains.
        make: `make(outputs)` makes the network of one chain.
        outputs: latents and noises together.
        told: what the network is given of the cells, (subject, ...).

    Example:
        >>> encoder = NetworkEncoder(2, lambda n: nn.Linear(4, n), 3, lambda cells: cells.values)
        >>> loc, scale = encoder(Cells.of(torch.zeros(5, 4), torch.ones(5, 4).bool()))
        >>> loc.shape, scale.shape
        (torch.Size([2, 5, 3]), torch.Size([2, 5, 3]))
    """

    def __init__(
        self,
        chains: int,
        make: Callable[[int], nn.Module],
        outputs: int,
        told: Callable[[Cells], Tensor],
    ) -> None:
        super().__init__()
        self.network = ChainStack(chains, lambda: make(2 * outputs))
        self.make, self.told, self.outputs = make, told, outputs

    def forward(self, cells: Cells) -> tuple[Tensor, Tensor]:
        """Encode a batch.

        Returns:
            Mean and standard deviation, (chain, subject, output) each.
        """
        x = self.told(cells)
        found = self.network(x.expand(self.network.chains, *x.shape))
        if found.shape[1:] != (len(x), 2 * self.outputs):
            raise ModelError(
                f"the encoder must return (subject, outputs), here ({len(x)}, {2 * self.outputs}), "
                f"not {tuple(found.shape[1:])}"
            )
        loc, log_scale = found.chunk(2, -1)
        return loc, bounded_deviation(log_scale)

    def anew(self) -> NetworkEncoder:
        """Another one like it that has learned nothing."""
        return NetworkEncoder(self.network.chains, self.make, self.outputs, self.told)


class SteadyEncoder(nn.Module):
    """An encoder whose latents stay as they were found, beside one that learns what else to say.

    Args:
        found: the encoder that found them.
        latents: how many of its coordinates they are, the first ones.

    Example:
        >>> found = NetworkEncoder(2, lambda n: nn.Linear(4, n), 3, lambda cells: cells.values)
        >>> steady = SteadyEncoder(found, latents=2)
        >>> cells = Cells.of(torch.ones(5, 4), torch.ones(5, 4).bool())
        >>> bool((steady(cells)[0][..., :2] == found(cells)[0][..., :2]).all())
        True
    """

    def __init__(self, found: NetworkEncoder, latents: int) -> None:
        super().__init__()
        # One that began where the latents were found would know them, and tell the noises of them.
        self.found, self.rest, self.latents = found, found.anew(), latents

    def forward(self, cells: Cells) -> tuple[Tensor, Tensor]:
        """Encode a batch.

        Returns:
            Mean and standard deviation, (chain, subject, output) each; no gradient reaches the
            means of the latents.
        """
        with torch.no_grad():
            found, _ = self.found(cells)
        loc, scale = self.rest(cells)
        return torch.cat([found[..., : self.latents], loc[..., self.latents :]], -1), scale


class NetworkDecoder(nn.Module):
    """Any network as decoder: coordinates -> normal distribution of the measurements, equation (2).

    The standard deviation of the measurements is learned and never falls below a floor, as for
    tables.

    Args:
        chains: number of chains.
        make: `make(inputs)` makes the network of one chain.
        inputs: latents and noises together.
        shape: of one subject's values.
        deviation: shape of the learned standard deviation, broadcast against `shape`.
        floor: smallest standard deviation, in standard deviations of the channel.
        told: what the network is given beside the coordinates.
    """

    def __init__(
        self,
        chains: int,
        make: Callable[[int], nn.Module],
        inputs: int,
        shape: tuple[int, ...],
        deviation: tuple[int, ...],
        floor: float = 0.3,
        told: Callable[[Cells], tuple[Tensor, ...]] = lambda cells: (),
    ) -> None:
        super().__init__()
        self.network = ChainStack(chains, lambda: make(inputs))
        self.shape, self.floor, self.told = shape, floor, told
        self.log_excess = nn.Parameter(torch.full((chains, 1, *deviation), _LOG_EXCESS))

    def forward(self, y: Tensor, eta: Tensor, cells: Cells) -> dist.TorchDistribution:
        """Distribution of every cell, batch shape (chain, subject, *shape)."""
        mean = self.network(torch.cat([y, eta], -1), *self.told(cells))
        if mean.shape[2:] != self.shape:
            raise ModelError(
                f"the decoder must return (subject, *shape), here (subject, "
                f"{', '.join(map(str, self.shape))}), not {tuple(mean.shape[1:])}"
            )
        return dist.Normal(mean, self.scale())

    def scale(self) -> Tensor:
        """Standard deviation of the measurements, broadcast against (chain, subject, *shape)."""
        return (self.floor**2 + (2 * self.log_excess).exp()).sqrt()
