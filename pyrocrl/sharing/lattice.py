"""From latents that all modalities see down to those that two see: one search for each set.

What all members of a set of modalities can agree on beyond the latents that are known to be shared
by it, or by more modalities, is a latent that they share. So sets are asked from large to small,
all of one size at once; a set that has found something is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from pyrocrl.data import Batch
from pyrocrl.sharing.agreement import Agreement, Components
from pyrocrl.sharing.evidence import Evidence, probability_shared
from pyrocrl.sharing.fitting import Curve, Subjects, fit_agreement
from pyrocrl.sharing.novelty import told_by_known
from pyrocrl.sharing.opinions import Opinion, barycentre
from pyrocrl.training.progress import Silence

__all__ = ["Candidate", "Lattice", "Prior", "search"]

Prior = Callable[[tuple[str, ...]], float]

_AT_ONCE = 2
_LIKELY = 0.5


@dataclass(frozen=True)
class Candidate:
    """A latent that a set of modalities may share.

    Attributes:
        modalities: the set.
        probability: that all of them see it.
        evidence: what it rests on.
        taken: whether it counts as found: it is known in all later searches.
        stage: which search it comes from.
        place: component and set within that search.
    """

    modalities: tuple[str, ...]
    probability: float
    evidence: Evidence
    taken: bool
    stage: int
    place: tuple[int, int]


@dataclass(frozen=True)
class _Stage:
    """Networks of one search, and for each set which found latents were known."""

    networks: Agreement
    known: list[list[int]]


class Lattice:
    """What was found, and the networks that find it in other subjects.

    Attributes:
        candidates: all that was judged, in the order of the searches.

    Args:
        known: set of modalities -> number of latents that they are known to share.
    """

    def __init__(self, known: Mapping[tuple[str, ...], int]) -> None:
        self.known = dict(known)
        self.candidates: list[Candidate] = []
        self._stages: list[_Stage] = []

    @property
    def found(self) -> list[Candidate]:
        """The candidates that count."""
        return [candidate for candidate in self.candidates if candidate.taken]

    @torch.no_grad()
    def opinions(self, batch: Batch) -> tuple[list[dict[str, Opinion]], list[Opinion]]:
        """What each modality says of the latents that were found, and what they say together.

        Args:
            batch: measurements of some subjects.

        Returns:
            For each found latent the members' opinions, aligned, and their barycentre; (subject,).
        """
        single: list[dict[str, Opinion]] = []
        merged: list[Opinion] = []
        latents: list[Tensor] = []
        for number, stage in enumerate(self._stages):
            said = stage.networks.again(batch, _given(latents, stage.known, batch.size))
            for candidate in self.found:
                if candidate.stage != number:
                    continue
                opinions = _of_members(said, candidate)
                together = barycentre([_column(opinion) for opinion in opinions.values()])
                single.append(opinions)
                merged.append(Opinion(together.loc[:, 0], together.scale[:, 0]))
                latents.append(said.merged[candidate.place])
        return single, merged

    def asked(self, networks: Agreement, known: list[list[int]]) -> int:
        """Note a search; returns its number."""
        self._stages.append(_Stage(networks, known))
        return len(self._stages) - 1


def search(
    subjects: Subjects,
    most: Mapping[str, int],
    prior: Prior,
    known: Mapping[tuple[str, ...], int] | None = None,
    *,
    hidden: int = 64,
    progress: Silence | None = None,
    max_epochs: int | None = None,
) -> Lattice:
    """Find the latents that sets of modalities share.

    Args:
        subjects: to train on and to judge by.
        most: largest number of latents of each modality, shared ones among them.
        prior: set of modalities -> prior probability that what they agree on is shared.
        known: set of modalities -> number of latents that they are known to share, and no others.
        hidden: units of each hidden layer of the encoders.
        progress: where progress is shown.
        max_epochs: limit on the passes over the training subjects in each search.

    Returns:
        What was found.
    """
    known = known or {}
    lattice = Lattice(known)
    merged = _Merged([], [])
    for size in range(len(most), 1, -1):
        sets = [
            members
            for members in combinations(most, size)
            if members in known or prior(members) > 0
        ]
        while sets := [members for members in sets if _room(members, most, lattice) > 0]:
            above = [_above(members, lattice) for members in sets]
            given = merged.given(above, subjects)
            components = min(_AT_ONCE, max(_room(members, most, lattice) for members in sets))
            networks = Agreement(subjects.training, sets, components, hidden)
            networks.to(next(iter(subjects.training)).device)
            curve = fit_agreement(
                networks, subjects, given, progress=progress, max_epochs=max_epochs
            )
            said = _said(networks, subjects, given)
            stage, again = lattice.asked(networks, above), []
            for v, members in enumerate(sets):
                room = min(components, _room(members, most, lattice))
                sure = 1.0 if members in known else prior(members)
                evidence = (
                    _evidence(curve, told_by_known(said, given, (d, v)), (d, v), subjects.count)
                    for d in range(room)
                )
                places = _judge(lattice, members, evidence, v, sure, stage)
                merged.add(said, places)
                if len(places) == components:
                    again.append(members)
            sets = again
    return lattice


@dataclass(frozen=True)
class _Merged:
    """The latents that were found, (subject,) each, of training and of held-out subjects."""

    here: list[Tensor]
    there: list[Tensor]

    def add(self, said: tuple[Components, Components], places: Sequence[tuple[int, int]]) -> None:
        """Note the components that count."""
        self.here.extend(said[0].merged[place] for place in places)
        self.there.extend(said[1].merged[place] for place in places)

    def given(self, known: list[list[int]], subjects: Subjects) -> tuple[Tensor, Tensor]:
        """What each set knows already, (set, subject, latent), of both kinds of subjects."""
        return (
            _given(self.here, known, subjects.training.n_subjects),
            _given(self.there, known, subjects.held_out.n_subjects),
        )


@torch.no_grad()
def _said(
    networks: Agreement, subjects: Subjects, given: tuple[Tensor, Tensor]
) -> tuple[Components, Components]:
    """What the sets say of training subjects, which set the units, and of held-out ones."""
    here = networks(subjects.training.batch(), given[0])
    return here, networks.again(subjects.held_out.batch(), given[1])


def _evidence(curve: Curve, told: float, place: tuple[int, int], subjects: int) -> Evidence:
    """What is known of one component of a set."""
    return Evidence(
        before=float(curve.held_out[-2][place]),
        held_out=float(curve.held_out[-1][place]),
        training=float(curve.training[place]),
        told=told,
        subjects=subjects,
    )


def _judge(
    lattice: Lattice,
    members: tuple[str, ...],
    components: Iterable[Evidence],
    v: int,
    prior: float,
    stage: int,
) -> list[tuple[int, int]]:
    """Note a set's components up to the first that is not likely shared; places of the others."""
    places = []
    for d, evidence in enumerate(components):
        probability = probability_shared(evidence, prior)
        taken = probability > _LIKELY
        lattice.candidates.append(Candidate(members, probability, evidence, taken, stage, (d, v)))
        if not taken:
            break
        places.append((d, v))
    return places


