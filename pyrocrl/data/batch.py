"""The rows of all modalities that one training step sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Batch", "Cells"]


@dataclass(frozen=True, eq=False)
class Cells:
    """What was measured of one modality for some subjects.

    Args:
        values: (subject, ...), as the modality's encoder and likelihood take them, standardised
            unless their kind says otherwise; 0 where missing.
        observed: False where a cell is missing; of the shape of `values`, or one that broadcasts.
        given: (subject, number), what is known beforehand and has no likelihood, such as the times
            of a series; no column where there is nothing.

    >>> cells = Cells.of(torch.zeros(4, 2), torch.tensor([[True, False]] * 3 + [[False, False]]))
    >>> cells.present.tolist(), cells.given.shape
    ([True, True, True, False], torch.Size([4, 0]))
    """

    values: Tensor
    observed: Tensor
    given: Tensor

    @classmethod
    def of(cls, values: Tensor, observed: Tensor) -> Cells:
        """Cells of a modality of which nothing is known beforehand."""
        return cls(values, observed, values.new_zeros(len(values), 0))

    @property
    def present(self) -> Tensor:
        """(subject,), False for who lacks the whole modality."""
        return self.observed.flatten(1).any(1)

    def map(self, change: Callable[[Tensor], Tensor]) -> Cells:
        """The same change to values, to what is observed and to what is given."""
        return Cells(change(self.values), change(self.observed), change(self.given))

    def take(self, rows: Tensor | slice) -> Cells:
        """The cells of these rows; those of a slice are not copied."""
        return self.map(lambda own: own[rows])


@dataclass(frozen=True, eq=False)
class Batch:
    """The cells of some subjects, per modality.

    Args:
        cells: per modality, in the order of the data.
        size: number of subjects.

    >>> batch = Batch({"labs": Cells.of(torch.zeros(4, 2), torch.ones(4, 2).bool())}, size=4)
    >>> batch.to("cpu")["labs"].values.shape
    torch.Size([4, 2])
    """

    cells: Mapping[str, Cells]
    size: int

    def __getitem__(self, name: str) -> Cells:
        return self.cells[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.cells)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        return self._map(lambda own: own.to(device), self.size)

    def repeated(self, times: int) -> Batch:
        """Every subject several times, its copies next to each other."""
        return self._map(lambda own: own.repeat_interleave(times, 0), self.size * times)

    def _map(self, change: Callable[[Tensor], Tensor], size: int) -> Batch:
        return Batch({name: own.map(change) for name, own in self.cells.items()}, size)
