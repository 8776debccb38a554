"""Shared, or two latents with a strong edge: the probability, from how agreement grew.

Encoders that see the same latent come to agree ever better, as far as data and training let them:
held-out disagreement falls with training, and on training subjects it is smaller still. Two latents
with an edge keep the exogenous noise of the effect between them: disagreement stays where it is,
for held-out subjects and others alike. The weights below are those of a logistic regression on
simulated pairs of modalities, half with and half without a shared latent, at all strengths of
noise: `python benchmarks/sharing_evidence.py` draws them anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pyrocrl.errors import ModelError

__all__ = ["WEIGHTS", "Evidence", "Weights", "probability_shared"]

_SMALLEST = 1e-5


@dataclass(frozen=True)
class Evidence:
    """How a set of modalities came to agree on a component, in terms of 1 - r^2.

    Attributes:
        before: disagreement of held-out subjects after two thirds of training.
        held_out: the same at the end.
        training: disagreement of training subjects at the end.
    """

    before: float
    held_out: float
    training: float

    @property
    def features(self) -> tuple[float, float, float]:
        """Logarithms of the disagreement, of its late fall, and of its gap to training subjects."""
        held_out, training = max(self.held_out, _SMALLEST), max(self.training, _SMALLEST)
        fall = math.log(max(self.before, _SMALLEST) / held_out)
        return math.log(held_out), max(fall, 0.0), max(math.log(held_out / training), 0.0)


@dataclass(frozen=True)
class Weights:
    """Log odds of sharing: offset + weights times features, at even prior odds."""

    offset: float
    held_out: float
    fall: float
    gap: float

    def log_odds(self, evidence: Evidence) -> float:
        """Log odds of sharing, before the prior."""
        level, fall, gap = evidence.features
        return self.offset + self.held_out * level + self.fall * fall + self.gap * gap


WEIGHTS = Weights(offset=-12.53, held_out=-2.64, fall=1.93, gap=1.63)


def probability_shared(evidence: Evidence, prior: float = 0.5, weights: Weights = WEIGHTS) -> float:
    """Posterior probability that one latent is behind an agreement, and not two with an edge.

    Args:
        evidence: how the modalities came to agree.
        prior: probability of sharing beforehand; 0 and 1 are certain.
        weights: what the evidence weighs.

    Raises:
        ModelError: if `prior` is no probability.

    Example:
        >>> alike = Evidence(before=0.004, held_out=0.001, training=0.0005)
        >>> linked = Evidence(before=0.21, held_out=0.2, training=0.19)
        >>> probability_shared(alike) > 0.95, probability_shared(linked) < 0.05
        (True, True)
        >>> probability_shared(linked, prior=1.0)
        1.0
    """
    if not 0 <= prior <= 1:
        raise ModelError(f"prior must be a probability, not {prior}")
    if prior in (0, 1):
        return float(prior)
    odds = weights.log_odds(evidence) + math.log(prior / (1 - prior))
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, odds))))
