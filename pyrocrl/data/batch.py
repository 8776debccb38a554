"""The rows of all modalities that one training step sees."""

from __future__ import annotations

from dataclasses import dataclass

import torch

__all__ = ["Batch"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Standardised values of some subjects, per modality.

    Args:
        values: per modality, (subject, column), in standard deviations; 0 where missing.
        observed: per modality, (subject, column), False where a cell is missing.
        size: number of subjects.

    >>> batch = Batch({"labs": torch.zeros(4, 2)}, {"labs": torch.ones(4, 2).bool()}, size=4)
    >>> batch.to("cpu").size
    4
    """

    values: dict[str, torch.Tensor]
    observed: dict[str, torch.Tensor]
    size: int

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        return Batch(
            {name: values.to(device) for name, values in self.values.items()},
            {name: observed.to(device) for name, observed in self.observed.items()},
            self.size,
        )
