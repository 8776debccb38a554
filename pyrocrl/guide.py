"""AmortizedGuide: encoders give q(z, eta | x), an edge guide gives q(A, w)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from torch import Tensor, nn
from torch.distributions import biject_to

from pyrocrl.data import Batch, MultimodalData
from pyrocrl.modality import ChainMLP, TabularEncoder, UnmixedNormal
from pyrocrl.model import MultimodalSCM
from pyrocrl.scm.priors import adjacency_site, slab_of

__all__ = ["AmortizedGuide", "Encoding", "OpenEdges", "SpikeAndSlabGuide"]


@dataclass(frozen=True)
class Encoding:
    """What the encoders say about a batch.

    Attributes:
        loc: (chain, subject, node), means in the encoders' coordinates y; measured variables as
            they are.
        scale: the same, standard deviations.
        known: (subject, node), True where a node is measured itself.
        eta: mean and standard deviation of each modality's noise, (chain, subject, noise).
    """

    loc: Tensor
    scale: Tensor
    known: Tensor
    eta: dict[str, tuple[Tensor, Tensor]]


class AmortizedGuide(nn.Module):
    """q(z, eta | x) by one encoder per modality, and q(A, w) by an edge guide.

    A modality's latents are encoded from that modality alone. Measured variables are known; where
    a variable's cell is missing, a small network completes it from everything else.

    Args:
        model: the model it guides.
        data: the measurements; only their shapes and what is missing are used.
        hidden: units of each hidden layer of the encoders.

    Example:
        >>> from pyrocrl.simulate import numerical_case
        >>> data, _ = numerical_case(1, n_subjects=50)
        >>> model = MultimodalSCM(data, latents=2, chains=3)
        >>> AmortizedGuide(model, data)(data.batch()).loc.shape
        torch.Size([3, 50, 4])
    """

    def __init__(self, model: MultimodalSCM, data: MultimodalData, hidden: int = 64) -> None:
        super().__init__()
        self.chains, self.size = model.chains, len(model.nodes)
        self.positions, self.variable_names = model.positions, model.variable_names
        self.unmixing = model.unmixing
        self.chain_plate, self.subject_plate = model.chain_plate, model.subject_plate
        self.latents = {name: len(model.nodes.of(name)) for name in model.table_names}
        self.encoders = nn.ModuleDict(
            {
                name: TabularEncoder(
                    model.chains, data[name].width, latents + model.noise[name], hidden
                )
                for name, latents in self.latents.items()
            }
        )
        missing = [name for name in model.variable_names if data[name].has_missing]
        self.completion = (
            ChainMLP(model.chains, [2 * self.size, 32, 2 * self.size]) if missing else None
        )
        self.edges: OpenEdges | SpikeAndSlabGuide = OpenEdges(model)

    def forward(self, batch: Batch) -> Encoding:
        """Draw the graph, and latents and noises of a batch of subjects.

        Returns:
            What the encoders say about the batch.
        """
        encoding = self.encode(batch)
        with self.chain_plate():
            self.edges()
            with self.subject_plate(batch):
                pyro.sample("z", self.latent_posterior(encoding))
                for name, (loc, scale) in encoding.eta.items():
                    pyro.sample(f"{name}.eta", dist.Normal(loc, scale).to_event(1))
        return encoding

    def latent_posterior(self, encoding: Encoding) -> UnmixedNormal:
        """q(z | x) of a batch."""
        return UnmixedNormal(encoding.loc, encoding.scale, self.unmixing.matrix(), encoding.known)

    def encode(self, batch: Batch) -> Encoding:
        """Means and standard deviations of latents and noises of a batch."""
        locs, scales, known, eta = [], [], [], {}
        for name in self.positions:
            if name in self.latents:
                latents = self.latents[name]
                mean, deviation = self.encoders[name](batch.values[name], batch.observed[name])
                locs.append(mean[..., :latents])
                scales.append(deviation[..., :latents])
                eta[name] = mean[..., latents:], deviation[..., latents:]
                known.append(torch.zeros_like(mean[0, :, :latents], dtype=torch.bool))
            else:
                measured = batch.values[name].expand(self.chains, -1, -1)
                locs.append(measured)
                scales.append(torch.ones_like(measured))
                known.append(batch.observed[name])
        loc, scale = torch.cat(locs, -1), torch.cat(scales, -1)
        is_known = torch.cat(known, -1)
        if self.completion is not None:
            loc, scale = self._complete(loc, scale, is_known)
        return Encoding(loc, scale, is_known, eta)

    def gate_probabilities(self) -> Tensor | None:
        """Inclusion probabilities of the variational gates, (chain, 1, child, parent).

        None while the edges are still open.
        """
        if isinstance(self.edges, OpenEdges):
            return None
        return self.edges.probabilities().detach()

    def _complete(self, loc: Tensor, scale: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        variables = torch.zeros(self.size, dtype=torch.bool, device=loc.device)
        for name in self.variable_names:
            variables[self.positions[name]] = True
        missing = variables & ~known
        assert self.completion is not None
        told = torch.cat([loc.detach(), missing.to(loc.dtype).expand_as(loc)], -1)
        mean, log_deviation = self.completion(told).chunk(2, -1)
        deviation = log_deviation.clamp(-7.0, 2.0).exp()
        return torch.where(missing, mean, loc), torch.where(missing, deviation, scale)


class OpenEdges(nn.Module):
    """q(A, w) while latents are being found: every possible edge is there, with a point weight.

    Continuous sites of the edge prior stay under their prior.

    Args:
        model: the model it guides.
    """

    allowed: Tensor

    def __init__(self, model: MultimodalSCM) -> None:
        super().__init__()
        self.prior, self.space = model.edge_prior, model.space
        self.site, _ = adjacency_site(self.prior, self.space)
        self.register_buffer(
            "allowed", torch.from_numpy(self.space.allowed).float(), persistent=False
        )
        self.weight = nn.Parameter(torch.zeros(model.chains, 1, *self.allowed.shape))

    def forward(self) -> None:
        """Sample the sites of the graph, inside the chain plate."""
        if self.site is not None:
            with poutine.block(hide=[self.site]), self.allowed.device:
                self.prior(self.space)
            pyro.sample(self.site, dist.Delta(self.allowed, event_dim=2))
        pyro.sample("weight", dist.Delta(self.weight, event_dim=2))


class SpikeAndSlabGuide(nn.Module):
    """q(A, w): independent gates, and a slab of its own for each gate that is open.

    q(w_ij | A_ij = 1) is normal and learned; q(w_ij | A_ij = 0) is the prior, so a closed edge
    costs nothing. Continuous sites of the edge prior get an autoguide.

    Args:
        model: the model it guides.
        start: the open edges it starts from.
    """

    def __init__(self, model: MultimodalSCM, start: OpenEdges) -> None:
        super().__init__()
        self.space, self.prior = model.space, model.edge_prior
        self.site = start.site
        self.loc = nn.Parameter(start.weight.detach().clone())
        self.log_scale = nn.Parameter(torch.full_like(self.loc, -3.0))
        self.logit = nn.Parameter(torch.zeros_like(self.loc))
        self.hyper = HyperGuide(model, beside=start.site)

    def forward(self) -> None:
        """Sample the sites of the graph, inside the chain plate."""
        self.hyper()
        if self.site is None:
            gate = self.space.admit(torch.ones_like(self.logit))
        else:
            gate = pyro.sample(self.site, self.gates())
        slab = slab_of(self.prior, self.loc.device)
        pyro.sample("weight", PairedSlab(gate, self.loc, self.log_scale.exp(), slab))

    def gates(self) -> dist.TorchDistribution:
        """q(A): independent Bernoulli gates, (chain, 1) batches of (child, parent)."""
        return dist.Bernoulli(self.probabilities()).to_event(2)

    def probabilities(self) -> Tensor:
        """Inclusion probabilities of the variational posterior, (chain, 1, child, parent)."""
        if self.site is None:
            return self.space.admit(torch.ones_like(self.logit))
        return self.space.admit(self.logit.sigmoid())


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


class PairedSlab(dist.TorchDistribution):
    """q(w | A): a learned normal where the gate is open, the prior slab where it is closed.

    Args:
        gate: (..., child, parent), zeros and ones.
        loc: the same shape, mean where open.
        scale: the same shape, standard deviation where open.
        prior: the slab of one edge.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}
    support = dist.constraints.real
    has_rsample = True

    def __init__(
        self, gate: Tensor, loc: Tensor, scale: Tensor, prior: dist.TorchDistribution
    ) -> None:
        self.gate, self.open = gate, dist.Normal(loc, scale)
        self.closed = prior.expand(loc.shape)
        super().__init__(loc.shape[:-2], loc.shape[-2:], validate_args=False)

    def expand(self, batch_shape: torch.Size, _instance: object = None) -> PairedSlab:
        """The same distribution; its batch shape is (chain, 1) already."""
        return self

    def rsample(self, sample_shape: torch.Size | tuple[int, ...] = ()) -> Tensor:
        """Draw weights, differentiable in the open slab's parameters."""
        drawn = torch.where(
            self.gate > 0, self.open.rsample(sample_shape), self.closed.sample(sample_shape)
        )
        return drawn

    def edge_log_prob(self, value: Tensor) -> Tensor:
        """Log density of every edge's weight, (..., child, parent)."""
        return torch.where(self.gate > 0, self.open.log_prob(value), self.closed.log_prob(value))

    def log_prob(self, value: Tensor) -> Tensor:
        """Log density of all weights together."""
        return self.edge_log_prob(value).sum((-2, -1))
