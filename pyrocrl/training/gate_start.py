"""Where variational gates start: at a Laplace approximation of each child's linear weights."""

from __future__ import annotations

import numpy as np
import pyro
import torch
from pyro import poutine
from torch import Tensor

from pyrocrl.edge_guide import PairedSlab, SpikeAndSlabGuide
from pyrocrl.guide import AmortizedGuide, Encoding
from pyrocrl.model import MultimodalSCM
from pyrocrl.scm.priors import slab_of, slab_widths
from pyrocrl.training.encoded import rows_of

__all__ = ["begin_at_laplace"]

_BATCH = 2048
# The gates' own arithmetic is in 32 bits.
_CONDITION = 1e-5
_BURN_IN, _SWEEPS = 20, 50
# A gate that straight lines would close must still open often enough for a bend to be heard.
_LOGITS = (-2.0, 5.0)


def begin_at_laplace(
    model: MultimodalSCM, guide: AmortizedGuide, edges: SpikeAndSlabGuide, encoding: Encoding
) -> None:
    """Start slabs at the Laplace approximation, and gates at their probabilities under it.

    Args:
        model: the trained model.
        guide: its guide, which draws the nodes.
        edges: gates and slabs, which are changed.
        encoding: what the encoders say of all subjects.
    """
    slope, curvature = _derivatives(model, guide, edges.centre, encoding)
    prior_precision = 1 / float(np.square(slab_widths(slab_of(edges.prior))).mean())
    likelihood = _positive(-curvature)
    precision = likelihood + prior_precision * torch.eye(likelihood.shape[-1]).to(likelihood)
    before = edges.centre.double().unsqueeze(-1)
    pull = (likelihood @ before).squeeze(-1) + slope.nan_to_num()
    centre = torch.linalg.solve(precision, pull.unsqueeze(-1)).squeeze(-1)
    logit = edges.logit.detach()
    if edges.site is not None:
        price = _prior_log_odds(model, edges) + 0.5 * float(np.log(prior_precision))
        evidence = _Evidence(edges, centre, precision, price)
        logit = _marginals(evidence).logit().clamp(*_LOGITS)
    edges.begin_at(centre, precision, logit)


def _derivatives(
    model: MultimodalSCM, guide: AmortizedGuide, weight: Tensor, encoding: Encoding
) -> tuple[Tensor, Tensor]:
    """Of every child's log likelihood by its weights, all edges open: gradient and Hessian."""
    size = weight.shape[-1]
    gradient, hessian = torch.zeros_like(weight), weight.new_zeros(*weight.shape, size)
    for rows in torch.arange(encoding.loc.shape[1]).split(_BATCH):
        with torch.no_grad():
            z = guide.latent_posterior(rows_of(encoding, rows)).rsample()
        free = weight.clone().requires_grad_()
        with pyro.validation_enabled(False):
            fit = model.latent_causal_model(model.edges_at_hand(), free).node_log_prob(z).sum()
        slope = _gradient(fit, free, create_graph=True)
        gradient += slope.detach()
        for parent in range(size):
            hessian[..., parent, :] += _gradient(slope[..., parent].sum(), free)
    return gradient, hessian


def _gradient(of: Tensor, by: Tensor, create_graph: bool = False) -> Tensor:
    """Zero where a user's own mechanism has no linear weights, or no curvature in them."""
    if not of.requires_grad:
        return torch.zeros_like(by)
    gradient: Tensor
    (gradient,) = torch.autograd.grad(
        of, [by], retain_graph=True, create_graph=create_graph, materialize_grads=True
    )
    return gradient


def _positive(matrices: Tensor) -> Tensor:
    """The nearest well-conditioned symmetric matrices; zero where one has diverged."""
    finite = torch.isfinite(matrices).all(-1).all(-1)[..., None, None]
    symmetric = torch.where(finite, matrices + matrices.mT, 0.0).double() / 2
    values, vectors = torch.linalg.eigh(symmetric)
    least = _CONDITION * values[..., -1:].clamp(min=0.0)
    nearest: Tensor = (vectors * torch.maximum(values, least).unsqueeze(-2)) @ vectors.mT
    return nearest


@torch.no_grad()
def _prior_log_odds(model: MultimodalSCM, edges: SpikeAndSlabGuide) -> Tensor:
    """Log odds of every edge under the prior, its continuous sites where their guide starts."""
    with model.chain_plate():
        drawn = poutine.trace(edges).get_trace()
        trace = poutine.trace(poutine.replay(model.graph, drawn)).get_trace()
    odds: Tensor = trace.nodes[edges.site]["fn"].base_dist.logits
    return odds.expand(edges.logit.shape)


class _Evidence:
    """Log evidence of every child's gates, up to a constant, under the Laplace approximation.

    Args:
        edges: says which edges are possible, and has the slab.
        centre: see `SpikeAndSlabGuide.begin_at`.
        precision: the same.
        price: (chain, 1, child, parent), what an open edge adds by the prior.
    """

    def __init__(
        self, edges: SpikeAndSlabGuide, centre: Tensor, precision: Tensor, price: Tensor
    ) -> None:
        self.highest = edges.highest().double()
        self.free = self.highest > edges.lowest()
        self.centre, self.precision = centre, precision
        self.price = torch.where(self.free, price, 0.0)
        self.slab = slab_of(edges.prior, centre.device)

    def __call__(self, gate: Tensor) -> Tensor:
        open_weights = PairedSlab(gate, self.centre, self.precision, self.slab)
        fit = 0.5 * (open_weights.loc * open_weights.pull).sum(-1) - open_weights.log_root()
        return fit + (gate * self.price).sum(-1)

    def log_odds(self, gate: Tensor, parent: int) -> Tensor:
        """Of one parent's gates, given each child's other gates, (chain, 1, child)."""
        opened, closed = gate.clone(), gate.clone()
        opened[..., parent], closed[..., parent] = 1.0, 0.0
        return self(opened) - self(closed)


@torch.no_grad()
def _marginals(evidence: _Evidence) -> Tensor:
    """Probability of every gate by Gibbs sampling from all open, (chain, 1, child, parent)."""
    gate, total = evidence.highest.clone(), torch.zeros_like(evidence.highest)
    for sweep in range(_BURN_IN + _SWEEPS):
        for parent in range(gate.shape[-1]):
            odds = evidence.log_odds(gate, parent).nan_to_num()
            opens = torch.where(evidence.free[..., parent], odds.sigmoid(), gate[..., parent])
            gate[..., parent] = torch.bernoulli(opens)
            if sweep >= _BURN_IN:
                total[..., parent] += opens
    return total / _SWEEPS
