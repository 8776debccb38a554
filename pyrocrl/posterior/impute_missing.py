"""`Posterior.impute`: which graphs, restarts and subjects missing measurements are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pyrocrl.data import MultimodalData
from pyrocrl.errors import ModelError
from pyrocrl.posterior.encoding import complete_subjects
from pyrocrl.posterior.imputation import Imputer, impute
from pyrocrl.posterior.imputed import Imputed
from pyrocrl.posterior.inference_data import own_edges
from pyrocrl.posterior.predictive import draw_graphs

if TYPE_CHECKING:
    from pyrocrl.posterior.posterior import Posterior

__all__ = ["impute_missing"]

_GRAPHS = 5


def impute_missing(
    posterior: Posterior, data: MultimodalData | Mapping[str, Any] | None, draws: int
) -> Imputed:
    """See `Posterior.impute`."""
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1:
        raise ModelError(f"draws must be a whole number, at least 1, not {draws!r}")
    given = posterior.fitted_data if data is None else data
    if given is None:
        raise ModelError("this fit was loaded, without measurements: give impute() the data")
    subjects = given if given is posterior.fitted_data else posterior.template.like(given)
    fitted = posterior.fitted_data
    kept = posterior.restarts[posterior.restarts.weight > 0]
    rng = np.random.default_rng(posterior.fit_settings.seed)
    chosen = rng.permutation(posterior.draws.adjacency.shape[1])[: min(_GRAPHS, draws)]
    edges = own_edges(posterior, posterior.draws.adjacency[:, chosen])
    where = posterior.model.zero.device
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        torch.manual_seed(posterior.fit_settings.seed)
        imputer = Imputer(
            posterior.model,
            posterior.guide,
            draw_graphs(posterior.model, posterior.guide, edges),
            dict(zip(kept.restart.tolist(), kept.weight.tolist(), strict=True)),
            None if fitted is None else fitted.select(np.flatnonzero(complete_subjects(fitted))),
        )
        return impute(imputer, subjects, int(draws))
