"""Where the order is to be learned: each chain finds the order of its latents in their values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from pyrocrl.data import MultimodalData
from pyrocrl.guide import AmortizedGuide
from pyrocrl.model import MultimodalSCM
from pyrocrl.scm import GraphSpace, LinearGaussian
from pyrocrl.structure import EdgePriorMixture, UnknownOrderPosterior
from pyrocrl.structure.program_prior import independent_edge_mixture

__all__ = ["orient"]

_SUBJECTS = 3000
_DRAWS = 200
_PRIOR_DRAWS = 50


@torch.no_grad()
def orient(model: MultimodalSCM, guide: AmortizedGuide, subjects: MultimodalData) -> None:
    """Open, in each chain, the edges that run forward in its latents' most probable graph.

    Training needs an order to go on in, as the density of acyclic graphs does; the reported
    posterior sums over all of them again.

    Args:
        model: a model whose order is to be learned; its open edges are set.
        guide: its guide, with latents that are found already.
        subjects: training subjects; the first 3,000 are enough to tell directions.
    """
    encoding = guide.encode(subjects.batch(slice(0, _SUBJECTS)))
    z = torch.matmul(encoding.loc, guide.unmixing.matrix()).double().cpu().numpy()
    if encoding.absent is not None:
        z = z[:, ~encoding.absent.any(1).cpu().numpy()]
    prior = independent_edge_mixture(model.edge_prior, model.space, draws=_PRIOR_DRAWS)
    nonlinear = type(model.mechanism) is not LinearGaussian
    for chain, own in enumerate(z):
        if np.isfinite(own).all() and (own.std(axis=0) > 1e-8).all():
            order = _most_probable_order(own, model.space, prior, nonlinear)
            forward = torch.from_numpy(model.space.along(order)).to(model.open_edges)
            model.open_edges[chain, 0] = forward


def _most_probable_order(
    z: npt.NDArray[np.float64], space: GraphSpace, prior: EdgePriorMixture, nonlinear: bool
) -> npt.NDArray[np.intp]:
    import networkx as nx

    posterior = UnknownOrderPosterior.fit(
        z, space.allowed, prior, nonlinear=nonlinear, required=space.required
    )
    drawn = posterior.sample(_DRAWS, np.random.default_rng(0)).adjacency
    graphs, counts = np.unique(drawn, axis=0, return_counts=True)
    best = graphs[np.argmax(counts)] | space.required
    graph = nx.from_numpy_array(best.T.astype(int), create_using=nx.DiGraph)
    position = np.argsort(space.order)
    return np.array(list(nx.lexicographical_topological_sort(graph, key=lambda i: position[i])))
