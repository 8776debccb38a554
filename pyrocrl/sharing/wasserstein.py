"""WassersteinSharing: opinions of several encoders in, aligned and merged shared latents out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, combinations

import torch
from torch import Tensor, nn

from pyrocrl.errors import ModelError
from pyrocrl.sharing.opinions import (
    Opinion,
    barycentre,
    correlation_brake,
    distances,
    moments,
    side_by_side,
    standardised,
    wasserstein_costs,
)
from pyrocrl.sharing.transport import partial_transport

__all__ = ["Alignment", "Shared", "WassersteinSharing"]


_ITERATIONS = 20


@dataclass(frozen=True)
class Alignment:
    """How the latents of several modalities lie to one another.

    Attributes:
        loss: (...,), what transport and staying alone cost, plus the brake; to be minimised.
        costs: per pair of modalities, (..., latent of the first, latent of the second).
        plans: the same, mass moved.
    """

    loss: Tensor
    costs: dict[tuple[str, str], Tensor]
    plans: dict[tuple[str, str], Tensor]


@dataclass(frozen=True)
class Shared:
    """A latent and where the modalities have it.

    Attributes:
        slots: position of the latent in each modality that sees it.
        opinion: what they say together, (subject,).
    """

    slots: dict[str, int]
    opinion: Opinion


class WassersteinSharing(nn.Module):
    """Discovers, aligns and merges latents that the encoders of several modalities share.

    A match of two latents costs the squared 2-Wasserstein distance of the two opinions of the same
    subjects. Partial entropic transport decides which latents match; the plan is held fixed while
    its cost is made small, so that matched opinions move together and unmatched ones do not. A
    brake keeps the latents of a modality apart. It has no parameters and knows nothing of the
    encoders: add `weight * module(opinions).loss` to any loss that keeps them from collapsing.

    Args:
        alone: distance above which two latents stay unmatched.
        softness: of the plan, see `partial_transport`.
        brake: weight of what keeps the latents of one modality uncorrelated; 0 for none.

    Source: Benhamza, Clausel, Tami (2026), whose module is not public; this form follows the
    description in their abstract.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> shared, one, other = torch.randn(3, 500)
        >>> said = lambda *latents: (torch.stack(latents, -1), torch.full((500, 2), 0.1))
        >>> module = WassersteinSharing()
        >>> opinions = {"labs": said(shared, one), "eye": said(other, -shared)}
        >>> module(opinions).plans["labs", "eye"].round().tolist()
        [[0.0, 1.0], [0.0, 0.0]]
        >>> [latent.slots for latent in module.merge(opinions)]
        [{'labs': 0, 'eye': 1}, {'labs': 1}, {'eye': 0}]
    """

    def __init__(self, alone: float = 0.1, softness: float = 0.02, brake: float = 1.0) -> None:
        super().__init__()
        for name, value in (("alone", alone), ("softness", softness)):
            if not value > 0:
                raise ModelError(f"{name} must be positive, not {value}")
        if not brake >= 0:
            raise ModelError(f"brake must not be negative, not {brake}")
        self.alone, self.softness, self.brake = alone, softness, brake

    def forward(self, opinions: Mapping[str, tuple[Tensor, Tensor]]) -> Alignment:
        """Align opinions of a batch of subjects.

        Args:
            opinions: per modality means and standard deviations, (..., subject, latent) both.

        Returns:
            Costs, plans and the loss, each for every chain where there are such.

        Raises:
            ModelError: if there are not two modalities with opinions of the same subjects.
        """
        said = _read(opinions)
        places = _places(said)
        of = moments(side_by_side(list(said.values())))
        apart = distances(of)
        costs = {
            (one, other): apart[..., places[one], places[other]]
            for one, other in combinations(said, 2)
        }
        plans = self._plans(costs)
        moved, unmatched = torch.zeros_like(apart), torch.zeros_like(apart[..., 0, 0])
        for (one, other), plan in plans.items():
            moved[..., places[one], places[other]] = plan
            unmatched = unmatched + min(plan.shape[-2:]) - plan.sum((-2, -1))
        brake = correlation_brake(of.correlation * _together(said).to(apart))
        matched = (moved * apart).sum((-2, -1))
        return Alignment(matched + self.alone * unmatched + self.brake * brake, costs, plans)

    @torch.no_grad()
    def _plans(self, costs: Mapping[tuple[str, str], Tensor]) -> dict[tuple[str, str], Tensor]:
        """The plan of every pair; pairs of the same shape are solved together, which is faster."""
        shapes: dict[torch.Size, list[tuple[str, str]]] = {}
        for pair, cost in costs.items():
            shapes.setdefault(cost.shape, []).append(pair)
        plans: dict[tuple[str, str], Tensor] = {}
        for pairs in shapes.values():
            stacked = torch.stack([costs[pair] for pair in pairs]).clamp_min(0)
            solved = partial_transport(stacked, self.alone, self.softness, _ITERATIONS)
            plans.update(zip(pairs, solved.unbind(0), strict=True))
        return plans

    @torch.no_grad()
    def merge(self, opinions: Mapping[str, tuple[Tensor, Tensor]]) -> list[Shared]:
        """Latents with the modalities that see them; shared ones by the barycentre of opinions.

        Matches are taken in the order of their cost while it is below `alone`; a latent has at most
        one place in each modality. Signs follow the first modality.

        Args:
            opinions: per modality means and standard deviations, (subject, latent) both.

        Returns:
            The latents, those that many see first.
        """
        said = {name: standardised(opinion) for name, opinion in _read(opinions).items()}
        groups = _grouped(said, self.alone)
        return [Shared(slots, _merged(said, slots)) for slots in groups]


def _read(opinions: Mapping[str, tuple[Tensor, Tensor]]) -> dict[str, Opinion]:
    said = {name: Opinion(loc, scale) for name, (loc, scale) in opinions.items()}
    if len(said) < 2:
        raise ModelError("opinions of at least two modalities are needed to find what they share")
    first = next(iter(said.values()))
    for name, opinion in said.items():
        if opinion.loc.shape != opinion.scale.shape:
            raise ModelError(f"modality {name!r}: means and standard deviations differ in shape")
        if opinion.loc.shape[:-1] != first.loc.shape[:-1]:
            raise ModelError(f"modality {name!r}: its opinions are not of the same subjects")
    return said


def _places(said: Mapping[str, Opinion]) -> dict[str, slice]:
    """Where the latents of each modality stand among all."""
    ends = list(accumulate(opinion.loc.shape[-1] for opinion in said.values()))
    return {
        name: slice(start, end) for name, start, end in zip(said, [0, *ends], ends, strict=False)
    }


def _together(said: Mapping[str, Opinion]) -> Tensor:
    """(latent, latent), 1 where two are of one modality, 0 elsewhere."""
    blocks = [torch.ones(2 * (opinion.loc.shape[-1],)) for opinion in said.values()]
    together: Tensor = torch.block_diag(*blocks)
    return together


def _grouped(said: Mapping[str, Opinion], alone: float) -> list[dict[str, int]]:
    matches = []
    for one, other in combinations(said, 2):
        cost = wasserstein_costs(said[one], said[other])
        for row, column in torch.nonzero(cost < alone).tolist():
            matches.append((float(cost[row, column]), (one, row), (other, column)))
    group_of = {
        (name, slot): {name: slot}
        for name, opinion in said.items()
        for slot in range(opinion.loc.shape[-1])
    }
    for _, here, there in sorted(matches):
        first, second = group_of[here], group_of[there]
        if first.keys().isdisjoint(second):
            first.update(second)
            for member in second.items():
                group_of[member] = first
    unique = {id(group): group for group in group_of.values()}
    ordered = sorted(unique.values(), key=lambda group: -len(group))
    return [{name: group[name] for name in said if name in group} for group in ordered]


def _merged(said: Mapping[str, Opinion], slots: Mapping[str, int]) -> Opinion:
    members = [
        Opinion(said[name].loc[..., slot], said[name].scale[..., slot])
        for name, slot in slots.items()
    ]
    first = members[0].loc
    signs = [torch.sign((member.loc * first).sum(-1, keepdim=True)) for member in members]
    aligned = [
        Opinion((member.loc * sign).unsqueeze(-1), member.scale.unsqueeze(-1))
        for member, sign in zip(members, signs, strict=True)
    ]
    merged = barycentre(aligned)
    return Opinion(merged.loc.squeeze(-1), merged.scale.squeeze(-1))
