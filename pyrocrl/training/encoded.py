"""What encoders that no longer change say about all subjects, and batches of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from pyrocrl.data import MultimodalData
from pyrocrl.guide import AmortizedGuide, Encoding

__all__ = ["encoded", "endless_rows", "rows_of"]


@torch.no_grad()
def encoded(guide: AmortizedGuide, parts: Sequence[MultimodalData]) -> Encoding:
    """Encode subjects, in any number of parts; their noises are left out.

    Args:
        guide: the guide.
        parts: the subjects.
    """
    said = [encoding for part in parts for encoding in guide.encode_in_parts(part)]
    absent = [one.absent for one in said if one.absent is not None]
    return Encoding(
        torch.cat([one.loc for one in said], 1),
        torch.cat([one.scale for one in said], 1),
        torch.cat([one.known for one in said], 0),
        {},
        torch.cat(absent, 0) if absent else None,
    )


def rows_of(encoding: Encoding, rows: Tensor) -> Encoding:
    """The encoding of some subjects.

    Args:
        encoding: without noises.
        rows: (subject,), their positions.
    """
    return Encoding(
        encoding.loc[:, rows],
        encoding.scale[:, rows],
        encoding.known[rows],
        {},
        None if encoding.absent is None else encoding.absent[rows],
    )


def endless_rows(n_subjects: int, size: int) -> Iterator[Tensor]:
    """Positions of the subjects of one batch after the other, shuffled anew after each pass.

    Args:
        n_subjects: number of subjects.
        size: subjects in a batch.
    """
    while True:
        shuffled = torch.randperm(n_subjects)
        yield from shuffled[: n_subjects - n_subjects % size].split(size)
