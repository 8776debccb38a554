"""How the edges answer to their prior, given the latents that were found under the first one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.data import MultimodalData
from pyrocrl.errors import DataError, ModelError
from pyrocrl.posterior.collapse import Collapsed, collapse, expected_cost, mean_probability
from pyrocrl.posterior.encoding import complete_subjects, encode_nodes
from pyrocrl.posterior.restarts import as_good_as_any, cheapest
from pyrocrl.scm import EdgePrior, LinearGaussian
from pyrocrl.scm.varied_prior import varied_priors
from pyrocrl.structure.program_prior import check_can_be_summed
from pyrocrl.training import edge_cost

if TYPE_CHECKING:
    from pyrocrl.posterior.posterior import Posterior

__all__ = ["AS_FITTED", "Sensitivity", "prior_sensitivity"]

AS_FITTED = "as fitted"
_TAKEN = ("parent", "child", "difference", AS_FITTED)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sensitivity:
    """Edge probabilities under several priors.

    Attributes:
        table: see `Posterior.prior_sensitivity`.
        notes: where a new fit under a prior would give another answer.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]


def prior_sensitivity(
    posterior: Posterior,
    priors: Mapping[str, EdgePrior] | None,
    data: MultimodalData | Mapping[str, Any] | None,
) -> Sensitivity:
    """See `Posterior.prior_sensitivity`."""
    names = posterior.nodes.names
    chosen = _checked(posterior, priors)
    z = _node_values(posterior, data)
    judged = as_good_as_any(posterior.restarts)
    # Restarts that do worse count under no prior.
    z = np.where(judged[:, None, None], z, np.nan)
    kept = (posterior.restarts.weight > 0).to_numpy()
    found, notes, allowed = {AS_FITTED: posterior.probability}, [], posterior.allowed
    for name, prior in chosen.items():
        collapsed = _collapse(posterior, z, prior)
        found[name] = mean_probability(collapsed, posterior.alignment, np.flatnonzero(kept))
        allowed = allowed | (found[name] > 0)
        price = edge_cost(collapsed.space.allowed, posterior.nodes.inner).double().numpy()
        would_count = cheapest(judged, expected_cost(collapsed, price))
        if (would_count != kept).any():
            notes.append(_note(name, kept, would_count))
    child, parent = np.nonzero(allowed)
    table = pd.DataFrame(
        {
            "parent": [names[node] for node in parent],
            "child": [names[node] for node in child],
            **{name: probability[child, parent] for name, probability in found.items()},
        }
    )
    table["difference"] = np.ptp(table[[AS_FITTED, *chosen]].to_numpy(), axis=1)
    by = table.sort_values("difference", ascending=False, kind="stable", ignore_index=True)
    return Sensitivity(by, tuple(notes))


def _checked(
    posterior: Posterior, priors: Mapping[str, EdgePrior] | None
) -> Mapping[str, EdgePrior]:
    if priors is None:
        return varied_priors(posterior.model.edge_prior, posterior.model.space)
    if not isinstance(priors, Mapping) or not priors:
        raise ModelError(
            "priors must be a mapping from a name to an edge prior, such as "
            f"{{'dense': SpikeAndSlab(0.3)}}, not {priors!r}"
        )
    for name, prior in priors.items():
        if not isinstance(name, str) or name in _TAKEN:
            raise ModelError(f"priors: {name!r} cannot be the name of a prior; choose another")
        if not callable(prior):
            raise ModelError(f"priors: {name!r} is no edge prior: {prior!r} cannot be called")
        check_can_be_summed(prior, posterior.model.space)
    return priors


def _node_values(
    posterior: Posterior, data: MultimodalData | Mapping[str, Any] | None
) -> FloatArray:
    """Node values of the subjects that the edges rest on, (restart, subject, node)."""
    if data is None:
        if posterior.node_values is None:
            raise ModelError(
                "a saved fit holds no measurements: give the data that it was fitted to, "
                "prior_sensitivity(data=...)"
            )
        return posterior.node_values.astype(np.float64)
    same = posterior.template.like(data)
    if not same.subjects.equals(posterior.latent_values.index):
        raise DataError(
            "data: these are not the subjects of the fit, or not in its order; give the data "
            "that it was fitted to"
        )
    z, _ = encode_nodes(posterior.model, posterior.guide, same)
    return z[:, complete_subjects(same)]


def _collapse(posterior: Posterior, z: FloatArray, prior: EdgePrior) -> Collapsed:
    return collapse(
        z,
        posterior.model.space,
        prior,
        rope=posterior.rope,
        nonlinear=type(posterior.model.mechanism) is not LinearGaussian,
        seed=posterior.fit_settings.seed,
    )


def _note(name: str, kept: npt.NDArray[np.bool_], would_count: npt.NDArray[np.bool_]) -> str:
    now, then = (", ".join(map(str, np.flatnonzero(mask))) for mask in (kept, would_count))
    return (
        f"Under the prior {name!r} other restarts have the fewest edges: {then} would count "
        f"instead of {now}. Fit anew with that prior before you rely on its column."
    )
