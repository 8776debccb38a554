"""Multi-view content selection: encoders of single views, and which of their codes views share."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import pandas as pd
import torch
from torch import Tensor, nn

from pyrocrl.baselines.contrastive import symmetric_info_nce
from pyrocrl.baselines.training import Budget, Encoders, train
from pyrocrl.data import Batch, MultimodalData
from pyrocrl.errors import ModelError
from pyrocrl.settings import FitSettings

__all__ = ["select_content", "sizes_of"]

_PACE = 10.0


def select_content(
    data: MultimodalData,
    sizes: Mapping[tuple[str, ...], int],
    *,
    seed: int = 0,
    budget: Budget | None = None,
) -> pd.DataFrame:
    """Codes on which sets of modalities agree, where it is known how many latents each set shares.

    Every modality has an encoder with as many codes as the largest sum of `sizes` that it is in;
    every set learns which codes its members agree on, as many as it shares. What all latents of a
    set have in common is found up to an invertible map of the set's block.

    Args:
        data: the measurements.
        sizes: sets of modalities -> number of latents that all of the set see, those that further
            modalities see too among them; as `sizes_of` counts them.
        seed: decides everything; the caller's random state is left as it was.
        budget: size of the networks, length of training; as for all baselines if None.

    Returns:
        (subject, code), the codes that each set selects and no larger set around it, mean over the
        set's modalities, standardised.

    Raises:
        ModelError: if a set names no modality of the data or shares nothing.

    Source: Yao et al. (2024), "Multi-view causal representation learning with partial
    observability", theorem 3.8: alignment and entropy (as InfoNCE) for every set of views, with
    content selectors. The selectors here are drawn as in its public code: the largest of the
    scores plus Gumbel noise, straight through (Xie and Ermon, 2019).

    Example:
        >>> from pyrocrl.simulate import shared_case
        >>> data, truth = shared_case("b", n_subjects=300)
        >>> sizes = sizes_of(truth.membership)
        >>> sizes
        {('m1', 'm2'): 2, ('m1', 'm3'): 1, ('m2', 'm3'): 1, ('m1', 'm2', 'm3'): 1}
        >>> select_content(data, sizes, budget=Budget(steps=5)).shape[0]
        300
    """
    FitSettings(seed=seed)  # refuses what no seed can be
    if not sizes or min(sizes.values()) < 1:
        raise ModelError("sizes: every set must share a latent, or it should be left out")
    for members in sizes:
        if len(set(members)) < 2 or not set(members) <= set(data.names):
            raise ModelError(f"sizes: {members!r} is no set of two modalities or more of the data")
    budget = budget or Budget()
    codes = max(_codes_of(name, sizes) for name in data.names)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        encoders = Encoders(data, [codes] * len(data.names), budget.hidden)
        selectors = _Selectors(sizes, codes)

        def loss(rows: Tensor) -> Tensor:
            return _untold(encoders, selectors, data.batch(rows))

        train([encoders, selectors], loss, data.n_subjects, budget)
    return _selected(encoders, selectors, data)


def sizes_of(membership: pd.DataFrame) -> dict[tuple[str, ...], int]:
    """How many latents all of a set of modalities see, for every set that shares one.

    Args:
        membership: (latent, modality), True where a modality sees a latent.
    """
    seen = membership.astype(bool)
    sets = [s for size in range(2, seen.shape[1] + 1) for s in combinations(seen.columns, size)]
    counts = {members: int(seen[list(members)].all(axis=1).sum()) for members in sets}
    return {members: count for members, count in counts.items() if count}


class _Selectors(nn.Module):
    """Scores of the codes for every set; the same codes are selected in all of its modalities."""

    def __init__(self, sizes: Mapping[tuple[str, ...], int], codes: int) -> None:
        super().__init__()
        self.sizes = dict(sizes)
        self.slow_scores = nn.Parameter(0.01 * torch.randn(len(sizes), codes))

    @property
    def scores(self) -> Tensor:
        """(set, code); they move faster than the encoders, or the noise would decide to the end."""
        return _PACE * self.slow_scores

    def drawn(self) -> dict[tuple[str, ...], Tensor]:
        """For every set a 1 for each code that is selected, 0 for the others, (code,)."""
        gumbel = torch.distributions.Gumbel(0.0, 1.0).sample(self.scores.shape)
        pairs = zip(self.sizes.items(), self.scores + gumbel, strict=True)
        return {members: _largest(scores, size) for (members, size), scores in pairs}

    @torch.no_grad()
    def likely(self) -> dict[tuple[str, ...], list[int]]:
        """The codes that each set would select without noise."""
        pairs = zip(self.sizes.items(), self.scores, strict=True)
        return {members: scores.topk(size).indices.tolist() for (members, size), scores in pairs}


def _largest(scores: Tensor, count: int) -> Tensor:
    """Ones at the largest scores; gradients are those of a softmax taken `count` times."""
    left, soft = scores, torch.zeros_like(scores)
    for _ in range(count):
        share = torch.softmax(left, -1)
        soft = soft + share
        left = left + torch.log((1 - share).clamp_min(1e-6))
    hard = torch.zeros_like(scores)
    hard[soft.topk(count).indices] = 1.0
    return hard + soft - soft.detach()


def _untold(encoders: Encoders, selectors: _Selectors, batch: Batch) -> Tensor:
    """InfoNCE of the selected codes, summed over sets and pairs of their modalities."""
    said = dict(zip(encoders.names, encoders.means(batch), strict=True))
    terms = [
        symmetric_info_nce(said[one] * chosen, said[other] * chosen)
        for members, chosen in selectors.drawn().items()
        for one, other in combinations(members, 2)
    ]
    return torch.stack(terms).sum()


@torch.no_grad()
def _selected(encoders: Encoders, selectors: _Selectors, data: MultimodalData) -> pd.DataFrame:
    said = dict(zip(encoders.names, encoders.means(data.batch()), strict=True))
    columns, likely = {}, selectors.likely()
    for members, chosen in likely.items():
        larger = [codes for others, codes in likely.items() if set(members) < set(others)]
        for code in chosen:
            if any(code in codes for codes in larger):
                continue
            mean = torch.stack([said[name][:, code] for name in members]).mean(0).double()
            values = (mean - mean.mean()) / (mean.std() + 1e-12)
            columns[f"{'+'.join(members)}.code{code + 1}"] = values.numpy()
    return pd.DataFrame(columns, index=data.subjects)


def _codes_of(name: str, sizes: Mapping[tuple[str, ...], int]) -> int:
    return sum(size for members, size in sizes.items() if name in members)
