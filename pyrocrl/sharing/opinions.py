"""Opinions of single subjects' latents, as normal distributions, and their Wasserstein geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = [
    "Moments",
    "Opinion",
    "barycentre",
    "correlation_brake",
    "distances",
    "moments",
    "side_by_side",
    "standardised",
    "wasserstein_costs",
]


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
    spread, centre = torch.std_mean(opinion.loc, -2, keepdim=True)
    unit = spread + 1e-6
    return Opinion((opinion.loc - centre) / unit, opinion.scale / unit)


@dataclass(frozen=True)
class Moments:
    """Second moments of opinions over subjects, in standard deviations of the means.

    Attributes:
        correlation: (..., latent, latent), of the means.
        doubt: the same shape, mean products of the standard deviations.
    """

    correlation: Tensor
    doubt: Tensor


def moments(opinion: Opinion) -> Moments:
    """Second moments of an opinion, which are all that its geometry needs.

    >>> one = Opinion(torch.tensor([[2.0, 1.0], [4.0, -1.0], [6.0, 0.0]]), torch.ones(3, 2))
    >>> of = moments(one)
    >>> of.correlation.round(decimals=2).tolist(), of.doubt.round(decimals=2).tolist()
    ([[1.0, -0.5], [-0.5, 1.0]], [[0.25, 0.5], [0.5, 1.0]])
    """
    count = opinion.loc.shape[-2]
    loc = opinion.loc - opinion.loc.mean(-2, keepdim=True)
    covariance = loc.mT @ loc / (count - 1)
    unit = (covariance.diagonal(dim1=-2, dim2=-1) + 1e-12).sqrt()
    units = unit.unsqueeze(-1) * unit.unsqueeze(-2)
    return Moments(covariance / units, opinion.scale.mT @ opinion.scale / count / units)


def side_by_side(opinions: Sequence[Opinion]) -> Opinion:
    """Opinions of the same subjects as one, (..., subject, latent of all)."""
    locs, scales = zip(*((opinion.loc, opinion.scale) for opinion in opinions), strict=True)
    return Opinion(torch.cat(locs, -1), torch.cat(scales, -1))


def distances(of: Moments) -> Tensor:
    """Squared 2-Wasserstein distances of all latents from all, (..., latent, latent)."""
    own = of.doubt.diagonal(dim1=-2, dim2=-1)
    scales_apart = own.unsqueeze(-1) + own.unsqueeze(-2) - 2 * of.doubt
    return 2 * (1 - of.correlation.abs()) + scales_apart


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
    rows = one.loc.shape[-1]
    return distances(moments(side_by_side([one, other])))[..., :rows, rows:]


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


def correlation_brake(correlation: Tensor) -> Tensor:
    """Minus half the log determinant of latents' correlations, (...,); 0 if uncorrelated.

    Without it, alignment turns every latent of a modality into the one that is easiest to share.

    >>> [round(abs(float(correlation_brake(torch.tensor([[1, r], [r, 1]])))), 2) for r in (0, 0.9)]
    [0.0, 0.83]
    """
    ridge = 1e-4 * torch.eye(correlation.shape[-1]).to(correlation)
    brake: Tensor = -0.5 * torch.linalg.slogdet((correlation + ridge) / (1 + 1e-4))[1]
    return brake
