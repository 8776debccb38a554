"""Turns each modality's latents from many starts, on what the encoders found.

Encoders find each modality's subspace in nearly every restart; which turn inside it needs the
fewest edges is a small problem with many local optima. With encoders held fixed it is cheap, so
each chain tries several turns at once and goes on from the best.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import pyro
import torch
from torch import Tensor, nn

from pyrocrl.data import MultimodalData
from pyrocrl.guide import AmortizedGuide, OpenEdges
from pyrocrl.modality import Unmixing
from pyrocrl.model import MultimodalSCM
from pyrocrl.scm import SCM, Mechanism
from pyrocrl.training.history import History, StageRecord
from pyrocrl.training.progress import Silence
from pyrocrl.training.sparsity import edge_penalty
from pyrocrl.training.steps import forget_divergence

__all__ = ["turn_latents"]

_STEPS = 400
_BATCH = 512
_RATE = 2e-2
_SPARSITY = 0.4
_NAME, _PURPOSE = "turn", "try several turns of each modality's latents, encoders held fixed"


def turn_latents(
    model: MultimodalSCM,
    guide: AmortizedGuide,
    subjects: MultimodalData,
    edge_cost: Tensor,
    starts: int,
    history: History,
    progress: Silence,
    max_epochs: int | None = None,
) -> None:
    """Give every chain the best of several turns: its present one, and random ones.

    Best is what training minimises: minus log p(z | A, w) with the penalty on influence. Encoders
    and decoders stay as they are; unmixing and mechanisms change.

    Args:
        model: the model in training.
        guide: its guide, with open edges.
        subjects: training subjects.
        edge_cost: (child, parent), cost of each edge's influence.
        starts: turns that every chain tries.
        history: gets a record of the stage.
        progress: where progress is shown.
        max_epochs: limit on the passes over the data.
    """
    started, done = time.perf_counter(), 0
    size = min(_BATCH, subjects.n_subjects)
    steps = _STEPS
    if max_epochs is not None:
        steps = min(steps, max(1, max_epochs * subjects.n_subjects // size))
    reason = f"ran its {steps} steps from {starts} starts a restart"
    progress.start(_NAME, steps)
    y = _encoded(guide, subjects)
    tried = _starts(model, guide, y, starts)
    optimizer = torch.optim.Adam(tried.parameters(), lr=_RATE, foreach=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    try:
        for _ in range(steps):
            rows = torch.randint(subjects.n_subjects, (size,), device=y.loc.device)
            with pyro.validation_enabled(False):
                loss = tried.cost(y.draw(rows, starts), edge_cost)
            optimizer.zero_grad(set_to_none=True)
            loss.sum().backward()
            forget_divergence(optimizer)
            optimizer.step()
            schedule.step()
            done += 1
            progress.advance("")
    except KeyboardInterrupt:
        reason = "interrupted by the user; what was found so far is kept"
    with torch.no_grad(), pyro.validation_enabled(False):
        rows = torch.arange(min(4096, subjects.n_subjects), device=y.loc.device)
        cost = tried.cost(y.draw(rows, starts), edge_cost).view(model.chains, starts)
    best = cost.nan_to_num(math.inf).argmin(1)
    _adopt(model, guide, tried, best + torch.arange(model.chains, device=best.device) * starts)
    changed = int((best > 0).sum())
    reason += f"; {changed} of {model.chains} restarts turned to a new one"
    progress.finish(reason)
    epochs = done * size // subjects.n_subjects
    seconds = time.perf_counter() - started
    history.records.append(StageRecord(_NAME, _PURPOSE, epochs, seconds, reason))


@dataclass(frozen=True)
class _Encoded:
    """What the encoders say of the training subjects, (chain, subject, node)."""

    loc: Tensor
    scale: Tensor

    def draw(self, rows: Tensor, starts: int) -> Tensor:
        loc, scale = self.loc[:, rows], self.scale[:, rows]
        return (loc + scale * torch.randn_like(loc)).repeat_interleave(starts, 0)


@torch.no_grad()
def _encoded(guide: AmortizedGuide, subjects: MultimodalData) -> _Encoded:
    encoding = guide.encode(subjects.batch())
    return _Encoded(encoding.loc, encoding.scale.masked_fill(encoding.known, 0.0))


class _Tried(nn.Module):
    """Unmixing, mechanisms and weights of all starts of all chains."""

    def __init__(
        self, unmixing: Unmixing, mechanism: Mechanism, weight: Tensor, model: MultimodalSCM
    ) -> None:
        super().__init__()
        self.unmixing, self.mechanism = unmixing, mechanism
        self.weight = nn.Parameter(weight)
        self.order = model.order
        self.allowed = torch.as_tensor(
            model.space.allowed, dtype=weight.dtype, device=weight.device
        )

    def cost(self, y: Tensor, edge_cost: Tensor) -> Tensor:
        """Penalised minus log density of each start, nats per subject."""
        matrix = self.unmixing.matrix()
        z = torch.matmul(y, matrix)
        adjacency = self.allowed.expand(self.weight.shape)
        scm = SCM(self.mechanism, adjacency, self.weight, self.order)
        influence = self.mechanism.influence(z, adjacency, self.weight)
        volume: Tensor = torch.linalg.slogdet(matrix)[1]
        penalty = _SPARSITY * edge_penalty(influence, edge_cost)
        return penalty - scm.log_prob(z).mean(1) - volume


def _starts(model: MultimodalSCM, guide: AmortizedGuide, y: _Encoded, starts: int) -> _Tried:
    """The present turn of each chain, and random turns with fresh mechanisms beside it."""
    assert isinstance(guide.edges, OpenEdges)
    chains, nodes = model.chains * starts, len(model.nodes)
    device = model.zero.device
    fresh = type(model.mechanism)(chains, nodes).to(device)
    unmixing = Unmixing(chains, model.unmixing.block).to(device)
    present = torch.arange(model.chains, device=device) * starts
    weight = torch.zeros(chains, nodes, nodes, device=device)
    with torch.no_grad():
        unmixing.turn.copy_(_random_turns(chains, model.unmixing.block))
        for new, old in zip(fresh.parameters(), model.mechanism.parameters(), strict=True):
            new[present] = old
        unmixing.turn[present] = model.unmixing.turn
        weight[present] = guide.edges.weight.squeeze(1)
    return _Tried(unmixing, fresh, weight, model)


def _random_turns(chains: int, block: Tensor) -> Tensor:
    """Random orthogonal matrices inside each block, less the identity, (chain, node, node)."""
    turns = torch.zeros(chains, *block.shape, device=block.device)
    own = (block + torch.eye(len(block), device=block.device)) > 0
    for members in {tuple(torch.nonzero(row).flatten().tolist()) for row in own}:
        at = torch.tensor(sorted(members), device=block.device)
        draws = torch.randn(chains, len(at), len(at), device=block.device)
        orthogonal = torch.linalg.qr(draws)[0]
        turns[:, at[:, None], at[None, :]] = orthogonal - torch.eye(len(at), device=block.device)
    return turns


@torch.no_grad()
def _adopt(model: MultimodalSCM, guide: AmortizedGuide, tried: _Tried, best: Tensor) -> None:
    assert isinstance(guide.edges, OpenEdges)
    model.unmixing.turn.copy_(tried.unmixing.turn[best])
    guide.edges.weight.copy_(tried.weight[best].unsqueeze(1))
    for own, new in zip(model.mechanism.parameters(), tried.mechanism.parameters(), strict=True):
        own.copy_(new[best])
