"""PC and GES of causal-learn, on bootstrap samples: the share of graphs that hold an edge.

Needs the extra `compare`: pip install "pyrocrl[compare]".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pyrocrl.errors import ModelError

__all__ = ["bootstrap_ges", "bootstrap_pc", "directed_shares"]

FloatArray = npt.NDArray[np.float64]
Endpoints = npt.NDArray[np.int64]

_SAMPLES = 50
# GES takes ten times as long as PC.
_GES_SAMPLES = 20
_TAIL, _ARROW = -1, 1


def bootstrap_pc(z: FloatArray, samples: int = _SAMPLES, alpha: float = 0.05) -> FloatArray:
    """Edge shares of PC with Fisher's z test.

    Args:
        z: Node values, (subject, node).
        samples: Bootstrap samples.
        alpha: Level of the tests.

    Returns:
        Shares, (child, parent).

    Raises:
        ModelError: If causal-learn is not installed.

    Source: Spirtes, Glymour and Scheines (2000), Causation, prediction, and search, for PC;
    Friedman, Goldszmidt and Wyner (1999), Data analysis with Bayesian networks: a bootstrap
    approach, for the shares.
    """
    try:
        from causallearn.search.ConstraintBased.PC import pc
    except ImportError as error:
        raise _not_installed() from error

    def graph(sample: FloatArray) -> Endpoints:
        found = pc(sample, alpha, indep_test="fisherz", show_progress=False)
        return np.asarray(found.G.graph)

    return _bootstrap(z, samples, graph)


def bootstrap_ges(z: FloatArray, samples: int = _GES_SAMPLES) -> FloatArray:
    """Edge shares of GES with the BIC score.

    Args:
        z: Node values, (subject, node).
        samples: Bootstrap samples.

    Returns:
        Shares, (child, parent).

    Raises:
        ModelError: If causal-learn is not installed.

    Source: Chickering (2002), Optimal structure identification with greedy search.
    """
    try:
        from causallearn.search.ScoreBased.GES import ges
    except ImportError as error:
        raise _not_installed() from error

    def graph(sample: FloatArray) -> Endpoints:
        return np.asarray(ges(sample, score_func="local_score_BIC")["G"].graph)

    return _bootstrap(z, samples, graph)


def directed_shares(endpoints: Endpoints) -> FloatArray:
    """Edges of a partly directed graph, (child, parent); what is open counts half each way.

    Args:
        endpoints: As causal-learn writes them: entry (j, i) is the mark at j's end of the edge
            between i and j, 1 an arrow head, -1 a tail, 0 no edge.

    Example:
        >>> directed_shares(np.array([[0, -1, 0], [1, 0, -1], [0, -1, 0]]))
        array([[0. , 0. , 0. ],
               [1. , 0. , 0.5],
               [0. , 0.5, 0. ]])
    """
    here, there = endpoints, endpoints.T
    linked = (here != 0) & (there != 0)
    into = linked & (here == _ARROW) & (there == _TAIL)
    out = linked & (here == _TAIL) & (there == _ARROW)
    return np.where(into, 1.0, np.where(linked & ~out, 0.5, 0.0))


def _bootstrap(z: FloatArray, samples: int, graph: Callable[[FloatArray], Endpoints]) -> FloatArray:
    rng = np.random.default_rng(0)
    total = np.zeros((z.shape[1],) * 2)
    for _ in range(samples):
        total += directed_shares(graph(z[rng.integers(len(z), size=len(z))]))
    return total / samples


def _not_installed() -> ModelError:
    return ModelError('causal-learn is not installed; pip install "pyrocrl[compare]"')
