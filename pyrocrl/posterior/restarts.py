"""Which restarts make up the answer: those that explain held-out subjects as well as any does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.errors import ModelError

__all__ = ["best_restart", "weigh_restarts"]

_STANDARD_ERRORS = 2.0
_EDGES = 0.5

FloatArray = npt.NDArray[np.float64]


def weigh_restarts(held_out_elbo: FloatArray, edges: FloatArray) -> pd.DataFrame:
    """Weigh restarts by how well they explain held-out subjects, then by how few edges they need.

    A restart counts if its held-out ELBO is within two standard errors (of the paired difference)
    of the best, and if no other such restart needs clearly fewer edges. The second rule is what
    the theory grants: among models that explain the data equally well, the one with the fewest
    edges has the true latents. Restarts that count share the weight equally.

    Args:
        held_out_elbo: (restart, subject), nats.
        edges: (restart,), expected number of edges under each restart's posterior; infinite where
            a restart has no posterior.

    Returns:
        One row per restart: restart, held_out_elbo, difference (to the best), difference_se,
        edges, weight.

    Raises:
        ModelError: if no restart can be used.

    Source: Sun et al. (2025), theorem 4.4, for the sparsest of equally good models.

    Example:
        >>> scores = np.array([[0.0, 0.1, 0.2], [0.1, 0.2, 0.1], [-9.0, -9.1, -9.2]])
        >>> weigh_restarts(scores, np.array([2.0, 4.0, 1.0])).weight.tolist()
        [1.0, 0.0, 0.0]
    """
    usable = np.asarray(np.isfinite(held_out_elbo).all(axis=1)) & np.isfinite(edges)
    if not usable.any():
        raise ModelError(
            "no restart has latents that vary between subjects; ask for fewer latents, or look "
            "for extreme values in the data"
        )
    scores = np.where(usable[:, None], held_out_elbo, -1e30)
    mean = scores.mean(axis=1)
    difference = scores - scores[np.argmax(mean)]
    error = difference.std(axis=1, ddof=1) / np.sqrt(difference.shape[1])
    as_good = usable & (difference.mean(axis=1) >= -_STANDARD_ERRORS * error)
    counts = as_good & (edges <= edges[as_good].min() + _EDGES)
    return pd.DataFrame(
        {
            "restart": np.arange(len(mean)),
            "held_out_elbo": np.where(usable, mean, np.nan),
            "difference": np.where(usable, difference.mean(axis=1), np.nan),
            "difference_se": np.where(usable, error, np.nan),
            "edges": edges,
            "weight": counts / counts.sum(),
        }
    )


def best_restart(restarts: pd.DataFrame) -> int:
    """The restart with weight that explains held-out subjects best; its latents are reported.

    Args:
        restarts: what `weigh_restarts` returned.

    Example:
        >>> best_restart(weigh_restarts(np.array([[0.0, 0.1], [0.5, 0.7]]), np.array([2.0, 2.0])))
        1
    """
    table = restarts[restarts["weight"] > 0] if (restarts["weight"] > 0).any() else restarts
    scores = table["held_out_elbo"].to_numpy(dtype=float)
    best = np.argmax(np.where(np.isnan(scores), -np.inf, scores))
    return int(table["restart"].to_numpy()[best])
