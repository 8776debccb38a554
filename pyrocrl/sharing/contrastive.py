"""Contrastive alignment where it is known who sees what: the simpler way, for comparison."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pyrocrl.baselines.contrastive import symmetric_info_nce
from pyrocrl.baselines.training import Budget, Encoders, train
from pyrocrl.data import Batch, MultimodalData
from pyrocrl.errors import ModelError
from pyrocrl.settings import FitSettings

__all__ = ["align_known"]


def align_known(
    data: MultimodalData,
    membership: pd.DataFrame,
    *,
    seed: int = 0,
    budget: Budget | None = None,
) -> pd.DataFrame:
    """Latents that modalities are known to share, from encoders whose codes of them agree.

    Every modality has an encoder with one code per latent that it sees. For each two modalities,
    the codes of what both see are to be near each other for the same subject, and far for different
    ones. A block of latents that the same modalities see is found up to an invertible map of the
    block.

    Args:
        data: the measurements.
        membership: (latent, modality), True where a modality sees a latent.
        seed: decides everything; the caller's random state is left as it was.
        budget: size of the networks, length of training; as for all baselines if None.

    Returns:
        (subject, latent), the shared latents, mean over the modalities that see them, standardised.

    Raises:
        ModelError: if membership does not name the modalities, or nothing is shared.

    Source: Sun et al. (2025), appendix E, "shared latent variables"; Yao et al. (2024), the loss of
    theorem 3.2 with known blocks, the entropy term as InfoNCE.

    Example:
        >>> from pyrocrl.simulate import shared_case
        >>> data, truth = shared_case("a", n_subjects=300)
        >>> align_known(data, truth.membership, budget=Budget(steps=5)).shape
        (300, 1)
    """
    FitSettings(seed=seed)  # refuses what no seed can be
    missing = [name for name in data.names if name not in membership.columns]
    if missing:
        raise ModelError(f"membership lacks the modality {missing[0]!r}")
    seen = membership[list(data.names)].astype(bool)
    shared = seen.index[seen.sum(axis=1) > 1]
    if not len(shared):
        raise ModelError("membership: no latent is seen by two modalities, so nothing to align")
    budget = budget or Budget()
    codes = {name: list(seen.index[seen[name]]) for name in data.names}
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        encoders = Encoders(data, [len(own) for own in codes.values()], budget.hidden)

        def loss(rows: Tensor) -> Tensor:
            return _disagreement(encoders, data.batch(rows), codes)

        train([encoders], loss, data.n_subjects, budget)
    return _merged(encoders, data, codes, list(shared))


def _disagreement(encoders: Encoders, batch: Batch, codes: dict[str, list[str]]) -> Tensor:
    """InfoNCE of what two modalities both see, summed over pairs of modalities."""
    said = dict(zip(codes, encoders.means(batch), strict=True))
    terms = []
    for one, other in combinations(codes, 2):
        both = [latent for latent in codes[one] if latent in codes[other]]
        if both:
            first, second = (
                said[name][:, [codes[name].index(latent) for latent in both]]
                for name in (one, other)
            )
            terms.append(symmetric_info_nce(first, second))
    return torch.stack(terms).sum()


@torch.no_grad()
def _merged(
    encoders: Encoders, data: MultimodalData, codes: dict[str, list[str]], shared: list[str]
) -> pd.DataFrame:
    said = dict(zip(codes, encoders.means(data.batch()), strict=True))
    columns = {}
    for latent in shared:
        opinions = [
            said[name][:, own.index(latent)].double().numpy()
            for name, own in codes.items()
            if latent in own
        ]
        mean = np.mean(opinions, axis=0)
        columns[latent] = (mean - mean.mean()) / (mean.std() or 1.0)
    return pd.DataFrame(columns, index=data.subjects)
