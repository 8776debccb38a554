"""`select_latents`: how many causal latents each table holds, by held-out subjects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch

from pyrocrl.data import ArrayModality, MultimodalData
from pyrocrl.errors import DataError, ModelError
from pyrocrl.latent_counts.fitting import Split, held_out_nats, shared_latents
from pyrocrl.latent_counts.result import LatentCounts
from pyrocrl.latent_counts.rule import judge
from pyrocrl.pipeline import chosen_device
from pyrocrl.settings import FitSettings
from pyrocrl.training import hold_out
from pyrocrl.training.progress import Bars, Silence

__all__ = ["select_latents"]

_FEWEST_SUBJECTS = 100


def select_latents(
    data: MultimodalData | Mapping[str, Any],
    counts: Iterable[int] = range(1, 6),
    *,
    seed: int = 0,
    restarts: int = 2,
    progress: bool = True,
    max_epochs: int | None = None,
    device: str | torch.device | None = None,
) -> LatentCounts:
    """Count the causal latents of each table: as many as it takes to tell the others all it can.

    What a table's latents share with the other modalities, in nats, rises with their number until
    the true one, and then no more. It is measured by how well held-out subjects are told apart: an
    encoder of the table with a given number of outputs is matched to the latents of all the others,
    which are found first, together, with the largest number. The smallest number is chosen that
    loses no more than 2 % of the best one's nats, or one standard error of the difference; the
    smallest of all where the best shares less than .02 nats or two of its standard errors.

    Latents can be counted only by what they share. A cause that touches one modality alone counts
    as that modality's own noise. So does what two effects of one cause in the same modality do not
    share: where z1 and z2 have one and the same parent, act on no other modality, and depend on
    the parent by similar functions, one combination of them says all about it, and one is counted.

    Args:
        data: the measurements; a mapping of tables becomes a `MultimodalData`. `Variables` are
            matched with as they are and have no count.
        counts: numbers of latents to try; those above a table's number of columns are left out.
        seed: decides everything; the caller's random state is left as it was.
        restarts: starts of each network; the best on held-out subjects counts.
        progress: show a progress bar for each stage.
        max_epochs: limit on the passes over the data in each stage; None takes what the number of
            subjects asks.
        device: where to train, such as "cuda"; None is the CPU.

    Returns:
        The counts, to be passed to `fit(latents=...)`, and the table that they come from.

    Raises:
        DataError: if the data cannot be used.
        ModelError: if an argument is out of range, or training diverged.

    Source: after Sun et al. (2025), appendix E, "Impact of the number of latent variables", who
    compare validation losses of whole fits.

    Example:
        >>> from pyrocrl.simulate import numerical_case
        >>> data, truth = numerical_case(1, n_subjects=600)
        >>> select_latents(data, counts=[1, 2], progress=False, restarts=1)
        LatentCounts({'m1': 2, 'm2': 2})
    """
    if not isinstance(data, MultimodalData):
        data = MultimodalData(data)
    # Refuses what `fit` would refuse.
    FitSettings(seed=seed, restarts=restarts, max_epochs=max_epochs)
    tried = _counts_of_tables(data, counts)
    _check_data(data)
    where = chosen_device(device)
    training, held_out = hold_out(data, np.random.default_rng(seed))
    with (
        torch.random.fork_rng(devices=[where] if where.type == "cuda" else []),
        Bars() if progress else Silence() as bars,
    ):
        torch.manual_seed(seed)
        split = Split(training.to(where), held_out.to(where), max_epochs, bars)
        largest = {name: max(numbers) for name, numbers in tried.items()}
        shared = shared_latents(split, largest, restarts)
        parts = [
            judge(name, numbers, held_out_nats(split, shared, name, numbers, restarts))
            for name, numbers in tried.items()
        ]
    return LatentCounts(pd.concat(parts, ignore_index=True))


def _counts_of_tables(data: MultimodalData, counts: Iterable[int]) -> dict[str, list[int]]:
    """The numbers of latents to try for each table, from few to many."""
    numbers = _checked(counts)
    tried = {}
    for modality in data:
        if modality.is_variables:
            continue
        if isinstance(modality, ArrayModality):
            raise ModelError(
                f"latents of modality {modality.name!r} cannot be counted, only those of tables, "
                f"and it holds {modality.described}; leave it out, and judge by held-out fit: "
                "fit(...).restarts"
            )
        tried[modality.name] = [number for number in numbers if number <= modality.width]
        if not tried[modality.name]:
            raise ModelError(
                f"counts: modality {modality.name!r} has {modality.width} columns, fewer than the "
                f"smallest count, {numbers[0]}; try smaller ones"
            )
    if not tried:
        raise DataError("data holds Variables alone, which have no latents to count")
    return tried


def _checked(counts: Iterable[int]) -> list[int]:
    if not isinstance(counts, Iterable):
        raise ModelError(f"counts must be numbers of latents, such as range(1, 6), not {counts!r}")
    numbers = list(counts)
    if not numbers:
        raise ModelError("counts is empty; give the numbers of latents to try, as in range(1, 6)")
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
            raise ModelError(f"counts must be whole numbers from 1 on, not {number!r}")
    return sorted({int(number) for number in numbers})


def _check_data(data: MultimodalData) -> None:
    if len(data.names) < 2:
        raise DataError(
            f"only one modality, {data.names[0]!r}: latents are counted by what they share with "
            "another; give at least two (a Variables group counts)"
        )
    if data.n_subjects < _FEWEST_SUBJECTS:
        raise DataError(
            f"too few subjects to count latents: {data.n_subjects}, at least {_FEWEST_SUBJECTS} "
            "are needed; set the numbers of latents yourself"
        )
