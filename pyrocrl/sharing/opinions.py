"""Opinions of single subjects' latents, as normal distributions, and their Wasserstein geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Opinion", "barycentre", "correlation_brake", "standardised", "wasserstein_costs"]


@dataclass(frozen=True)
class Opinion:
    """What an encoder says about each subject's latents.

    Attributes:
        loc: (..., subject, latent), means.
        scale: the same shape, standard deviations.
    """

    loc: Tensor
    scale: Tensor


def standardised(opinion: Opinion) -> Opinion:
    """The opinion in standard deviations of the subjects' means, around 0.

    >>> opinion = standardised(Opinion(torch.tensor([[2.0], [4.0], [6.0]]), torch.ones(3, 1)))
    >>> opinion.loc.round(decimals=3).tolist(), opinion.scale.round(decimals=3).tolist()
    ([[-1.0], [0.0], [1.0]], [[0.5], [0.5], [0.5]])
    """
    unit = opinion.loc.std(-2, keepdim=True) + 1e-6
    centre = opinion.loc.mean(-2, keepdim=True)
    return Opinion((opinion.loc - centre) / unit, opinion.scale / unit)


def wasserstein_costs(one: Opinion, other: Opinion) -> Tensor:
    """Squared 2-Wasserstein distance of two opinions of the same subjects, their mean, sign free.

    For normal opinions N(a, s^2) and N(b, t^2) it is (a - b)^2 + (s - t)^2. In standard units its
    mean over subjects is 2 (1 - |r|) plus that of (s - t)^2, r the correlation of the means; a
    latent and its mirror image count as the same. Distances between the distributions over all
    subjects could not see sharing: those of unrelated latents may be alike.

    Args:
        one: opinion of (..., subject, row).
        other: opinion of the same subjects, (..., subject, column).

    Returns:
        (..., row, column).

    Source: Peyre and Cuturi (2019), Computational optimal transport, remark 2.31.

    Example:
        >>> values = torch.tensor([[-1.0, 1.0], [0.0, -2.0], [1.0, 1.0]])
        >>> opinion = Opinion(values, torch.full_like(values, 0.1))
        >>> wasserstein_costs(opinion, opinion).abs().round(decimals=2).tolist()
        [[0.0, 2.0], [2.0, 0.0]]
    """
    a, b = standardised(one), standardised(other)
    count = a.loc.shape[-2]
    correlation = a.loc.mT @ b.loc / (count - 1)
    squares = (a.scale**2).mean(-2).unsqueeze(-1) + (b.scale**2).mean(-2).unsqueeze(-2)
    return 2 * (1 - correlation.abs()) + squares - 2 * a.scale.mT @ b.scale / count


def barycentre(opinions: Sequence[Opinion], weights: Tensor | None = None) -> Opinion:
    """The Wasserstein barycentre of normal opinions: means and standard deviations are averaged.

    Args:
        opinions: of the same latents and subjects, in the same units and signs.
        weights: (opinion,) or (opinion, latent), not negative; None: all alike.

    Returns:
        One opinion.

    Source: Agueh and Carlier (2011), Barycenters in the Wasserstein space, section 6.

    Example:
        >>> one, other = (Opinion(torch.full((1, 1), v), torch.full((1, 1), v)) for v in (1.0, 3.0))
        >>> merged = barycentre([one, other])
        >>> float(merged.loc), float(merged.scale)
        (2.0, 2.0)
    """
    locs = torch.stack([opinion.loc for opinion in opinions], -1)
    scales = torch.stack([opinion.scale for opinion in opinions], -1)
    if weights is None:
        weights = torch.ones(len(opinions)).to(locs)
    shares = weights.mT if weights.ndim > 1 else weights
    shares = shares / shares.sum(-1, keepdim=True)
    return Opinion((locs * shares).sum(-1), (scales * shares).sum(-1))


def correlation_brake(opinion: Opinion) -> Tensor:
    """Minus half the log determinant of the latents' correlation, (...,); 0 if uncorrelated.

    Without it, alignment turns every latent of a modality into the one that is easiest to share.

    >>> values = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> round(abs(float(correlation_brake(Opinion(values, torch.ones_like(values))))), 3)
    0.0
    """
    loc = standardised(opinion).loc
    correlation = loc.mT @ loc / (loc.shape[-2] - 1)
    ridge = 1e-4 * torch.eye(loc.shape[-1]).to(loc)
    brake: Tensor = -0.5 * torch.linalg.slogdet((correlation + ridge) / (1 + 1e-4))[1]
    return brake
