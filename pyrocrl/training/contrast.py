"""The causal contrast: which subject goes with which, as the causal graph itself would tell.

What a modality's latents owe to the others is the part of the model that identifies them. A
contrastive loss learns it from encoders alone: the log ratio p(z^m, z^rest) / p(z^m) p(z^rest) is

    -1/2 sum_c ((z_c - h_c(inner parents) - f_c(cross parents)) / s_c)^2 + a(z^m) + b(z^rest)

where children c have additive mechanisms with normal noise; a and b are free. Because z_c enters
as it is, the score is best where each latent is one node of such a graph, and a price on
influence makes it the graph with few edges. No decoder and no Jacobian is needed, so this finds
subspaces and latents that the ELBO alone takes long for, or never finds where mixing is strong.

Where modalities show variables that are nodes themselves, a latent that they share for one, these
would tell subjects apart best of all, and every latent would become one of them. There partners are
subjects with similar values of those variables, so that only what lies beyond them counts.

Where the order of modalities is known, the rest are a modality's possible causes, and c runs over
its own latents; where it is open, an edge may join it to the rest in either direction.

A subject who lacks a modality has no term of it. In the terms of others its latents stand at their
mean, and how much less the subject then says of each child is learned: a factor on 1 / s_c.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from pyrocrl.guide import Encoding
from pyrocrl.modality import ChainMLP
from pyrocrl.model import MultimodalSCM
from pyrocrl.training.effects import Effects
from pyrocrl.training.sparsity import edge_penalty

__all__ = [
    "PARTNERS",
    "CausalContrast",
    "KnownOrderContrast",
    "OpenOrderContrast",
    "causal_contrast",
]

_HIDDEN = 32
_LOG_SCALES = (-4.0, 3.0)
_ANCHOR = 0.1
PARTNERS = 128
_SUBJECTS_FOR_SLOPES = 128
_LOG_DOUBT = -2.0
_FEWEST_PARTNERS = 2


class CausalContrast(nn.Module, ABC):
    """Symmetric InfoNCE of each modality with the rest.

    Args:
        model: the model whose latents are looked for.
        edge_cost: (child, parent), cost of each edge's influence.
        cross: the effects between modalities.
        rest: for each modality that others tell of: positions of the nodes that may.

    Source: van den Oord et al. (2018), Representation learning with contrastive predictive coding,
    for the loss; Sun et al. (2025), theorem 4.4, for the sparsest graph.
    """

    edge_cost: Tensor

    def __init__(
        self, model: MultimodalSCM, edge_cost: Tensor, cross: nn.Module, rest: Mapping[str, Tensor]
    ) -> None:
        super().__init__()
        self.register_buffer("edge_cost", edge_cost, persistent=False)
        chains, size = model.chains, len(model.nodes)
        _, within = _allowed(model)
        self.cross = cross
        self.inner = Effects(chains, within)
        self.log_scale = nn.Parameter(torch.zeros(chains, 1, size))
        self.firsts = [own.start for own in model.positions.values() if own.stop > own.start]
        # How much less is said of a child where a modality is absent, (chain, modality, child).
        self.doubt = nn.Parameter(torch.full((chains, len(self.firsts), size), _LOG_DOUBT))
        self.rest_of = dict(rest)
        self.positions = {name: model.positions[name] for name in rest}
        self.own = nn.ModuleDict(
            {
                name: ChainMLP(chains, [own.stop - own.start, _HIDDEN, 1])
                for name, own in self.positions.items()
            }
        )
        self.rest = nn.ModuleDict(
            {name: ChainMLP(chains, [len(others), _HIDDEN, 1]) for name, others in rest.items()}
        )

    @abstractmethod
    def sides(self, z: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """For each modality what it says and what the rest say of the same children.

        Args:
            z: (chain, subject, node), standardised.

        Returns:
            Pairs (chain, subject, child) in standard deviations of the exogenous noise; where they
            agree, a modality and the rest go together.
        """

    @abstractmethod
    def cross_slopes(self, z: Tensor) -> Tensor:
        """Derivatives of effects between modalities, (chain, subject, child, parent)."""

    def forward(self, encoding: Encoding, unmixing: Tensor, sparsity: float = 0.0) -> Tensor:
        """Contrastive loss of every chain in nats per subject, (chain,).

        Args:
            encoding: what the encoders say about the batch.
            unmixing: (chain, node, node), R.
            sparsity: weight of the price on influence.
        """
        z, anchor = self._latents(encoding, unmixing)
        loss = self.nats(z, PARTNERS, encoding.absent).mean(1) + _ANCHOR * anchor
        if sparsity > 0:
            if encoding.absent is not None:
                z = z[:, _least_absent_first(encoding.absent)]
            loss = loss + sparsity * edge_penalty(self.influence(z), self.edge_cost)
        return loss

    def nats(self, z: Tensor, partners: int, absent: Tensor | None = None) -> Tensor:
        """What picking the right partners costs, (chain, subject), summed over modalities.

        Args:
            z: (chain, subject, node), standardised; 0 where a subject lacks the modality.
            partners: subjects to pick from; a rest that is no multiple of it is left out.
            absent: (subject, node), True there; None where nobody lacks a modality.
        """
        partners = min(partners, z.shape[1])
        blocks = z.shape[1] // partners
        z = z[:, : blocks * partners]
        if absent is not None:
            return self._nats_of_those_there(z, blocks, absent[: blocks * partners])
        total = z.new_zeros(len(z), blocks, partners)

        def apart(values: Tensor) -> Tensor:
            return values.reshape(len(values), blocks, partners, -1)

        for name, (said, told) in self.sides(z).items():
            score = -0.5 * _squared_distances(apart(told), apart(said))
            score = score + apart(self.own[name](z[..., self.positions[name]])).mT
            score = score + apart(self.rest[name](z[..., self.rest_of[name]]))
            total = total + 0.5 * (_wrong_partner(score) + _wrong_partner(score.mT))
        return total.flatten(1)

    def _nats_of_those_there(self, z: Tensor, blocks: int, absent: Tensor) -> Tensor:
        """The same; a term is of those who have the modality and any of the rest.

        Others have 0 of it, and the term counts as much in the mean as if everybody had it.
        """
        total = z.new_zeros(z.shape[:2])
        for name, (said, told) in self.sides(z).items():
            gone = absent[:, self.positions[name].start] | absent[:, self.rest_of[name]].all(1)
            there = (~gone).nonzero()[:, 0]
            partners = len(there) // blocks
            if partners < _FEWEST_PARTNERS:
                continue
            rows = there[: blocks * partners]
            parts = (told, said, self._trust(name, absent, said.shape[-1]))
            score = _trusted_score(*(_blocks(own[:, rows], blocks) for own in parts))
            own, rest = z[:, rows][..., self.positions[name]], z[:, rows][..., self.rest_of[name]]
            score = score + _blocks(self.own[name](own), blocks).mT
            score = score + _blocks(self.rest[name](rest), blocks)
            nats = 0.5 * (_wrong_partner(score) + _wrong_partner(score.mT)).flatten(1)
            total = total.index_add(1, rows, nats * (z.shape[1] / len(rows)))
        return total

    @torch.no_grad()
    def log_match(self, encoding: Encoding, unmixing: Tensor) -> Tensor:
        """Log probability of the right partners among all these subjects, (chain, subject)."""
        z, _ = self._latents(encoding, unmixing)
        return -self.nats(z, z.shape[1], encoding.absent)

    def influence(self, z: Tensor) -> Tensor:
        """Mean absolute effect of each parent on each child, (chain, child, parent).

        Args:
            z: (chain, subject, node), standardised.
        """
        few = z[:, :_SUBJECTS_FOR_SLOPES]
        return (self.cross_slopes(few) + self.inner.slopes(few)).abs().mean(1)

    def _latents(self, encoding: Encoding, unmixing: Tensor) -> tuple[Tensor, Tensor]:
        """Latents in units of the batch, 0 where absent, and how far they are from such units."""
        z = torch.matmul(encoding.loc, unmixing)
        return _standardised(z) if encoding.absent is None else _where_there(z, encoding.absent)

    def _trust(self, name: str, absent: Tensor, children: int) -> Tensor:
        """Factor on 1 / s of the children of a modality's term, (chain, subject, child).

        It is 0 where the child itself is absent in the rest.
        """
        own = self.positions[name]
        where = own if children == own.stop - own.start else slice(None)
        gone = absent[:, self.firsts].to(self.doubt.dtype)
        trust = (-torch.matmul(gone, nn.functional.softplus(self.doubt[..., where]))).exp()
        return trust * (~absent[:, where])

    def precision(self) -> Tensor:
        """One over the exogenous noise's standard deviation, (chain, 1, node)."""
        return (-self.log_scale.clamp(*_LOG_SCALES)).exp()


