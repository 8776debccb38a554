"""Shared, or two latents with a strong edge: the probability, from how agreement grew.

Encoders that see the same latent come to agree ever better, as far as data and training let them:
held-out disagreement falls with training, and on training subjects it is smaller still. Two latents
with an edge keep the exogenous noise of the effect between them: disagreement stays where it is,
for held-out subjects and others alike. Beyond some size neither sign says more: networks that find
nothing to agree on tell training subjects by heart, and the first rough steps fall far anyway.
Fewer subjects let encoders of a shared latent disagree more. The weights below are those of a
logistic regression on simulated pairs of modalities that share none, one or two latents, at all
strengths of noise, with 1,000 to 10,000 subjects: `python benchmarks/sharing_evidence.py` draws
them anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pyrocrl.errors import ModelError

__all__ = ["WEIGHTS", "Evidence", "Weights", "probability_shared"]

_SMALLEST, _MANY = 1e-5, 10_000
_MOST_FALL, _MOST_GAP = 0.4, 0.7
# An edge whose noise is a tenth of its effect leaves .0099; .0045 would need one of .067.
_NEAR, _AS_GOOD_AS_ALIKE = 0.009, 0.0045
_MOST_TOLD = 0.5


@dataclass(frozen=True)
class Evidence:
    """How a set of modalities came to agree on a component, in terms of 1 - r^2.

    Attributes:
        before: disagreement of held-out subjects after two thirds of training.
        held_out: the same at the end.
        training: disagreement of training subjects at the end.
        told: share of the component that latents known already tell, of held-out subjects.
        subjects: how many there are, training and held-out ones.
    """

    before: float
    held_out: float
    training: float
    told: float = 0.0
    subjects: int = _MANY

    @property
    def told_by_known(self) -> bool:
        """Whether the component is no further latent but a function of those known already."""
        return self.told > _MOST_TOLD

    @property
    def features(self) -> tuple[float, float, float, float]:
        """Logarithms of disagreement, its late fall, its gap to training subjects, their lack."""
        held_out, training = max(self.held_out, _SMALLEST), max(self.training, _SMALLEST)
        fall = math.log(max(self.before, _SMALLEST) / held_out)
        gap = math.log(held_out / training)
        # What agrees so nearly has little left to fall, and no edge is taken for it.
        near = _within(math.log(_NEAR / held_out) / math.log(_NEAR / _AS_GOOD_AS_ALIKE), 1.0)
        return (
            math.log(held_out),
            max(_within(fall, _MOST_FALL), near * _MOST_FALL),
            max(_within(gap, _MOST_GAP), near * _MOST_GAP),
            # The weights know of no more than `_MANY` subjects.
            max(0.0, math.log(_MANY / self.subjects)),
        )


@dataclass(frozen=True)
class Weights:
    """Log odds of sharing: offset + weights times features, at even prior odds."""

    offset: float
    held_out: float
    fall: float
    gap: float
    few: float

    def log_odds(self, evidence: Evidence) -> float:
        """Log odds of sharing, before the prior."""
        slopes = (self.held_out, self.fall, self.gap, self.few)
        return self.offset + sum(w * x for w, x in zip(slopes, evidence.features, strict=True))


WEIGHTS = Weights(offset=-7.95, held_out=-0.92, fall=13.98, gap=1.51, few=1.55)


def _within(value: float, most: float) -> float:
    return min(max(value, 0.0), most)


def probability_shared(evidence: Evidence, prior: float = 0.5, weights: Weights = WEIGHTS) -> float:
    """Posterior probability that one latent is behind an agreement, and not two with an edge.

    A component that known latents tell is no further latent, however well the modalities agree.

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
    if evidence.told_by_known:
        return 0.0
    odds = weights.log_odds(evidence) + math.log(prior / (1 - prior))
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, odds))))
