"""`discover`: which latents do several modalities share, and how surely?"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import torch

from pyrocrl.data import MultimodalData
from pyrocrl.errors import DataError, ModelError, listing
from pyrocrl.model import sizes_per_modality
from pyrocrl.pipeline import chosen_device
from pyrocrl.settings import FitSettings
from pyrocrl.sharing.fitting import Subjects
from pyrocrl.sharing.lattice import Prior, search
from pyrocrl.sharing.result import SharedLatents
from pyrocrl.training import hold_out
from pyrocrl.training.progress import Bars, Silence

__all__ = ["discover"]

_FEWEST_SUBJECTS = 200
_MOST_MODALITIES = 6


def discover(
    data: MultimodalData | Mapping[str, Any],
    latents: int | Mapping[str, int] = 2,
    *,
    prior: float | pd.DataFrame | Prior = 0.5,
    membership: pd.DataFrame | Mapping[tuple[str, ...], int] | None = None,
    seed: int = 0,
    progress: bool = True,
    max_epochs: int | None = None,
    device: str | torch.device | None = None,
) -> SharedLatents:
    """Find the latents that several modalities share, with a probability for each.

    A shared latent can be read from each of its modalities alone, up to a smooth bijection; two
    latents joined by an edge keep the noise of the effect between them. Networks look for functions
    of single modalities that agree for every subject, from sets of many modalities to pairs, each
    beyond what is known already. How agreement grows with training tells sharing from a strong
    edge. Measurements that are noisy beyond the modality's own few noises agree less, and count as
    an edge. Single cells may be missing, whole modalities of a subject not.

    Args:
        data: the measurements, no `Variables`; a mapping of tables becomes a `MultimodalData`.
        latents: largest number of latents of each modality, shared ones among them.
        prior: probability that the latent which a set of modalities comes closest to agree on is
            shared; a number, a DataFrame (modality, modality) whose smallest entry in a set counts,
            or a function of the set. 0 and 1 are certain.
        membership: what is known of who sees what: a DataFrame (latent, modality) of True and False
            that says all, or the number of latents that some sets of modalities share, as in
            `{("eye", "ear"): 1}`; the others are then found.
        seed: decides everything; the caller's random state is left as it was.
        progress: show progress bars.
        max_epochs: limit on the passes over the data in each search.
        device: where to train, such as "cuda"; None is the CPU.

    Returns:
        Membership probabilities, the merged latents, and a table of all that was judged.

    Raises:
        DataError: if the data cannot be used.
        ModelError: if an argument does not fit the data.

    Source: Benhamza, Clausel, Tami (2026) for the question; Yao et al. (2024), theorem 3.2, for
    what all views of a set identify.

    Example:
        >>> from pyrocrl.simulate import shared_case
        >>> data, truth = shared_case("a", seed=1, n_subjects=2000)
        >>> discover(data, latents=3, progress=False).membership().sum(axis=1).tolist()
        [2, 1, 1, 1, 1]
    """
    if not isinstance(data, MultimodalData):
        data = MultimodalData(data)
    FitSettings(seed=seed, max_epochs=max_epochs)  # refuses what `fit` would refuse
    most = _checked(data, latents)
    believed = _prior(prior, data.names)
    known = _known(membership, data.names, most)
    where = chosen_device(device)
    training, held_out = hold_out(data, np.random.default_rng(seed))
    with (
        torch.random.fork_rng(devices=[where] if where.type == "cuda" else []),
        torch.enable_grad(),
        Bars() if progress else Silence() as bars,
    ):
        torch.manual_seed(seed)
        subjects = Subjects(training.to(where), held_out.to(where))
        found = search(subjects, most, believed, known, progress=bars, max_epochs=max_epochs)
        return SharedLatents(data.to(where), found, most)


def _checked(data: MultimodalData, latents: int | Mapping[str, int]) -> dict[str, int]:
    variables = [modality.name for modality in data if modality.is_variables]
    if variables:
        raise DataError(
            f"modality {variables[0]!r} holds Variables, which have no latents to share; leave it "
            "out here"
        )
    if not 2 <= len(data.names) <= _MOST_MODALITIES:
        raise DataError(
            f"sharing is looked for among 2 to {_MOST_MODALITIES} modalities, not "
            f"{len(data.names)}; choose those in question"
        )
    if data.n_subjects < _FEWEST_SUBJECTS:
        raise DataError(
            f"too few subjects to tell what is shared: {data.n_subjects}, at least "
            f"{_FEWEST_SUBJECTS} are needed"
        )
    for modality in data:
        lacking = int((~modality.present).sum())
        if lacking:
            raise DataError(
                f"{lacking} subjects lack modality {modality.name!r} altogether, and cannot say "
                "what it shares; leave them out with data.select"
            )
    return sizes_per_modality(latents, list(data), "latents", at_least=1)


def _known(
    membership: pd.DataFrame | Mapping[tuple[str, ...], int] | None,
    names: tuple[str, ...],
    most: Mapping[str, int],
) -> dict[tuple[str, ...], int]:
    """Numbers of shared latents by set, its modalities in the order of the data."""
    if membership is None:
        return {}
    if isinstance(membership, pd.DataFrame):
        if set(membership.columns) != set(names):
            raise ModelError(f"membership must have the columns {listing(names)}")
        seen = membership[list(names)].astype(bool)
        rows = [tuple(row.index[row]) for _, row in seen.iterrows()]
        sets = [s for size in range(2, len(names) + 1) for s in combinations(names, size)]
        known = {members: rows.count(members) for members in sets}
    else:
        known = {}
        for given, count in membership.items():
            if len(set(given)) < 2 or not set(given) <= set(names):
                raise ModelError(
                    f"membership: {given!r} is no set of two modalities or more; there are "
                    f"{listing(names)}"
                )
            known[tuple(name for name in names if name in given)] = int(count)
    for name in names:
        shared = sum(count for members, count in known.items() if name in members)
        if shared > most[name]:
            raise ModelError(
                f"membership: {name!r} shares {shared} latents, but latents allows {most[name]}"
            )
    return known


def _prior(prior: float | pd.DataFrame | Prior, names: tuple[str, ...]) -> Prior:
    if isinstance(prior, pd.DataFrame):
        absent = set(names) - set(prior.index) | set(names) - set(prior.columns)
        if absent:
            raise ModelError(f"prior: modality {min(absent)!r} is missing from rows or columns")
        pairs = prior.loc[list(names), list(names)].to_numpy(dtype=float)
        _check_probability(pairs)
        position = {name: place for place, name in enumerate(names)}

        def smallest(members: tuple[str, ...]) -> float:
            inside = [position[name] for name in members]
            return min(float(pairs[i, j]) for i in inside for j in inside if i != j)

        return smallest
    if callable(prior):
        return prior
    _check_probability(np.asarray(prior, dtype=float))
    return lambda members: float(prior)


def _check_probability(values: np.ndarray) -> None:
    if not ((values >= 0) & (values <= 1)).all():
        raise ModelError("prior must hold probabilities, numbers from 0 to 1")
