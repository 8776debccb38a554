"""The posterior over graphs given the values of their nodes."""

from __future__ import annotations

from pyrocrl.structure.basis import NodeBasis, SufficientStatistics, sufficient_statistics
from pyrocrl.structure.draws import GraphDraws
from pyrocrl.structure.edge_prior import EdgePriorMixture
from pyrocrl.structure.known_order import KnownOrderPosterior
from pyrocrl.structure.parent_sets import ParentSets
from pyrocrl.structure.scores import LocalScores, NormalInverseGamma, local_scores
from pyrocrl.structure.strength import ParentStrengths, StrengthTail, parent_strengths

__all__ = [
    "EdgePriorMixture",
    "GraphDraws",
    "KnownOrderPosterior",
    "LocalScores",
    "NodeBasis",
    "NormalInverseGamma",
    "ParentSets",
    "ParentStrengths",
    "StrengthTail",
    "SufficientStatistics",
    "local_scores",
    "parent_strengths",
    "sufficient_statistics",
]
