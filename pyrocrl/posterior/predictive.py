"""Draws of the graph and of measurements of new subjects, before the data and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyro
import torch
from pyro import poutine
from torch import Tensor

from pyrocrl.data import MultimodalData
from pyrocrl.guide import AmortizedGuide
from pyrocrl.model import MultimodalSCM
from pyrocrl.scm import SCM

__all__ = ["Predictive", "Sites", "causal_model", "draw_graphs", "predict"]

Array = npt.NDArray[Any]
Sites = dict[str, Tensor]


@dataclass(frozen=True)
class Predictive:
    """Draws of the generative process, every chain in its own order of nodes.

    Attributes:
        adjacency: (chain, draw, child, parent).
        weight: (chain, draw, child, parent), linear weights of edges, 0 where there is none.
        measurements: per modality, (chain, draw, subject, *shape), in the units of the data.
    """

    adjacency: Array
    weight: Array
    measurements: dict[str, Array]


@torch.no_grad()
def draw_graphs(
    model: MultimodalSCM, guide: AmortizedGuide, adjacency: npt.NDArray[np.bool_]
) -> list[Sites]:
    """The sites of graphs with given edges, and weights that the guide draws for these.

    Args:
        model: the model.
        guide: its guide.
        adjacency: (draw, chain, child, parent), every chain in its own order of nodes.
    """
    site, drawn = guide.edges.site, []
    for edges in torch.from_numpy(adjacency).to(model.open_edges):
        given = {} if site is None else {site: edges.unsqueeze(1)}
        with model.chain_plate():
            trace = poutine.trace(poutine.condition(guide.edges, given)).get_trace()
        values = {name: trace.nodes[name]["value"] for name in trace.stochastic_nodes}
        drawn.append({name: value.detach() for name, value in (values | given).items()})
    return drawn


def causal_model(model: MultimodalSCM, graph: Sites) -> SCM:
    """p(z | A, w) with a graph and weights that were drawn.

    Args:
        model: the model.
        graph: one of those that `draw_graphs` returned.
    """
    with model.chain_plate():
        adjacency, weight = poutine.condition(model.graph, graph)()
    return model.latent_causal_model(adjacency, weight)


@torch.no_grad()
def predict(
    model: MultimodalSCM,
    graphs: Sequence[Sites],
    template: MultimodalData,
    subjects: int,
) -> Predictive:
    """Run the generative process with the networks as they were trained.

    Args:
        model: the model.
        graphs: what `draw_graphs` returned, one for each draw; sites that are left out are drawn
            from their prior.
        template: names, columns and units of the measurements.
        subjects: new subjects of every draw, at least one.
    """
    batch = template.unmeasured(subjects).batch().to(model.zero.device)
    adjacency, weight = [], []
    measured: dict[str, list[Tensor]] = {name: [] for name in template.names}
    with pyro.validation_enabled(False):
        for graph in graphs:
            process = poutine.condition(poutine.uncondition(model), graph)
            sites = poutine.trace(process).get_trace(batch).nodes
            edges = sites["z"]["fn"].adjacency
            adjacency.append(edges)
            weight.append(edges * sites["weight"]["value"].flatten(0, 1))
            for name, values in measured.items():
                values.append(sites[name]["value"])
    return Predictive(
        _stack(adjacency),
        _stack(weight),
        {n: template.unstandardise(n, _stack(values)) for n, values in measured.items()},
    )


def _stack(draws: list[Tensor]) -> Array:
    """Draws of every chain, (chain, draw, ...)."""
    return torch.stack(draws, 1).cpu().numpy()
