"""q(A, w): the guides of the graph, while latents are being found and once they are."""

from __future__ import annotations

from typing import Any, ClassVar

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from torch import Tensor, nn
from torch.distributions import LowerCholeskyTransform, biject_to
from torch.nn.functional import logsigmoid

from pyrocrl.model import MultimodalSCM
from pyrocrl.scm.priors import slab_of
from pyrocrl.scm.programs import adjacency_site

__all__ = ["GatesInTurn", "HyperGuide", "OpenEdges", "PairedSlab", "SpikeAndSlabGuide"]

_SCALE = 0.05
_STANDARD = dist.Normal(0.0, 1.0)


class OpenEdges(nn.Module):
    """q(A, w) while latents are being found: every edge at hand is there, with a point weight.

    Continuous sites of the edge prior stay under their prior.

    Args:
        model: the model it guides.
    """

    def __init__(self, model: MultimodalSCM) -> None:
        super().__init__()
        self.prior, self.space = model.edge_prior, model.space
        self.site, _ = adjacency_site(self.prior, self.space)
        self.edges_at_hand = model.edges_at_hand
        self.weight = nn.Parameter(torch.zeros_like(model.open_edges))

    def forward(self) -> None:
        """Sample the sites of the graph, inside the chain plate."""
        if self.site is not None:
            edges = self.edges_at_hand()
            with poutine.block(hide=[self.site]), edges.device:
                self.prior(self.space)
            pyro.sample(self.site, dist.Delta(edges, event_dim=2))
        pyro.sample("weight", dist.Delta(self.weight, event_dim=2))


class SpikeAndSlabGuide(nn.Module):
    """q(A, w): gates that know of one another, slabs that know which gates of their child are open.

    Gates of a child are drawn in turn, so that of two correlated causes one can be there when the
    other is not. The weights of its open edges are normal together, with the precision and pull of
    these edges alone: when a gate closes, the others' weights move as those of a regression do that
    loses a predictor. q(w_ij | A_ij = 0) is the prior, so a closed edge costs nothing. Continuous
    sites of the edge prior get an autoguide.

    Args:
        model: the model it guides.
        start: the open edges it starts from.
    """

    centre: Tensor
    usual: Tensor
    unit: Tensor

    def __init__(self, model: MultimodalSCM, start: OpenEdges) -> None:
        super().__init__()
        self.space, self.prior = model.space, model.edge_prior
        self.edges_at_hand = model.edges_at_hand
        self.site = start.site
        centre = start.weight.detach().clone()
        unit = torch.eye(centre.shape[-1], device=centre.device) / _SCALE
        self.register_buffer("centre", centre)
        self.register_buffer("usual", torch.zeros_like(centre))
        self.register_buffer("unit", unit.expand(*centre.shape, -1).clone())
        self.shift = nn.Parameter(torch.zeros_like(self.centre))
        self.stretch = nn.Parameter(torch.zeros_like(self.unit))
        self.logit = nn.Parameter(torch.zeros_like(self.centre))
        self.bond = nn.Parameter(torch.zeros_like(self.unit))
        self.hyper = HyperGuide(model, beside=start.site)

    @torch.no_grad()
    def begin_at(self, centre: Tensor, precision: Tensor, logit: Tensor) -> None:
        """Start anew, with parameters that count in standard deviations of what is given.

        Args:
            centre: (chain, 1, child, parent), the weights where every edge is open.
            precision: (chain, 1, child, parent, parent), that of a child's weights there.
            logit: (chain, 1, child, parent), log odds of the gates.
        """
        self.centre.copy_(centre)
        self.unit.copy_(torch.linalg.cholesky(precision))
        self.shift.zero_()
        self.stretch.zero_()
        self.logit.copy_(logit)
        self.bond.zero_()
        self.usual.copy_(logit.sigmoid())

    def forward(self) -> None:
        """Sample the sites of the graph, inside the chain plate."""
        self.hyper()
        gate = self.highest() if self.site is None else pyro.sample(self.site, self.gates())
        pyro.sample("weight", self.slabs(gate))

    def gates(self) -> GatesInTurn:
        """q(A), (chain, 1) batches of (child, parent)."""
        return GatesInTurn(self.logit, self.bond, self.usual, self.lowest(), self.highest())

    def lowest(self) -> Tensor:
        """(chain, 1, child, parent), 1 where a gate must be open."""
        return self.space.admit(torch.zeros_like(self.logit)) * self.edges_at_hand()

    def highest(self) -> Tensor:
        """(chain, 1, child, parent), 1 where a gate may be open."""
        return self.space.admit(torch.ones_like(self.logit)) * self.edges_at_hand()

    def slabs(self, gate: Tensor) -> PairedSlab:
        """q(w | A).

        Args:
            gate: (chain, 1, child, parent), zeros and ones.
        """
        root = self.unit @ LowerCholeskyTransform()(self.stretch)
        shift = torch.linalg.solve_triangular(self.unit.mT, self.shift.unsqueeze(-1), upper=True)
        prior = slab_of(self.prior, self.centre.device)
        return PairedSlab(gate, self.centre + shift.squeeze(-1), root @ root.mT, prior)

    def probabilities(self) -> Tensor:
        """Inclusion probabilities of the variational posterior, (chain, 1, child, parent)."""
        return self.highest() if self.site is None else self.gates().mean


