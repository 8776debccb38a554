"""What all network baselines have in common, so that none has an edge over another.

Encoders and decoders are perceptrons with two hidden layers of 64 leaky-ReLU units, as those of
`pyrocrl.fit`; every method takes 1,500 steps of Adam on 256 subjects each, one network and no
restart, with a learning rate of 3e-3 that falls to nothing over the last quarter. Encoders are
told which cells are missing, and no loss counts them. Images and series have the networks that
`pyrocrl.fit` gives them. All of it runs on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pyrocrl.data import Batch, Cells, Modality, MultimodalData
from pyrocrl.errors import ModelError
from pyrocrl.modality import TabularEncoder, decoder_for, encoder_for
from pyrocrl.modality.mlp import ChainMLP

__all__ = ["Budget", "Decoders", "Encoders", "JointEncoder", "train"]

_DECAY_FROM = 0.75


@dataclass(frozen=True)
class Budget:
    """How large the networks of a baseline are, and how long they are trained.

    Args:
        steps: steps of the optimiser.
        batch: subjects in a step; all of them if there are fewer.
        learning_rate: of Adam, before it falls.
        hidden: units of each of the two hidden layers.

    Raises:
        ModelError: if a number is not positive, or not whole where it counts.
    """

    steps: int = 1500
    batch: int = 256
    learning_rate: float = 3e-3
    hidden: int = 64

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "hidden"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ModelError(f"{name} must be a whole number, at least 1, not {value!r}")
        if not self.learning_rate > 0:
            raise ModelError(f"learning_rate must be positive, not {self.learning_rate}")

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        left = (1 - step / self.steps) / (1 - _DECAY_FROM)
        return self.learning_rate * min(1.0, left)


class Encoders(nn.Module):
    """One encoder per modality, as in `pyrocrl.fit`.

    Args:
        data: the measurements; only their shapes and names are used.
        outputs: size of each modality's code.
        hidden: units of each hidden layer.
    """

    def __init__(self, data: MultimodalData, outputs: Sequence[int], hidden: int) -> None:
        super().__init__()
        self.names = data.names
        self.networks = nn.ModuleList(
            encoder_for(table, 1, size, hidden) for table, size in zip(data, outputs, strict=True)
        )

    def forward(self, batch: Batch) -> list[tuple[Tensor, Tensor]]:
        """Mean and standard deviation of each modality's code, (subject, output) both."""
        codes = []
        for name, network in zip(self.names, self.networks, strict=True):
            loc, scale = network(batch[name])
            codes.append((loc[0], scale[0]))
        return codes

    def means(self, batch: Batch) -> list[Tensor]:
        """Mean of each modality's code, (subject, output)."""
        return [loc for loc, _ in self(batch)]


class Decoders(nn.Module):
    """One decoder per modality, from its code to its columns.

    Args:
        data: the measurements; only their shapes are used.
        inputs: size of each modality's code.
        hidden: units of each hidden layer.
    """

    def __init__(self, data: MultimodalData, inputs: Sequence[int], hidden: int) -> None:
        super().__init__()
        self.networks = nn.ModuleList(
            _TableMeans(table, size, hidden)
            if len(table.shape) == 1
            else _ArrayMeans(table, size, hidden)
            for table, size in zip(data, inputs, strict=True)
        )

    def squared_error(self, batch: Batch, codes: Sequence[Tensor]) -> Tensor:
        """Squared error of each modality, summed over its measured cells, (subject, modality)."""
        errors = []
        for name, network, code in zip(batch, self.networks, codes, strict=True):
            error = (batch[name].values - network(code, batch[name])) ** 2
            errors.append((error * batch[name].observed).flatten(1).sum(1))
        return torch.stack(errors, 1)


class _TableMeans(nn.Module):
    """A code -> the means of a table's columns."""

    def __init__(self, table: Modality, size: int, hidden: int) -> None:
        super().__init__()
        self.network = ChainMLP(1, [size, hidden, hidden, table.width])

    def forward(self, code: Tensor, cells: Cells) -> Tensor:
        means: Tensor = self.network(code)[0]
        return means


class _ArrayMeans(nn.Module):
    """A code -> the means of an image or a series, by the decoder that `pyrocrl.fit` has."""

    def __init__(self, modality: Modality, size: int, hidden: int) -> None:
        super().__init__()
        self.decoder = decoder_for(modality, 1, size, hidden)

    def forward(self, code: Tensor, cells: Cells) -> Tensor:
        means: Tensor = self.decoder(code[None], code[None, :, :0], cells).mean[0]
        return means


class JointEncoder(nn.Module):
    """One encoder of all modalities together: tables side by side, others by networks of their own.

    Args:
        data: the measurements; only their shapes and names are used.
        outputs: size of the code.
        hidden: units of each hidden layer, for each modality.
    """

    def __init__(self, data: MultimodalData, outputs: int, hidden: int) -> None:
        super().__init__()
        wide = hidden * len(data.names)
        self.tables = [own.name for own in data if len(own.shape) == 1]
        others = [own for own in data if len(own.shape) > 1]
        self.others = nn.ModuleDict(
            {own.name: encoder_for(own, 1, hidden, hidden) for own in others}
        )
        width = sum(data[name].width for name in self.tables) + hidden * len(others)
        self.network = TabularEncoder(1, width, outputs, wide)

    def forward(self, batch: Batch) -> Tensor:
        """Means of the code, (subject, code)."""
        cells = [batch[name] for name in self.tables]
        cells += [
            Cells.of(found, torch.ones_like(found, dtype=torch.bool))
            for found in (network(batch[name])[0][0] for name, network in self.others.items())
        ]
        values = torch.cat([own.values for own in cells], 1)
        observed = torch.cat([own.observed for own in cells], 1)
        loc: Tensor = self.network(Cells.of(values, observed))[0][0]
        return loc


def train(
    networks: Sequence[nn.Module],
    loss_of: Callable[[Tensor], Tensor],
    n_subjects: int,
    budget: Budget,
) -> None:
    """Minimise a loss.

    Args:
        networks: what is trained.
        loss_of: rows of some subjects, (subject,) -> their loss, a scalar.
        n_subjects: number of subjects.
        budget: how long.

    Raises:
        ModelError: if training diverged.
    """
    parameters = [p for network in networks for p in network.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=budget.learning_rate, foreach=True)
    batches = _endless_rows(n_subjects, min(budget.batch, n_subjects))
    for step in range(budget.steps):
        optimizer.param_groups[0]["lr"] = budget.rate(step)
        loss = loss_of(next(batches))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    if not all(bool(torch.isfinite(p).all()) for p in parameters):
        raise ModelError(
            "training of the baseline diverged; look for extreme values in the data "
            "(log-transform skewed columns)"
        )


def _endless_rows(n_subjects: int, size: int) -> Iterator[Tensor]:
    """Rows in random order, pass after pass; a short rest is left out."""
    while True:
        yield from torch.randperm(n_subjects).split(size)[: n_subjects // size]