class KnownOrderContrast(CausalContrast):
    """The rest are the modalities that may cause this one; they tell its own latents.

    Args:
        model: the model whose latents are looked for; its order is known.
        edge_cost: (child, parent), cost of each edge's influence.
    """

    cross: Effects

    def __init__(self, model: MultimodalSCM, edge_cost: Tensor) -> None:
        between, _ = _allowed(model)
        causes = {
            name: between[own].any(0).nonzero()[:, 0] for name, own in model.positions.items()
        }
        rest = {name: own for name, own in causes.items() if len(own)}
        super().__init__(model, edge_cost, Effects(model.chains, between), rest)

    def sides(self, z: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """See `CausalContrast.sides`."""
        told, left = self.cross(z) * self.precision(), (z - self.inner(z)) * self.precision()
        return {name: (left[..., own], told[..., own]) for name, own in self.positions.items()}

    def cross_slopes(self, z: Tensor) -> Tensor:
        """See `CausalContrast.cross_slopes`."""
        return self.cross.slopes(z)


class OpenOrderContrast(CausalContrast):
    """The rest are all other modalities: they tell this one's latents, and it tells theirs.

    A child's effects add up over the modalities that its parents are of. In graphs with cycles the
    volume of the solution is left to a and b, which is exact for cycles inside a modality.

    Args:
        model: the model whose latents are looked for; an edge may go either way.
        edge_cost: (child, parent), cost of each edge's influence.
    """

    cross: nn.ModuleDict

    def __init__(self, model: MultimodalSCM, edge_cost: Tensor) -> None:
        between, _ = _allowed(model)
        effects, rest = {}, {}
        for name, own in model.positions.items():
            mine = torch.zeros(len(between))
            mine[own] = 1
            joined = bool(between[own].any()) or bool(between[:, own].any())
            if joined and bool((mine == 0).any()):
                effects[name] = Effects(model.chains, between * mine)
                rest[name] = (mine == 0).nonzero()[:, 0]
        super().__init__(model, edge_cost, nn.ModuleDict(effects), rest)

    def sides(self, z: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """See `CausalContrast.sides`."""
        effects = {name: self._of(name)(z) * self.precision() for name in self.positions}
        told = _summed(effects.values(), z)
        left = (z - self.inner(z)) * self.precision()
        # A modality says its own latents and tells others' by its effect; the rest do the reverse.
        return {
            name: (
                _joined(left, effects[name], own),
                _joined(told, left - told + effects[name], own),
            )
            for name, own in self.positions.items()
        }

    def cross_slopes(self, z: Tensor) -> Tensor:
        """See `CausalContrast.cross_slopes`."""
        by_source = [self._of(name).slopes(z) for name in self.positions]
        return _summed(by_source, z.unsqueeze(-1).expand(-1, -1, -1, z.shape[-1]))

    def _of(self, name: str) -> Effects:
        """Effects of this modality's latents on the others."""
        effects = self.cross[name]
        assert isinstance(effects, Effects)
        return effects


def causal_contrast(model: MultimodalSCM, edge_cost: Tensor) -> CausalContrast:
    """The contrast for what is known of the model's order.

    Args:
        model: the model whose latents are looked for.
        edge_cost: (child, parent), cost of each edge's influence.
    """
    kind = KnownOrderContrast if model.space.rule == "modality" else OpenOrderContrast
    return kind(model, edge_cost)


def _allowed(model: MultimodalSCM) -> tuple[Tensor, Tensor]:
    """Edges that may be between modalities and inside them, (child, parent)."""
    allowed = torch.from_numpy(model.space.allowed).float()
    inner = torch.from_numpy(model.nodes.inner).float()
    return allowed * (1 - inner), allowed * inner


def _joined(own: Tensor, others: Tensor, where: slice) -> Tensor:
    """Values of `own` in the nodes `where`, of `others` in the rest."""
    return torch.cat(
        [others[..., : where.start], own[..., where], others[..., where.stop :]], dim=-1
    )


def _standardised(z: Tensor) -> tuple[Tensor, Tensor]:
    """Latents in units of the batch, and how far they are from such units, (chain,)."""
    mean, deviation = z.mean(1, keepdim=True), z.std(1, keepdim=True) + 1e-4
    distance = (mean**2 + (deviation - 1) ** 2).sum((1, 2))
    return (z - mean) / deviation, distance


def _where_there(z: Tensor, absent: Tensor) -> tuple[Tensor, Tensor]:
    """`_standardised` over those who have the modality; the others are put at the mean."""
    there = (~absent).to(z.dtype)
    count = there.sum(0).clamp_min(2.0)
    mean = (z * there).sum(1, keepdim=True) / count
    centred = (z - mean) * there
    deviation = ((centred**2).sum(1, keepdim=True) / (count - 1)).sqrt() + 1e-4
    distance = (mean**2 + (deviation - 1) ** 2).sum((1, 2))
    return centred / deviation, distance


def _summed(parts: Iterable[Tensor], like: Tensor) -> Tensor:
    """Zeros where there are none, as when all nodes are variables of one modality."""
    found = list(parts)
    return torch.stack(found).sum(0) if found else torch.zeros_like(like)


def _least_absent_first(absent: Tensor) -> Tensor:
    """Subjects whose latents stand at the mean for want of a modality come last."""
    return absent.sum(1).argsort(stable=True)


def _blocks(values: Tensor, blocks: int) -> Tensor:
    """(chain, subject, value) -> (chain, block, partner, value)."""
    apart: Tensor = values.unflatten(1, (blocks, -1))
    return apart


def _trusted_score(told: Tensor, said: Tensor, trust: Tensor) -> Tensor:
    """Normal log densities of what is said around what is told, with a precision by subject told.

    Args:
        told: (chain, block, partner, child).
        said: likewise.
        trust: likewise, factor on the precision; 0 leaves a child out.

    Returns:
        (chain, block, told, said), but for constants.
    """
    squared = trust**2
    distance = torch.matmul(squared, (said**2).mT) - 2 * torch.matmul(squared * told, said.mT)
    distance = distance + (squared * told**2).sum(-1, keepdim=True)
    volume = trust.clamp_min(1e-6).log() * (trust > 0)
    return volume.sum(-1, keepdim=True) - 0.5 * distance


def _squared_distances(one: Tensor, other: Tensor) -> Tensor:
    norms = (one**2).sum(-1).unsqueeze(-1) + (other**2).sum(-1).unsqueeze(-2)
    return norms - 2 * torch.matmul(one, other.mT)


def _wrong_partner(scores: Tensor) -> Tensor:
    chosen: Tensor = scores.log_softmax(-1).diagonal(dim1=-2, dim2=-1)
    return -chosen
