"""Priors over edges, in the form in which sums over parent sets can take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyrocrl.errors import PriorError
from pyrocrl.structure._arrays import BoolArray, FloatArray
from pyrocrl.structure.parent_sets import ParentSets

__all__ = ["EdgePriorMixture", "edges_log_prior", "log_prior"]


@dataclass(frozen=True, eq=False)
class EdgePriorMixture:
    """A prior over edges: a mixture whose components hold every edge independently.

    One component states fixed probabilities. Several stand for a prior in which the edges depend
    on one another through something unknown, such as their overall rate.

    Args:
        probabilities: Probability of each edge in each component, (component, child, parent).
            0 forbids an edge and 1 requires it; entries that the order rules out are ignored.
        log_weights: Log weight of each component, (component,); need not be normalised.

    Raises:
        PriorError: If the shapes do not fit, a probability is outside 0 to 1, or no weight is
            finite.

    Example:
        >>> rates = np.array([0.05, 0.2, 0.5])
        >>> prior = EdgePriorMixture(np.tile(rates[:, None, None], (1, 4, 4)), np.zeros(3))
        >>> prior.probabilities.shape
        (3, 4, 4)
    """

    probabilities: FloatArray
    log_weights: FloatArray

    def __post_init__(self) -> None:
        probabilities = np.asarray(self.probabilities, dtype=np.float64)
        log_weights = np.asarray(self.log_weights, dtype=np.float64)
        object.__setattr__(self, "probabilities", probabilities)
        object.__setattr__(self, "log_weights", log_weights)
        if probabilities.ndim != 3 or probabilities.shape[1] != probabilities.shape[2]:
            raise PriorError(
                "edge probabilities must have shape (component, child, parent), but have shape "
                f"{probabilities.shape}"
            )
        if log_weights.shape != probabilities.shape[:1] or not log_weights.size:
            raise PriorError(
                f"log_weights must have one entry for each of the {len(probabilities)} components "
                f"of the edge prior, but have shape {log_weights.shape}"
            )
        if not ((probabilities >= 0) & (probabilities <= 1)).all():
            raise PriorError("edge probabilities must lie between 0 and 1")
        if np.isnan(log_weights).any() or not -np.inf < log_weights.max() < np.inf:
            raise PriorError("log_weights must be below infinity, with at least one finite")

    @classmethod
    def fixed(cls, probabilities: npt.ArrayLike) -> EdgePriorMixture:
        """A prior of independent edges.

        Args:
            probabilities: Probability of each edge, (child, parent).

        Returns:
            The prior, as a mixture of one component.

        Example:
            >>> EdgePriorMixture.fixed(np.full((3, 3), 0.1)).log_weights
            array([0.])
        """
        return cls(np.asarray(probabilities, dtype=np.float64)[None], np.zeros(1))

    def rates(self, weights: FloatArray, draws: int, rng: np.random.Generator) -> FloatArray:
        """Draw edge probabilities of components, independently.

        Args:
            weights: Probability of every component, such as that given data, (component,).
            draws: Number of draws.
            rng: Source of randomness.

        Returns:
            (draw, child, parent).
        """
        drawn: FloatArray = self.probabilities[rng.choice(len(weights), size=draws, p=weights)]
        return drawn


def log_prior(sets: ParentSets, probabilities: FloatArray) -> FloatArray:
    """Log prior of every parent set of a child.

    Args:
        sets: The parent sets.
        probabilities: Probability of each parent in each component, (component, parent); 0 for
            nodes that are not candidates.

    Returns:
        Log probability in nats, (component, set); minus infinity for sets that lack a required
        parent or hold a forbidden one.

    Example:
        >>> sets = ParentSets.enumerate(2, [0])
        >>> np.exp(log_prior(sets, np.array([[0.1, 0.0]]))).round(2)
        array([[0.9, 0.1]])
    """
    return edges_log_prior(sets.membership, probabilities)


def edges_log_prior(present: BoolArray, probabilities: FloatArray) -> FloatArray:
    """Log prior of edge sets whose edges are independent in each component.

    Args:
        present: Which edges every set holds, (set, edge).
        probabilities: Probability of each edge in each component, (component, edge).

    Returns:
        Log probability in nats, (component, set).

    Example:
        >>> edges_log_prior(np.array([[True, False]]), np.array([[0.5, 0.5]])).round(3)
        array([[-1.386]])
    """
    held = present.T.astype(np.float64)
    impossible = (probabilities == 0) @ held + (probabilities == 1) @ (1 - held) > 0
    with np.errstate(divide="ignore"):
        log_present, log_absent = np.log(probabilities), np.log1p(-probabilities)
    log_present[probabilities == 0] = 0.0
    log_absent[probabilities == 1] = 0.0
    log_probability = log_absent.sum(axis=1, keepdims=True) + (log_present - log_absent) @ held
    return np.where(impossible, -np.inf, log_probability)
