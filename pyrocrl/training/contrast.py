"""The causal contrast: which subject goes with which, as the causal graph itself would tell.

What a modality's latents owe to the others is the part of the model that identifies them. A
contrastive loss learns it from encoders alone: the log ratio p(z^m | z^rest) / p(z^m) is

    -1/2 sum_c ((z_c - h_c(inner parents) - f_c(cross parents)) / s_c)^2 + a(z^m) + b(z^rest)

where children c have additive mechanisms with normal noise; a and b are free. Because z_c enters
as it is, the score is best where each latent is one node of such a graph, and a price on
influence makes it the graph with few edges. No decoder and no Jacobian is needed, so this finds
subspaces and latents that the ELBO alone takes long for, or never finds where mixing is strong.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pyrocrl.guide import Encoding
from pyrocrl.modality import ChainMLP
from pyrocrl.model import MultimodalSCM
from pyrocrl.scm.mechanisms import ParentNetwork
from pyrocrl.training.sparsity import edge_penalty

__all__ = ["CausalContrast", "Effects"]

_HIDDEN = 32
_EFFECT_HIDDEN = 24
_LOG_SCALES = (-4.0, 3.0)
_ANCHOR = 0.1
_PARTNERS = 128
_SUBJECTS_FOR_SLOPES = 128


class CausalContrast(nn.Module):
    """Symmetric InfoNCE of each modality with the modalities that may cause it.

    Args:
        model: the model whose latents are looked for.
        edge_cost: (child, parent), cost of each edge's influence.

    Source: van den Oord et al. (2018), Representation learning with contrastive predictive coding,
    for the loss; Sun et al. (2025), theorem 4.4, for the sparsest graph.
    """

    edge_cost: Tensor

    def __init__(self, model: MultimodalSCM, edge_cost: Tensor) -> None:
        super().__init__()
        self.register_buffer("edge_cost", edge_cost, persistent=False)
        chains, size = model.chains, len(model.nodes)
        allowed = torch.from_numpy(model.space.allowed).float()
        inner = torch.from_numpy(model.nodes.inner).float()
        self.cross = Effects(chains, allowed * (1 - inner))
        self.inner = Effects(chains, allowed * inner)
        self.log_scale = nn.Parameter(torch.zeros(chains, 1, size))
        causes = {
            name: (allowed * (1 - inner))[own].any(0) for name, own in model.positions.items()
        }
        self.causes = {name: own.nonzero()[:, 0] for name, own in causes.items() if own.any()}
        self.positions = {name: model.positions[name] for name in self.causes}
        self.own = nn.ModuleDict(
            {
                name: ChainMLP(chains, [own.stop - own.start, _HIDDEN, 1])
                for name, own in self.positions.items()
            }
        )
        self.rest = nn.ModuleDict(
            {
                name: ChainMLP(chains, [len(causes), _HIDDEN, 1])
                for name, causes in self.causes.items()
            }
        )

    def forward(self, encoding: Encoding, unmixing: Tensor, sparsity: float = 0.0) -> Tensor:
        """Contrastive loss of every chain in nats per subject, (chain,).

        Args:
            encoding: what the encoders say about the batch.
            unmixing: (chain, node, node), R.
            sparsity: weight of the price on influence.
        """
        z, anchor = _standardised(torch.matmul(encoding.loc, unmixing))
        loss = self.nats(z, _PARTNERS).mean(1) + _ANCHOR * anchor
        if sparsity > 0:
            loss = loss + sparsity * edge_penalty(self.influence(z), self.edge_cost)
        return loss

    def nats(self, z: Tensor, partners: int) -> Tensor:
        """What picking the right partners costs, (chain, subject), summed over modalities.

        Args:
            z: (chain, subject, node), standardised.
            partners: subjects to pick from; a rest that is no multiple of it is left out.
        """
        partners = min(partners, z.shape[1])
        blocks = z.shape[1] // partners
        z = z[:, : blocks * partners]
        precision = (-self.log_scale.clamp(*_LOG_SCALES)).exp()
        told = self.cross(z) * precision
        left = (z - self.inner(z)) * precision
        total = z.new_zeros(len(z), blocks, partners)

        def apart(values: Tensor) -> Tensor:
            return values.reshape(len(values), blocks, partners, -1)

        for name, own in self.positions.items():
            score = -0.5 * _squared_distances(apart(told[..., own]), apart(left[..., own]))
            score = score + apart(self.own[name](z[..., own])).mT
            score = score + apart(self.rest[name](z[..., self.causes[name]]))
            total = total + 0.5 * (_wrong_partner(score) + _wrong_partner(score.mT))
        return total.flatten(1)

    @torch.no_grad()
    def log_match(self, encoding: Encoding, unmixing: Tensor) -> Tensor:
        """Log probability of the right partners among all these subjects, (chain, subject)."""
        z, _ = _standardised(torch.matmul(encoding.loc, unmixing))
        return -self.nats(z, z.shape[1])

    def influence(self, z: Tensor) -> Tensor:
        """Mean absolute effect of each parent on each child, (chain, child, parent).

        Args:
            z: (chain, subject, node), standardised.
        """
        few = z[:, :_SUBJECTS_FOR_SLOPES]
        return (self.cross.slopes(few) + self.inner.slopes(few)).abs().mean(1)


class Effects(nn.Module):
    """A linear and a bent function of every child's parents.

    Args:
        chains: number of chains.
        mask: (child, parent), 1 where a parent counts.
    """

    mask: Tensor

    def __init__(self, chains: int, mask: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask.expand(chains, *mask.shape).clone(), persistent=False)
        self.weight = nn.Parameter(torch.zeros_like(self.mask))
        self.network = ParentNetwork(chains, len(mask), _EFFECT_HIDDEN, outputs=1)

    def forward(self, z: Tensor) -> Tensor:
        """(chain, subject, node) -> the parents' effect on each child, the same shape."""
        bent: Tensor = self.network(z, self.mask)[..., 0]
        return bent + torch.bmm(z, (self.mask * self.weight).mT)

    def slopes(self, z: Tensor) -> Tensor:
        """Derivatives of each effect by each parent, (chain, subject, child, parent)."""
        bent = self.network.jacobian(z, self.mask)[..., 0, :]
        return bent + (self.mask * self.weight).unsqueeze(1)


def _standardised(z: Tensor) -> tuple[Tensor, Tensor]:
    """Latents in units of the batch, and how far they are from such units, (chain,)."""
    mean, deviation = z.mean(1, keepdim=True), z.std(1, keepdim=True) + 1e-4
    distance = (mean**2 + (deviation - 1) ** 2).sum((1, 2))
    return (z - mean) / deviation, distance


def _squared_distances(one: Tensor, other: Tensor) -> Tensor:
    norms = (one**2).sum(-1).unsqueeze(-1) + (other**2).sum(-1).unsqueeze(-2)
    return norms - 2 * torch.matmul(one, other.mT)


def _wrong_partner(scores: Tensor) -> Tensor:
    chosen: Tensor = scores.log_softmax(-1).diagonal(dim1=-2, dim2=-1)
    return -chosen
