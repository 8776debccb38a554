"""Functions of single modalities on which several modalities agree, subject by subject.

If modalities m and n both see a latent, there are functions f of x^(m) and g of x^(n) with f = g
for every subject. Networks look for them by making 1 - r^2 small, r the correlation of f and g.
Whatever else agrees because of a latent that is already known, its square for instance, is no
second latent. So each further component is judged by what it tells beyond the latents found so
far: f and g are first regressed on flexible functions of those. Nor is a rare event that all
modalities see: f and g are bounded, and must vary over all subjects, so that a few extreme ones
decide nothing. No decoder is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pyrocrl.data import Batch, MultimodalData
from pyrocrl.modality import encoder_for

__all__ = ["Agreement", "Components", "disagreement"]

_FEATURES = 24
_FEATURE_SCALE = 0.8
_MOST_GIVEN = 32
_RIDGE = 1e-3
_FARTHEST = 2.5


@dataclass(frozen=True)
class Components:
    """What the members of each set of modalities say about its components.

    Attributes:
        loc: (component, set, member, subject), beyond what known latents tell, aligned in sign.
        scale: the same shape and units, the encoders' standard deviations.
        merged: (component, set, subject), the members' mean, standardised.
    """

    loc: Tensor
    scale: Tensor
    merged: Tensor


@dataclass(frozen=True)
class _Step:
    """How one component's codes become comparable; learned from some subjects, used for any."""

    centre: Tensor
    unit: Tensor
    coefficients: Tensor
    signs: Tensor
    merged_unit: Tensor

    @classmethod
    def learned(cls, codes: Tensor, features: Tensor) -> _Step:
        """From codes (set, member, subject) and features (set, subject, feature)."""
        centre, unit = codes.mean(2, keepdim=True), codes.std(2, keepdim=True) + 1e-4
        bounded = _bounded((codes - centre) / unit)
        coefficients = _regression(features, bounded)
        rest = (bounded - (features @ coefficients).mT).detach()
        signs = torch.where((rest * rest[:, :1]).mean(2, keepdim=True) < 0, -1.0, 1.0)
        merged_unit = (rest * signs).mean(1).std(1, keepdim=True) + 1e-4
        return cls(centre, unit, coefficients, signs, merged_unit)

    def comparable(self, codes: Tensor, features: Tensor) -> Tensor:
        """What the codes say beyond the features, (set, member, subject)."""
        bounded = _bounded((codes - self.centre) / self.unit)
        return (bounded - (features @ self.coefficients).mT) * self.signs


class Agreement(nn.Module):
    """Encoders for sets of modalities of one size, asked for components that the set agrees on.

    Args:
        data: the measurements; only their shapes are used.
        sets: names of the modalities of each set, all sets of one size.
        components: how many components each set is asked for.
        hidden: units of each hidden layer of the encoders.

    Example:
        >>> from pyrocrl.simulate import shared_case
        >>> data, _ = shared_case("a", n_subjects=50)
        >>> networks = Agreement(data, [("m1", "m2")], components=2)
        >>> networks(data.batch(), torch.zeros(1, 50, 0)).loc.shape
        torch.Size([2, 1, 2, 50])
    """

    directions: Tensor
    offsets: Tensor

    def __init__(
        self,
        data: MultimodalData,
        sets: Sequence[tuple[str, ...]],
        components: int,
        hidden: int = 64,
    ) -> None:
        super().__init__()
        self.sets, self.components = list(sets), components
        self.users = {
            name: [v for v, members in enumerate(sets) if name in members]
            for name in data.names
            if any(name in members for members in sets)
        }
        self.encoders = nn.ModuleList(
            encoder_for(data[name], len(users), components, hidden)
            for name, users in self.users.items()
        )
        self.register_buffer("directions", _FEATURE_SCALE * torch.randn(_MOST_GIVEN, _FEATURES))
        self.register_buffer("offsets", torch.randn(_FEATURES))
        self._steps: list[_Step] = []

    def forward(self, batch: Batch, given: Tensor) -> Components:
        """What the sets say about some subjects, in units of these subjects, which are kept.

        Args:
            batch: measurements of the subjects.
            given: (set, subject, latent), latents that are known already, standardised.
        """
        self._steps = []
        return self._components(batch, given, self._steps)

    def again(self, batch: Batch, given: Tensor) -> Components:
        """The same for other subjects, in the units and by the regressions that were kept."""
        return self._components(batch, given, list(self._steps))

    def _components(self, batch: Batch, given: Tensor, steps: list[_Step]) -> Components:
        codes, scales = self._codes(batch)
        known, locs, widths, merged = given, [], [], []
        for place in range(self.components):
            code, features = codes[..., place], self._features(known)
            if place == len(steps):
                steps.append(_Step.learned(code, features))
            step = steps[place]
            loc = step.comparable(code, features)
            mean = loc.detach().mean(1) / step.merged_unit
            known = torch.cat([known, mean.unsqueeze(-1)], -1)
            locs.append(loc)
            widths.append(scales[..., place] / step.unit)
            merged.append(mean)
        return Components(torch.stack(locs), torch.stack(widths), torch.stack(merged))

    def _codes(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Means and standard deviations, (set, member, subject, component) each."""
        said = {
            name: encoder(batch[name])
            for name, encoder in zip(self.users, self.encoders, strict=True)
        }
        both = [
            torch.stack(
                [
                    torch.stack([said[name][part][self.users[name].index(v)] for name in members])
                    for v, members in enumerate(self.sets)
                ]
            )
            for part in (0, 1)
        ]
        return both[0], both[1]

    def _features(self, known: Tensor) -> Tensor:
        """Flexible functions of known latents, (set, subject, feature)."""
        count = known.shape[-1]
        bent = torch.tanh(known @ self.directions[:count] / max(1, count) ** 0.5 + self.offsets)
        return torch.cat([torch.ones_like(bent[..., :1]), known, bent], -1)


def disagreement(loc: Tensor) -> Tensor:
    """1 - r^2 of every pair of members: 0 where they agree.

    Args:
        loc: (..., member, subject).

    Returns:
        (..., pair).

    Example:
        >>> disagreement(torch.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]])).abs().round().tolist()
        [0.0]
    """
    centred = loc - loc.mean(-1, keepdim=True)
    covariance = centred @ centred.mT
    variance = covariance.diagonal(dim1=-2, dim2=-1)
    one, other = torch.triu_indices(loc.shape[-2], loc.shape[-2], 1)
    product = variance[..., one] * variance[..., other] + 1e-12
    return 1 - covariance[..., one, other] ** 2 / product


def _bounded(codes: Tensor) -> Tensor:
    return _FARTHEST * torch.tanh(codes / _FARTHEST)


def _regression(features: Tensor, values: Tensor) -> Tensor:
    """Ridge coefficients of (set, member, subject) on (set, subject, feature)."""
    count = features.shape[1]
    ridge = _RIDGE * torch.eye(features.shape[2], device=features.device)
    square = features.mT @ features / count + ridge
    found: Tensor = torch.linalg.solve(square, features.mT @ values.mT / count)
    return found