class HyperGuide(nn.Module):
    """q of an edge prior's continuous sites: independent normals in unconstrained space.

    Args:
        model: the model whose edge prior it guides.
        beside: the adjacency's site, which has a guide of its own.
    """

    def __init__(self, model: MultimodalSCM, beside: str | None) -> None:
        super().__init__()
        _, sites = adjacency_site(model.edge_prior, model.space)
        self.transforms = {}
        self.locs, self.log_scales = nn.ParameterDict(), nn.ParameterDict()
        for name, site in sites.items():
            if name == beside:
                continue
            transform = biject_to(site["fn"].support)
            start = transform.inv(site["fn"].mean if _has_mean(site["fn"]) else site["value"])
            own = start.expand(model.chains, 1, *start.shape).clone()
            self.transforms[name] = transform
            self.locs[_key(name)] = nn.Parameter(own)
            self.log_scales[_key(name)] = nn.Parameter(torch.full_like(own, -1.0))

    def forward(self) -> None:
        """Sample the prior's continuous sites, inside the chain plate."""
        for name, transform in self.transforms.items():
            normal = dist.Normal(self.locs[_key(name)], self.log_scales[_key(name)].exp())
            own = dist.TransformedDistribution(normal, transform)
            pyro.sample(name, own.to_event(normal.loc.ndim - 2 - transform.codomain.event_dim))


def _key(site: str) -> str:
    return site.replace(".", "$")


def _has_mean(distribution: dist.TorchDistribution) -> bool:
    try:
        return bool(torch.isfinite(distribution.mean).all())
    except NotImplementedError:
        return False


