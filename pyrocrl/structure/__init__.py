"""The posterior over graphs given the values of their nodes."""

from __future__ import annotations

from pyrocrl.structure.basis import NodeBasis, SufficientStatistics, sufficient_statistics
from pyrocrl.structure.cyclic import CyclicPosterior
from pyrocrl.structure.draws import GraphDraws
from pyrocrl.structure.edge_prior import EdgePriorMixture
from pyrocrl.structure.known_order import KnownOrderPosterior
from pyrocrl.structure.noise_laws import GAUSSIAN, NOISE_LAWS, NoiseLaw
from pyrocrl.structure.parent_sets import ParentSets
from pyrocrl.structure.scores import LocalScores, NormalInverseGamma, Slab, local_scores
from pyrocrl.structure.strength import ParentStrengths, StrengthTail, parent_strengths
from pyrocrl.structure.unknown_order import UnknownOrderPosterior

__all__ = [
    "GAUSSIAN",
    "NOISE_LAWS",
    "CyclicPosterior",
    "EdgePriorMixture",
    "GraphDraws",
    "KnownOrderPosterior",
    "LocalScores",
    "NodeBasis",
    "NoiseLaw",
    "NormalInverseGamma",
    "ParentSets",
    "ParentStrengths",
    "Slab",
    "StrengthTail",
    "SufficientStatistics",
    "UnknownOrderPosterior",
    "local_scores",
    "parent_strengths",
    "sufficient_statistics",
]
