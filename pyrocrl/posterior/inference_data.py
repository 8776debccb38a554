"""The posterior as ArviZ InferenceData, with named dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from pyrocrl.data import MultimodalData
from pyrocrl.errors import DataError, ModelError
from pyrocrl.posterior.likelihood import log_likelihood
from pyrocrl.posterior.membership import draw_membership, seen_by
from pyrocrl.posterior.predictive import Predictive, Sites, draw_graphs, predict
from pyrocrl.structure import GraphDraws
from pyrocrl.training import hold_out

if TYPE_CHECKING:
    import arviz
    import xarray

    from pyrocrl.posterior.posterior import Posterior

__all__ = ["import_arviz", "own_edges", "to_inference_data"]

_SUBJECTS = 100
_JOINT = "joint"

Array = npt.NDArray[Any]


def import_arviz() -> Any:
    """ArviZ, without the notice that its first import of a day prints.

    It is imported here and not at the top because it takes seconds.
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz
    return arviz


def to_inference_data(
    posterior: Posterior,
    data: MultimodalData | Mapping[str, Any] | None = None,
    *,
    subjects: int | None = None,
    draws: int = 300,
    particles: int = 30,
) -> arviz.InferenceData:
    """See `Posterior.to_inference_data`."""
    for name, value in (("subjects", subjects), ("draws", draws), ("particles", particles)):
        is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if value is not None and not (is_whole and value >= 1):
            raise ModelError(f"{name} must be a whole number, at least 1, not {value!r}")
    if data is None and subjects is None:
        return _reported(posterior)
    most = int(subjects or _SUBJECTS)
    rng = np.random.default_rng(posterior.fit_settings.seed)
    available = posterior.draws.adjacency.shape[1]
    chosen = rng.permutation(available)[:draws]
    thinned = replace(posterior, draws=_taken(posterior.draws, chosen))
    inference_data = _reported(thinned)
    where = posterior.model.zero.device
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        torch.manual_seed(posterior.fit_settings.seed)
        edges = own_edges(posterior, thinned.draws.adjacency)
        graphs = draw_graphs(posterior.model, posterior.guide, edges)
        groups = {} if _cyclic(posterior) else _predictions(posterior, graphs, most)
        if data is not None:
            groups |= _judgements(posterior, data, graphs, most, particles)
    inference_data.add_groups(groups)
    return inference_data


def _taken(draws: GraphDraws, chosen: npt.NDArray[np.intp]) -> GraphDraws:
    return GraphDraws(
        draws.adjacency[:, chosen], draws.strength[:, chosen], draws.effect[:, chosen]
    )


def _reported(posterior: Posterior) -> Any:
    """The draws of the answer, and what they rest on."""
    names = list(posterior.nodes.names)
    kept = posterior.restarts[posterior.restarts.weight > 0]
    draws = posterior.draws
    edge = ["child", "parent"]
    per_draw = np.ones(draws.adjacency.shape[:2])
    membership = _membership(posterior)
    return import_arviz().from_dict(
        posterior={
            "adjacency": draws.adjacency.astype(np.int8),
            "strength": draws.strength,
            "effect": draws.effect,
            **membership,
        },
        sample_stats={
            "held_out_elbo": kept.held_out_elbo.to_numpy()[:, None] * per_draw,
            "weight": kept.weight.to_numpy()[:, None] * per_draw,
        },
        constant_data={
            "allowed": posterior.allowed.astype(np.int8),
            "modality": np.array(posterior.nodes.groups),
        },
        coords={
            "chain": kept.restart.to_numpy(),
            "child": names,
            "parent": names,
            "node": names,
            "latent": _shared(posterior).index.tolist(),
            "modality": _shared(posterior).columns.tolist(),
        },
        dims={
            "adjacency": edge,
            "strength": edge,
            "effect": edge,
            "allowed": edge,
            "modality": ["node"],
            **{name: ["latent", "modality"] for name in membership},
        },
        attrs={"rope": posterior.rope, "inference_library": "pyrocrl"},
    )


def _shared(posterior: Posterior) -> pd.DataFrame:
    return pd.DataFrame() if posterior.sharing is None else posterior.sharing


def _membership(posterior: Posterior) -> dict[str, Array]:
    """Draws of which modality sees which shared latent, where some were found."""
    shared, seen = _shared(posterior), seen_by(posterior.nodes, posterior.template)
    if shared.empty:
        return {}
    chains, draws = posterior.draws.adjacency.shape[:2]
    rng = np.random.default_rng(posterior.fit_settings.seed)
    return {
        "membership": np.stack([draw_membership(seen, shared, draws, rng) for _ in range(chains)])
    }


def _cyclic(posterior: Posterior) -> bool:
    return posterior.model.space.rule == "cyclic"


