"""From a trained model to a posterior: align, sum over graphs, weigh restarts, draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.data import Features, MultimodalData
from pyrocrl.metrics import correlations
from pyrocrl.posterior.alignment import Alignment, align_chains
from pyrocrl.posterior.chains import chain_probabilities, chains_disagree
from pyrocrl.posterior.collapse import Collapsed, collapse, expected_cost, mean_probability
from pyrocrl.posterior.encoding import aligned_latents, complete_subjects, encode_nodes
from pyrocrl.posterior.membership import seen_by
from pyrocrl.posterior.posterior import Posterior
from pyrocrl.posterior.restarts import best_restart, weigh_restarts
from pyrocrl.posterior.warnings import directions_of_few_values, warnings_of
from pyrocrl.scm import LinearGaussian, Nodes
from pyrocrl.settings import FitSettings
from pyrocrl.structure import GraphDraws
from pyrocrl.training import Trained, edge_cost

__all__ = ["build_posterior"]

_DRAWS = 1000

FloatArray = npt.NDArray[np.float64]


def build_posterior(
    trained: Trained,
    data: MultimodalData,
    settings: FitSettings,
    sharing: pd.DataFrame | None = None,
) -> Posterior:
    """Summarise a trained model as a posterior over latents and edges.

    Args:
        trained: model, guide, history and held-out scores.
        data: all subjects, those held out too.
        settings: what was asked for.
        sharing: (shared latent, modality), P(the modality sees it), of latents that were found to
            be shared; they are variables of the data.
    """
    model, guide, nodes = trained.model, trained.guide, trained.model.nodes
    z, spread = encode_nodes(model, guide, data)
    complete = complete_subjects(data)
    collapsed = collapse(
        z[:, complete],
        model.space,
        model.edge_prior,
        rope=settings.rope,
        nonlinear=type(model.mechanism) is not LinearGaussian,
        seed=settings.seed,
    )
    allowed = collapsed.space.allowed
    free = np.ones_like(allowed, dtype=float)
    price = edge_cost(allowed, nodes.inner).double().numpy()
    restarts = weigh_restarts(
        trained.held_out_elbo,
        trained.match,
        expected_cost(collapsed, free),
        expected_cost(collapsed, price),
    )
    kept = restarts.restart[restarts.weight > 0].to_numpy()
    best = best_restart(restarts)
    features = {modality.name: modality.features() for modality in data}
    orientation = _orientation(z[best], nodes, features)
    found = [] if sharing is None else [str(name) for name in sharing.index]
    shared = pd.DataFrame(
        {name: z[best][:, nodes.names.index(name)] for name in found}, data.subjects
    )
    for group in {name.rpartition(".")[0] for name in shared.columns}:
        del features[group]
    named = () if settings.knowledge is None else settings.knowledge.named
    alignment = align_chains(z, nodes, best, orientation, named)
    restarts["agreement"] = alignment.agreement
    draws = _draw(collapsed, alignment, kept, settings.seed)
    allowed = np.any([alignment.edges(allowed, k) for k in kept], axis=0)
    by_chain = chain_probabilities(draws.adjacency, allowed, nodes.names, kept.tolist())
    values, deviations = aligned_latents(z[best], spread[best], alignment, best, nodes, data)
    return Posterior(
        fit_settings=settings,
        template=data.select([]),
        model=model,
        guide=guide,
        alignment=alignment,
        restarts=restarts,
        draws=draws,
        probability=mean_probability(collapsed, alignment, kept),
        variational=_variational(trained, alignment, kept),
        allowed=allowed,
        latent_values=values,
        latent_deviations=deviations,
        loadings_table=_loadings(values.join(shared), seen_by(nodes, data), features),
        sharing=sharing,
        history_record=trained.history,
        data_summary=data.summary(),
        warnings=(
            *warnings_of(restarts, values, deviations, trained.history, collapsed, nodes, complete),
            *chains_disagree(by_chain),
            *directions_of_few_values(z[best][complete], nodes, collapsed.space.allowed),
        ),
        node_values=z[:, complete].astype(np.float32),  # encoders speak float32: nothing is lost
        fitted_data=data,
    )


def _orientation(z: FloatArray, nodes: Nodes, features: Mapping[str, Features]) -> FloatArray:
    """Sign of each node under which it rises with most of its modality's columns."""
    orientation = np.ones(len(nodes))
    for name, measured in features.items():
        own = nodes.of(name)
        product = z[:, own].T @ measured.values
        orientation[own] = np.where(product.sum(axis=1) < 0, -1.0, 1.0)
    orientation[~np.array(nodes.is_latent)] = 1.0
    return orientation


def _draw(
    collapsed: Collapsed, alignment: Alignment, kept: npt.NDArray[np.intp], seed: int
) -> GraphDraws:
    """Draws of every restart that counts, aligned: (chain, draw, child, parent)."""
    rng = np.random.default_rng(seed)
    aligned = []
    for chain in kept:
        posterior = collapsed.posteriors[chain]
        assert posterior is not None
        drawn = posterior.sample(_DRAWS, rng)
        sign = alignment.sign[chain]
        aligned.append(
            (
                alignment.edges(drawn.adjacency, chain),
                alignment.edges(drawn.strength, chain),
                alignment.edges(drawn.effect, chain) * sign[:, None] * sign[None, :],
            )
        )
    adjacency, strength, effect = (np.stack(arrays) for arrays in zip(*aligned, strict=True))
    return GraphDraws(adjacency, strength, effect)


def _variational(trained: Trained, alignment: Alignment, kept: npt.NDArray[np.intp]) -> FloatArray:
    size = len(trained.model.nodes)
    gates = trained.guide.gate_probabilities()
    if gates is None:
        return np.full((size, size), np.nan)
    own = gates.squeeze(1).double().cpu().numpy()
    aligned = [np.asarray(alignment.edges(own[k], k), dtype=float) for k in kept]
    return np.asarray(np.mean(aligned, axis=0))


def _loadings(
    values: pd.DataFrame, members: Mapping[str, Sequence[str]], features: Mapping[str, Features]
) -> pd.DataFrame:
    """Correlation of each latent with what was measured, over observed cells."""
    rows = []
    for modality, measured in features.items():
        for column, name in enumerate(measured.names):
            seen = measured.observed[:, column]
            r = correlations(values.to_numpy()[seen], measured.values[seen, column, None])[:, 0]
            for latent, value in zip(values.columns, r, strict=True):
                own = modality in members[latent]
                rows.append((latent, modality, name, float(value), own))
    columns = ["latent", "modality", "column", "correlation", "own"]
    return pd.DataFrame(rows, columns=columns)
