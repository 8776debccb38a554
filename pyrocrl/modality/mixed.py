"""Tables whose columns have likelihoods of their own: encoder and decoder, family by family."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import torch
from pyro.distributions import TorchDistribution
from torch import Tensor, nn

from pyrocrl.data import Cells
from pyrocrl.likelihoods import Columnwise, Likelihood, Own
from pyrocrl.modality.mlp import ChainMLP
from pyrocrl.modality.tabular import bounded_deviation

__all__ = ["MixedDecoder", "MixedEncoder"]


class MixedEncoder(nn.Module):
    """What the likelihoods tell of the columns -> mean and standard deviation of coordinates.

    Args:
        chains: number of chains.
        likelihoods: of the columns.
        outputs: latents and noises together.
        hidden: units of each of the two hidden layers.

    Example:
        >>> from pyrocrl.likelihoods import Bernoulli, Gaussian
        >>> encoder = MixedEncoder(2, [Bernoulli(), Gaussian(), Bernoulli()], outputs=2)
        >>> loc, scale = encoder(Cells.of(torch.zeros(5, 3), torch.ones(5, 3).bool()))
        >>> loc.shape
        torch.Size([2, 5, 2])
    """

    def __init__(
        self, chains: int, likelihoods: Sequence[Likelihood], outputs: int, hidden: int = 64
    ) -> None:
        super().__init__()
        self.families = _Families(likelihoods)
        told = sum(own.features for own in likelihoods)
        self.network = ChainMLP(chains, [told + len(likelihoods), hidden, hidden, 2 * outputs])
        with torch.no_grad():
            self.network.weights[0][:, told:] = 0.0

    def forward(self, cells: Cells) -> tuple[Tensor, Tensor]:
        """Encode a batch.

        Args:
            cells: values (subject, column), as the likelihoods take them, 0 where missing.

        Returns:
            Mean and standard deviation, (chain, subject, output) each.
        """
        told = [family.told(cells) for family in self.families]
        missing = (~cells.observed).to(cells.values.dtype)
        loc, log_scale = self.network(torch.cat([*told, missing], -1)).chunk(2, -1)
        return loc, bounded_deviation(log_scale)


class MixedDecoder(nn.Module):
    """A modality's coordinates -> distribution of its columns, each of its own likelihood.

    Args:
        chains: number of chains.
        inputs: latents and noises together.
        likelihoods: of the columns.
        hidden: units of each of the two hidden layers.
        floor: smallest standard deviation of a measurement given the coordinates, see
            `pyrocrl.likelihoods.Own`.

    Example:
        >>> from pyrocrl.likelihoods import Bernoulli, Gaussian
        >>> numbers = torch.tensor([0.0, 1.0]).numpy()
        >>> likelihoods = [own.fitted(numbers, 0.5, 0.5) for own in (Bernoulli(), Gaussian())]
        >>> decoder = MixedDecoder(2, 3, likelihoods)
        >>> cells = Cells.of(torch.zeros(5, 2), torch.ones(5, 2).bool())
        >>> decoder(torch.zeros(2, 5, 2), torch.zeros(2, 5, 1), cells).batch_shape
        torch.Size([2, 5, 2])
    """

    def __init__(
        self,
        chains: int,
        inputs: int,
        likelihoods: Sequence[Likelihood],
        hidden: int = 64,
        floor: float = 0.3,
    ) -> None:
        super().__init__()
        self.families = _Families(likelihoods)
        self.free = nn.ParameterList(
            own.start.expand(chains, 1, *own.start.shape).clone() for own in self.families
        )
        self.floor = floor
        outputs = sum(own.outputs for own in likelihoods)
        self.network = ChainMLP(chains, [inputs, hidden, hidden, outputs])

    def forward(self, y: Tensor, eta: Tensor, cells: Cells) -> TorchDistribution:
        """Distribution of every cell, batch shape (chain, subject, column)."""
        network = self.network(torch.cat([y, eta], -1))
        outputs = network.split([family.outputs for family in self.families], -1)
        parts = [
            (family.columns, family.distribution(own, free, self.floor))
            for family, own, free in zip(self.families, outputs, self.free, strict=True)
        ]
        return parts[0][1] if len(parts) == 1 else Columnwise(parts)


class _Family(nn.Module):
    """Columns whose distributions are computed together.

    Args:
        columns: their positions.
        likelihoods: of these columns, alike.
    """

    columns: Tensor
    centre: Tensor
    spread: Tensor
    start: Tensor

    def __init__(self, columns: Sequence[int], likelihoods: Sequence[Likelihood]) -> None:
        super().__init__()
        self.likelihood, self.width = likelihoods[0], len(columns)
        self.outputs = self.width * self.likelihood.outputs
        for name, value in (
            ("columns", torch.tensor(columns)),
            ("centre", torch.tensor([own.centre for own in likelihoods])),
            ("spread", torch.tensor([own.spread for own in likelihoods])),
            ("start", torch.tensor([own.free for own in likelihoods])),
        ):
            self.register_buffer(name, value, persistent=False)

    def told(self, cells: Cells) -> Tensor:
        """What the encoder is told, 0 where missing, (subject, own column * feature)."""
        seen = cells.observed[:, self.columns].unsqueeze(-1)
        told = self.likelihood.told(cells.values[:, self.columns], self._own(self.start, 0.0))
        return (told * seen).flatten(1)

    def distribution(self, network: Tensor, free: Tensor, floor: float) -> TorchDistribution:
        """Distribution of cells, batch shape (chain, subject, own column)."""
        outputs = network.unflatten(-1, (self.width, self.likelihood.outputs))
        return self.likelihood.distribution(outputs, self._own(free, floor))

    def _own(self, free: Tensor, floor: float) -> Own:
        return Own(self.centre, self.spread, free, floor)


class _Families(nn.ModuleList):
    """Columns by likelihood, in the order in which these first come."""

    def __init__(self, likelihoods: Sequence[Likelihood]) -> None:
        columns: dict[Hashable, list[int]] = {}
        for k, own in enumerate(likelihoods):
            columns.setdefault(own.alike, []).append(k)
        super().__init__(_Family(own, [likelihoods[k] for k in own]) for own in columns.values())

    def __iter__(self) -> Iterator[_Family]:
        for family in super().__iter__():
            assert isinstance(family, _Family)
            yield family