def _room(members: Sequence[str], most: Mapping[str, int], lattice: Lattice) -> int:
    """How many more latents the set may share."""
    if tuple(members) in lattice.known:
        found = [candidate for candidate in lattice.found if candidate.modalities == members]
        return lattice.known[tuple(members)] - len(found)
    return min(
        most[name] - sum(name in found.modalities for found in lattice.found) for name in members
    )


def _above(members: Sequence[str], lattice: Lattice) -> list[int]:
    """Found latents that the whole set sees."""
    return [k for k, found in enumerate(lattice.found) if set(members) <= set(found.modalities)]


def _given(latents: Sequence[Tensor], known: list[list[int]], subjects: int) -> Tensor:
    """The known latents of each set, (set, subject, latent); zeros fill up."""
    given = torch.zeros(len(known), subjects, max(len(own) for own in known))
    for v, own in enumerate(known):
        for place, k in enumerate(own):
            given[v, :, place] = latents[k]
    return given.to(latents[0].device) if latents else given


def _of_members(said: Components, candidate: Candidate) -> dict[str, Opinion]:
    place = candidate.place
    return {
        name: Opinion(said.loc[place][member], said.scale[place][member])
        for member, name in enumerate(candidate.modalities)
    }


def _column(opinion: Opinion) -> Opinion:
    return Opinion(opinion.loc.unsqueeze(-1), opinion.scale.unsqueeze(-1))