class GatesInTurn(dist.TorchDistribution):
    """Gates drawn parent by parent, each given the gates of the same child before it.

    logit P(A_ij = 1 | A_i1 .. A_i,j-1) = logit_ij + sum_{k < j} bond_ijk (A_ik - usual_ik).

    Args:
        logit: (..., child, parent).
        bond: (..., child, parent, earlier parent); what is not earlier does not count.
        usual: (..., child, parent), how often gates are open about; a bond to one that is as usual
            says nothing.
        lowest: the same, 1 where a gate must be open.
        highest: the same, 1 where it may be open.

    Source: Frey (1998), Graphical models for machine learning and digital communication (sigmoid
    belief networks that are fully visible).
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}
    support = dist.constraints.boolean

    def __init__(
        self, logit: Tensor, bond: Tensor, usual: Tensor, lowest: Tensor, highest: Tensor
    ) -> None:
        self.logit, self.bond, self.usual = logit, bond.tril(-1), usual
        self.lowest, self.free = lowest, highest > lowest
        super().__init__(logit.shape[:-2], logit.shape[-2:], validate_args=False)

    def expand(self, batch_shape: torch.Size, _instance: object = None) -> GatesInTurn:
        """The same distribution; its batch shape is (chain, 1) already."""
        return self

    @torch.no_grad()
    def sample(self, sample_shape: torch.Size | tuple[int, ...] = ()) -> Tensor:
        """Draw gates."""
        return self._draw(sample_shape)[0]

    def child_log_prob(self, value: Tensor) -> Tensor:
        """Log probability of every child's gates, (..., child)."""
        logit = self.logit + (self.bond @ (value - self.usual).unsqueeze(-1)).squeeze(-1)
        of_each = logsigmoid(torch.where(value > 0, logit, -logit))
        return torch.where(self.free, of_each, 0.0).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log probability of all gates together."""
        return self.child_log_prob(value).sum(-1)

    @property
    @torch.no_grad()
    def mean(self) -> Tensor:
        """Probability of every gate: 4,000 draws, which are off by .01 or so at most."""
        generator = torch.Generator(self.logit.device).manual_seed(0)
        parts = [self._draw((200,), generator)[1].mean(0) for _ in range(20)]
        return torch.stack(parts).mean(0)

    def _draw(
        self, sample_shape: torch.Size | tuple[int, ...], generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Gates, and the probability of each given those before it."""
        gate = self.lowest.expand(*sample_shape, *self.lowest.shape).clone()
        probability = gate.clone()
        for parent in range(gate.shape[-1]):
            pull = (self.bond[..., parent, :] * (gate - self.usual)).sum(-1)
            opens = (self.logit[..., parent] + pull).sigmoid()
            probability[..., parent] = torch.where(
                self.free[..., parent], opens, self.lowest[..., parent]
            )
            gate[..., parent] = torch.bernoulli(probability[..., parent], generator=generator)
        return gate, probability


class PairedSlab(dist.TorchDistribution):
    """q(w | A): normal where gates are open, the prior slab where they are closed.

    With all edges of a child open its weights are Normal(loc, precision^-1); with some closed, the
    open ones are Normal(P^-1 h, P^-1), P and h being the rows and columns of the open ones in
    precision and precision @ loc.

    Args:
        gate: (..., child, parent), zeros and ones.
        loc: the same shape, mean where all are open.
        precision: (..., child, parent, parent), where all are open.
        prior: the slab of one edge.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}
    support = dist.constraints.real
    has_rsample = True

    def __init__(
        self, gate: Tensor, loc: Tensor, precision: Tensor, prior: dist.TorchDistribution
    ) -> None:
        self.gate = gate
        self.pull = (precision @ loc.unsqueeze(-1)).squeeze(-1) * gate
        both_open = gate.unsqueeze(-1) * gate.unsqueeze(-2)
        # Unchecked: a restart that diverged must not stop the others.
        self.root = torch.linalg.cholesky_ex(precision * both_open + torch.diag_embed(1 - gate)).L
        self.loc = torch.cholesky_solve(self.pull.unsqueeze(-1), self.root).squeeze(-1)
        self.closed = prior.expand(loc.shape)
        super().__init__(loc.shape[:-2], loc.shape[-2:], validate_args=False)

    def expand(self, batch_shape: torch.Size, _instance: object = None) -> PairedSlab:
        """The same distribution; its batch shape is (chain, 1) already."""
        return self

    def rsample(self, sample_shape: torch.Size | tuple[int, ...] = ()) -> Tensor:
        """Draw weights, differentiable in the open slabs' parameters."""
        noise = torch.randn(*sample_shape, *self.loc.shape, 1, device=self.loc.device)
        off = torch.linalg.solve_triangular(self.root.mT, noise, upper=True).squeeze(-1)
        return torch.where(self.gate > 0, self.loc + off, self.closed.sample(sample_shape))

    def child_log_prob(self, value: Tensor) -> Tensor:
        """Log density of every child's weights, (..., child)."""
        off = ((value - self.loc) * self.gate).unsqueeze(-1)
        standardised = (self.root.mT @ off).squeeze(-1)
        opened = (_STANDARD.log_prob(standardised) * self.gate).sum(-1) + self.log_root()
        log_prob: Tensor = opened + ((1 - self.gate) * self.closed.log_prob(value)).sum(-1)
        return log_prob

    def log_root(self) -> Tensor:
        """Half the log determinant of the precision of a child's open weights, (..., child)."""
        log_root: Tensor = self.root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return log_root

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density of all weights together."""
        return self.child_log_prob(value).sum(-1)
