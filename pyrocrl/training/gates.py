"""The variational edges: gates and their paired slabs, fitted on latents that are found.

All subjects count here, those held out as well: the restarts have been judged, and the gates are to
answer the question that the reported probabilities answer. They start at a Laplace approximation,
which sees straight lines only: gates that it would close stay ajar. The gates' gradient is a score
function with leave-one-out baselines, child by child: unbiased, and each child's gates hear only of
that child's fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyro
import torch
from pyro import poutine
from torch import Tensor

from pyrocrl.data import MultimodalData
from pyrocrl.edge_guide import OpenEdges, PairedSlab, SpikeAndSlabGuide
from pyrocrl.guide import AmortizedGuide
from pyrocrl.model import MultimodalSCM
from pyrocrl.training.counted import CountedStage
from pyrocrl.training.encoded import encoded, rows_of
from pyrocrl.training.gate_start import begin_at_laplace
from pyrocrl.training.history import History
from pyrocrl.training.progress import Silence
from pyrocrl.training.steps import forget_divergence

__all__ = ["fit_gates"]

_DRAWS = 4
_GATE_RATE = 0.1
_SLAB_RATE = 0.02
_STAGE = CountedStage(
    "edges",
    "fit the variational edge gates on the latents that were found",
    most_steps=600,
    most_subjects=512,
)


def fit_gates(
    model: MultimodalSCM,
    guide: AmortizedGuide,
    parts: Sequence[MultimodalData],
    history: History,
    progress: Silence,
    max_epochs: int | None = None,
) -> None:
    """Replace the guide's open edges by gates with paired slabs, and fit these.

    Encoders, decoders and unmixing stay as they are; the mechanisms follow the gates.

    Args:
        model: the trained model.
        guide: its guide; `guide.edges` is replaced.
        parts: the subjects, in any number of parts.
        history: gets a record of the stage.
        progress: where progress is shown.
        max_epochs: limit on the passes over the data.

    Source: Kool et al. (2019), Buy 4 REINFORCE samples, get a baseline for free.
    """
    assert isinstance(guide.edges, OpenEdges)
    encoding = encoded(guide, parts)
    n_subjects = encoding.loc.shape[1]
    steps = _STAGE.steps(n_subjects, max_epochs)
    edges = SpikeAndSlabGuide(model, guide.edges)
    begin_at_laplace(model, guide, edges, encoding)
    guide.edges = edges
    gates = {"logit", "bond"}
    others = [p for name, p in edges.named_parameters() if name not in gates]
    groups = [
        {"params": [edges.logit, edges.bond], "lr": _GATE_RATE},
        {"params": [*others, *model.mechanism.parameters()], "lr": _SLAB_RATE},
    ]
    optimizer = torch.optim.Adam(groups, foreach=True)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=steps)

    def step(rows: Tensor, _: float) -> str:
        with torch.no_grad():
            z = guide.latent_posterior(rows_of(encoding, rows)).rsample()
        with pyro.validation_enabled(False):
            loss, evidence = _leave_one_out(model, edges, z, n_subjects)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        forget_divergence(optimizer)
        optimizer.step()
        schedule.step()
        return f"ELBO of z {float(evidence.max()):.2f}"

    _STAGE.run(step, n_subjects, steps, history, progress)


def _leave_one_out(
    model: MultimodalSCM, edges: SpikeAndSlabGuide, z: Tensor, n_subjects: int
) -> tuple[Tensor, Tensor]:
    """Surrogate loss whose gradient is that of the ELBO, and every chain's ELBO per subject."""
    draws = [_evidence_by_child(model, edges, z, n_subjects) for _ in range(_DRAWS)]
    evidence = torch.stack([one for one, _, _ in draws])
    log_gate = torch.stack([gate for _, gate, _ in draws])
    hyper = torch.stack([rest for _, _, rest in draws])
    others = (evidence.sum(0, keepdim=True) - evidence) / (_DRAWS - 1)
    score = ((evidence - others).detach() * log_gate).sum()
    surrogate = (evidence.sum() + hyper.sum() + score) / _DRAWS / n_subjects
    elbo = (evidence.sum(2) + hyper).mean(0) / n_subjects
    return -surrogate, elbo.detach()


def _evidence_by_child(
    model: MultimodalSCM, edges: SpikeAndSlabGuide, z: Tensor, n_subjects: int
) -> tuple[Tensor, Tensor, Tensor]:
    """One draw of the graph: each child's ELBO, log q of its gates, and the hyperprior's part."""
    with model.chain_plate():
        guide_trace = poutine.trace(edges).get_trace()
    replayed = poutine.trace(poutine.replay(model.graph, guide_trace))
    with model.chain_plate():
        model_trace = replayed.get_trace()
    adjacency, weight = model_trace.nodes["_RETURN"]["value"]
    scm = model.latent_causal_model(adjacency, weight)
    fit = scm.node_log_prob(z).mean(1) * n_subjects
    size = len(model.nodes)
    log_gate = fit.new_zeros(fit.shape)
    evidence, hyper = fit, fit.new_zeros(len(fit))
    for name, site in guide_trace.nodes.items():
        if site["type"] != "sample":
            continue
        prior = model_trace.nodes[name]["fn"]
        if name == edges.site:
            log_gate = site["fn"].child_log_prob(site["value"]).reshape(-1, size)
            log_prior = _by_child(prior.base_dist.log_prob(site["value"]), size)
            # The gates' own log q enters the value, its gradient has mean zero.
            evidence = evidence + log_prior - log_gate.detach()
        elif name == "weight":
            assert isinstance(site["fn"], PairedSlab)
            log_slab = site["fn"].child_log_prob(site["value"]).reshape(-1, size)
            log_prior = _by_child(prior.base_dist.log_prob(site["value"]), size)
            evidence = evidence + log_prior - log_slab
        else:
            hyper = hyper + _total(prior, site["value"]) - _total(site["fn"], site["value"])
    return evidence, log_gate, hyper


def _by_child(per_edge: Tensor, size: int) -> Tensor:
    return per_edge.reshape(-1, size, size).sum(2)


def _total(distribution: Any, value: Tensor) -> Tensor:
    log_prob: Tensor = distribution.log_prob(value)
    return log_prob.reshape(len(log_prob), -1).sum(1)