def own_edges(posterior: Posterior, drawn: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Draws of the graph in every chain's own order of nodes, (draw, chain, child, parent).

    A chain's networks know the edges along one order, which it found or which is that of the
    modalities and of its own latents' names: edges against it are turned. Chains that do not count
    have no edges; nothing is made of them.

    Args:
        posterior: whose draws they are.
        drawn: (chain that counts, draw, child, parent), aligned.
    """
    shape = (drawn.shape[1], posterior.model.chains, *drawn.shape[2:])
    edges = np.zeros(shape, dtype=np.bool_)
    for chain, aligned in zip(_kept(posterior), drawn, strict=True):
        own = posterior.alignment.permutation[chain]
        edges[:, chain, own[:, None], own[None, :]] = aligned
    if not _cyclic(posterior):
        at_hand = posterior.model.edges_at_hand().squeeze(1).cpu().numpy() > 0
        edges = (edges | edges.swapaxes(-1, -2)) & at_hand
    return edges


def _predictions(
    posterior: Posterior, graphs: Sequence[Sites], subjects: int
) -> dict[str, xarray.Dataset]:
    """Graphs and measurements under the prior, measurements under the posterior."""
    model, template = posterior.model, posterior.template
    before = predict(model, [{}] * len(graphs), template, subjects)
    after = predict(model, graphs, template, subjects)
    return {
        "prior": _graphs(posterior, before),
        "prior_predictive": _measurements(posterior, before),
        "posterior_predictive": _measurements(posterior, after),
    }


def _graphs(posterior: Posterior, drawn: Predictive) -> xarray.Dataset:
    import xarray as xr

    alignment, names = posterior.alignment, list(posterior.nodes.names)
    kept = _kept(posterior)
    adjacency = [alignment.edges(drawn.adjacency[chain], chain) for chain in kept]
    weight = [
        alignment.edges(drawn.weight[chain], chain)
        * np.outer(alignment.sign[chain], alignment.sign[chain])
        for chain in kept
    ]
    dims = ["chain", "draw", "child", "parent"]
    return xr.Dataset(
        {"adjacency": (dims, np.stack(adjacency).astype(np.int8)), "weight": (dims, weight)},
        coords={"chain": kept, "child": names, "parent": names},
    )


def _measurements(posterior: Posterior, drawn: Predictive) -> xarray.Dataset:
    import xarray as xr

    kept = _kept(posterior)
    return xr.Dataset(
        {
            name: (["chain", "draw", "new_subject", *_axes(posterior, name)], values[kept])
            for name, values in drawn.measurements.items()
        },
        coords={"chain": kept, **_labels(posterior)},
    )


def _judgements(
    posterior: Posterior,
    data: MultimodalData | Mapping[str, Any],
    graphs: Sequence[Sites],
    most: int,
    particles: int,
) -> dict[str, xarray.Dataset]:
    """Subjects that training did not see: their measurements and how probable these are."""
    import xarray as xr

    if _JOINT in posterior.template:
        raise ModelError(
            f"modality {_JOINT!r}: the log likelihood needs this name for itself; choose another"
        )
    everybody = posterior.template.like(data)
    judged = _unseen(posterior, everybody, most)
    kept = posterior.restarts[posterior.restarts.weight > 0]
    weights = dict(zip(kept.restart.tolist(), kept.weight.tolist(), strict=True))
    found = log_likelihood(
        posterior.model, posterior.guide, judged, everybody, graphs, particles, weights
    )
    labels = {"subject": judged.subjects.to_numpy()}
    return {
        "observed_data": xr.Dataset(
            {m.name: (["subject", *_axes(posterior, m.name)], m.measured()) for m in judged},
            coords={**labels, **_labels(posterior)},
        ),
        "log_likelihood": xr.Dataset(
            {name: (["chain", "draw", "subject"], own[None]) for name, own in found.items()},
            coords={"chain": [0], **labels},
        ),
    }


def _unseen(posterior: Posterior, data: MultimodalData, most: int) -> MultimodalData:
    """Subjects that training did not see, at most so many."""
    fitted, rng = posterior.latent_values.index, np.random.default_rng(posterior.fit_settings.seed)
    if data.subjects.equals(fitted):
        _, data = hold_out(data, rng)
    elif data.subjects.isin(fitted).any():
        raise DataError(
            "data: some of these subjects were fitted and some were not; give the data that was "
            "fitted, of which the held-out subjects are taken, or new subjects with other labels"
        )
    if data.n_subjects <= most:
        return data
    return data.select(np.sort(rng.permutation(data.n_subjects)[:most]))


def _kept(posterior: Posterior) -> list[int]:
    return [int(k) for k in posterior.restarts.restart[posterior.restarts.weight > 0]]


def _axes(posterior: Posterior, name: str) -> list[str]:
    """Names of the dimensions of one subject's measurements."""
    return [f"{name}_{axis}" for axis in posterior.template[name].coordinates()]


def _labels(posterior: Posterior) -> dict[str, list[Any]]:
    """Labels along these dimensions."""
    return {
        f"{modality.name}_{axis}": labels
        for modality in posterior.template
        for axis, labels in modality.coordinates().items()
    }
