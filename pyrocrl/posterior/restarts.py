"""Which restarts make up the answer: those that tell as well as any how modalities depend."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.errors import ModelError

__all__ = ["as_good_as_any", "best_restart", "cheapest", "weigh_restarts"]

_STANDARD_ERRORS, _NATS = 2.0, 0.01
_COST = 0.3

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def weigh_restarts(
    held_out_elbo: FloatArray, match: FloatArray, edges: FloatArray, cost: FloatArray
) -> pd.DataFrame:
    """Weigh restarts by how well their latents relate the modalities, then by how few edges do it.

    A restart counts if its match (how well the causal contrast tells which modalities belong to
    one subject) is within two standard errors, of the paired difference, of the best, or within
    .01 nats, and if no other such restart has clearly cheaper edges. The second rule is what the
    theory grants: among models that explain the data equally well, the sparsest has the true
    latents. Restarts that count share the weight equally.

    The ELBO takes the place of the match only where some restart has none. Most of it is how well
    measurements are reconstructed, which differs between restarts by more than the causal part.

    Args:
        held_out_elbo: (restart, subject), nats.
        match: (restart, subject), nats, of the same or other subjects; NaN in restarts that
            have none.
        edges: (restart,), expected number of edges under each restart's posterior; infinite where
            a restart has no posterior.
        cost: (restart,), the same with inner edges at a lower price.

    Returns:
        One row per restart: restart, held_out_elbo, match, difference (to the best, of what
        decides), difference_se, edges, weight.

    Raises:
        ModelError: if no restart can be used.

    Source: Sun et al. (2025), theorem 4.4, for the sparsest of equally good models.

    Example:
        >>> scores = np.array([[0.0, 0.1, 0.2], [0.1, 0.2, 0.1], [-9.0, -9.1, -9.2]])
        >>> edges = np.array([2.0, 4.0, 1.0])
        >>> weigh_restarts(scores, scores, edges, edges).weight.tolist()
        [1.0, 0.0, 0.0]
    """
    usable = np.asarray(np.isfinite(held_out_elbo).all(axis=1)) & np.isfinite(edges)
    if not usable.any():
        raise ModelError(
            "no restart has latents that vary between subjects; ask for fewer latents, or look "
            "for extreme values in the data"
        )
    by_match = bool(np.isfinite(match[usable]).all())
    scores = np.where(usable[:, None], match if by_match else held_out_elbo, -1e30)
    mean = scores.mean(axis=1)
    difference = scores - scores[np.argmax(mean)]
    error = difference.std(axis=1, ddof=1) / np.sqrt(difference.shape[1])
    table = pd.DataFrame(
        {
            "restart": np.arange(len(mean)),
            "held_out_elbo": np.where(usable, held_out_elbo.mean(axis=1), np.nan),
            "match": np.where(usable, match.mean(axis=1), np.nan),
            "difference": np.where(usable, difference.mean(axis=1), np.nan),
            "difference_se": np.where(usable, error, np.nan),
            "edges": edges,
        }
    )
    counts = cheapest(as_good_as_any(table), cost)
    return table.assign(weight=counts / counts.sum())


def as_good_as_any(restarts: pd.DataFrame) -> BoolArray:
    """Restarts that do as well as the best one, (restart,).

    Args:
        restarts: what `weigh_restarts` returned.
    """
    bound = -(_STANDARD_ERRORS * restarts["difference_se"]).clip(lower=_NATS)
    # A comparison with NaN, in a restart that cannot be used, is False.
    return np.asarray(restarts["difference"] >= bound, dtype=np.bool_)


def cheapest(as_good: BoolArray, cost: FloatArray) -> BoolArray:
    """Of restarts that do equally well, those that need about the fewest edges, (restart,).

    Args:
        as_good: (restart,), which do equally well; at least one.
        cost: (restart,), expected price of a restart's edges.

    Example:
        >>> cheapest(np.array([True, True, False]), np.array([2.0, 3.0, 1.0])).tolist()
        [True, False, False]
    """
    return np.asarray(as_good & (cost <= cost[as_good].min() + _COST))


def best_restart(restarts: pd.DataFrame) -> int:
    """The restart with weight that does best in what decides; its latents are reported.

    Args:
        restarts: what `weigh_restarts` returned.

    Example:
        >>> scores, edges = np.array([[0.0, 0.1], [0.5, 0.7]]), np.array([2.0, 2.0])
        >>> best_restart(weigh_restarts(scores, scores, edges, edges))
        1
    """
    table = restarts[restarts["weight"] > 0] if (restarts["weight"] > 0).any() else restarts
    scores = table["difference"].to_numpy(dtype=float)
    best = np.argmax(np.where(np.isnan(scores), -np.inf, scores))
    return int(table["restart"].to_numpy()[best])
