"""Networks that tell which rows of the modalities belong to one subject.

The better a modality's latents can be matched to the other modalities, the more they share with
them: log(subjects) plus the log probability of the right match, averaged over subjects, is a lower
bound of the mutual information I(latents of the modality; the others) in nats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pyrocrl.data import Batch, Cells, MultimodalData
from pyrocrl.modality import ChainMLP, TabularEncoder

__all__ = ["CountedMatch", "JointMatch", "given_columns", "others_of", "shared_nats"]

_HIDDEN = 64
_FEATURES = 32


def shared_nats(one: Tensor, other: Tensor) -> Tensor:
    """How well each subject is told from the others, in nats; 0 is no better than chance.

    Args:
        one: (chain, subject, feature).
        other: the same; the inner product of two rows scores their belonging together.

    Returns:
        (chain, subject), the mean of both directions of the match.

    Source: van den Oord et al. (2018), Representation learning with contrastive predictive coding,
    equation (4).

    Example:
        >>> shared_nats(torch.zeros(1, 2, 3), torch.zeros(1, 2, 3)).tolist()
        [[0.0, 0.0]]
    """
    scores = torch.bmm(one, other.mT)
    right = scores.diagonal(dim1=1, dim2=2)
    chance = math.log(scores.shape[-1])
    return right - 0.5 * (scores.logsumexp(2) + scores.logsumexp(1)) + chance


def given_columns(data: MultimodalData, batch: Batch) -> Tensor:
    """Measured variables, and which are missing where any is, (subject, column)."""
    parts = []
    for group in data:
        if group.is_variables:
            parts.append(batch[group.name].values)
            if group.has_missing:
                parts.append((~batch[group.name].observed).to(parts[-1].dtype))
    size = (batch.size, 0)
    return torch.cat(parts, -1) if parts else batch[data.names[0]].values.new_zeros(size)


class JointMatch(nn.Module):
    """An encoder for each table, trained so that each can be matched to all the others.

    Args:
        data: the measurements; only their shapes are used.
        sizes: latents of each table.
        chains: number of chains.
    """

    def __init__(self, data: MultimodalData, sizes: Mapping[str, int], chains: int) -> None:
        super().__init__()
        self.sizes = dict(sizes)
        given = given_columns(data, data.batch(slice(0, 1))).shape[1]
        total = given + sum(sizes.values())
        self.encoders = nn.ModuleList(
            TabularEncoder(chains, data[name].width, size, _HIDDEN) for name, size in sizes.items()
        )
        self.own = nn.ModuleList(
            ChainMLP(chains, [size, _HIDDEN, _FEATURES]) for size in sizes.values()
        )
        self.rest = nn.ModuleList(
            ChainMLP(chains, [total - size, _HIDDEN, _FEATURES]) for size in sizes.values()
        )

    def latents(self, batch: Batch) -> dict[str, Tensor]:
        """Latents of each table in units of the batch, (chain, subject, latent)."""
        return {
            name: _standardised(encoder(batch[name])[0])
            for name, encoder in zip(self.sizes, self.encoders, strict=True)
        }

    def forward(self, batch: Batch, given: Tensor) -> Tensor:
        """Shared nats of all tables together, (chain, subject).

        Args:
            batch: measurements of some subjects.
            given: measured variables, (subject, column).
        """
        latents = self.latents(batch)
        parts = [
            shared_nats(own(latents[name]), rest(others_of(name, latents, given)))
            for name, own, rest in zip(self.sizes, self.own, self.rest, strict=True)
        ]
        return torch.stack(parts).sum(0)

    def encoder(self, name: str) -> TabularEncoder:
        """The encoder of a table."""
        encoder = self.encoders[list(self.sizes).index(name)]
        assert isinstance(encoder, TabularEncoder)
        return encoder


def others_of(name: str, latents: Mapping[str, Tensor], given: Tensor) -> Tensor:
    """What stands opposite to a table: latents of the others, and measured variables.

    Args:
        name: the table.
        latents: of each table, (chain, subject, latent).
        given: measured variables, (subject, column).

    Returns:
        (chain, subject, column).
    """
    chains = len(latents[name])
    others = [z for other, z in latents.items() if other != name]
    return torch.cat([*others, given.expand(chains, -1, -1)], -1)


class CountedMatch(nn.Module):
    """Encoders of one table with few to many latents, matched to what others are known to hold.

    Args:
        start: an encoder of the table; the hidden layers of one of its chains are the start.
        chain: which chain.
        counts: latents of each chain.
        others: columns that stand opposite.
    """

    used: Tensor

    def __init__(self, start: TabularEncoder, chain: int, counts: list[int], others: int) -> None:
        super().__init__()
        chains, most = len(counts), max(counts)
        columns = start.network.weights[0].shape[1] // 2
        self.encoder = TabularEncoder(chains, columns, most, _HIDDEN)
        self._start_from(start.network, chain)
        # As deep as an encoder, or many latents would win by reaching the critic half bent.
        self.own = ChainMLP(chains, [most, _HIDDEN, _HIDDEN, _FEATURES])
        self.rest = ChainMLP(chains, [others, _HIDDEN, _FEATURES])
        used = torch.arange(most) < torch.tensor(counts)[:, None]
        self.register_buffer("used", used[:, None].float(), persistent=False)

    def forward(self, cells: Cells, others: Tensor) -> Tensor:
        """Shared nats of each count, (chain, subject).

        Args:
            cells: of the table.
            others: what stands opposite, (subject, column).
        """
        latents = _standardised(self.encoder(cells)[0]) * self.used
        return shared_nats(self.own(latents), self.rest(others))

    @torch.no_grad()
    def _start_from(self, network: ChainMLP, chain: int) -> None:
        for name in ("weights", "biases"):
            pairs = zip(getattr(self.encoder.network, name), getattr(network, name), strict=True)
            for mine, theirs in list(pairs)[:-1]:
                mine.copy_(theirs[chain].expand_as(mine))


def _standardised(z: Tensor) -> Tensor:
    return (z - z.mean(1, keepdim=True)) / (z.std(1, keepdim=True) + 1e-4)
