"""Calibration of edge probabilities on simulated variables: one row per data set and method."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.errors import ConfigError, listing
from pyrocrl.trust.clock import Clock
from pyrocrl.trust.design import Design
from pyrocrl.trust.methods import METHODS, UNKNOWN, Answer
from pyrocrl.trust.simulated import Variables

__all__ = ["COLUMNS", "KEY", "choose_methods", "edges_of", "measure", "pooled"]

FloatArray = npt.NDArray[np.float64]

KEY = ("seed", "method")
COLUMNS = (
    *KEY,
    *("nodes", "subjects", "kind", "noise", "order_known"),
    *("true_edges", "edges", "intervals", "covered", "seconds", "cpu_seconds", "error"),
)

_SHOWN = 1e-6
_LIKELY = 0.5
_LONGEST_ERROR = 300
_EDGE = re.compile(r"(\d+)>(\d+):(\S+)")


def choose_methods(names: Sequence[str] = ()) -> tuple[str, ...]:
    """The methods of these names, semicolons between; none takes our own under the right prior.

    Raises:
        ConfigError: if there is no such method.

    Example:
        >>> choose_methods(["pc;pyrocrl"])
        ('pyrocrl', 'pc')
    """
    wanted = [name.strip() for text in names for name in text.split(";")]
    for name in wanted:
        if name not in METHODS:
            raise ConfigError(f"there is no method {name!r}; there are {listing(METHODS, 20)}")
    return tuple(
        name for name in METHODS if name in (wanted or (UNKNOWN, f"{UNKNOWN}, order known"))
    )


def measure(design: Design, method: str, data: Variables) -> dict[str, Any]:
    """The row of one method; with the error in place of results where it fails.

    Args:
        design: The data set.
        method: One of `METHODS`.
        data: The same, drawn.
    """
    known = method.endswith("order known")
    row = {
        "seed": design.seed,
        "method": method,
        "nodes": design.nodes,
        "subjects": design.subjects,
        "kind": design.kind,
        "noise": design.noise,
        "order_known": known,
        "true_edges": _text(data.adjacency.astype(np.float64)),
    }
    clock = Clock()
    try:
        answer = METHODS[method](data)
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return {**row, "error": text[:_LONGEST_ERROR]}
    row |= clock.read()
    intervals, covered = _coverage(data, answer)
    return {**row, "edges": _text(answer.probability), "intervals": intervals, "covered": covered}


def edges_of(text: str, nodes: int) -> FloatArray:
    """Probabilities, (child, parent), from a cell of the table.

    Example:
        >>> edges_of("0>1:0.25", 2)
        array([[0.  , 0.  ],
               [0.25, 0.  ]])
    """
    probability = np.zeros((nodes, nodes))
    for parent, child, value in _EDGE.findall(text):
        probability[int(child), int(parent)] = float(value)
    return probability


def pooled(results: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Truth and probability of all edges that could be, over all rows.

    Args:
        results: Rows of one method, without failures.

    Returns:
        Two vectors: 0 or 1, and probabilities. Where the order is known, edges against it are
        left out.
    """
    true, probability = [np.zeros(0)], [np.zeros(0)]
    for row in results.fillna({"true_edges": "", "edges": ""}).itertuples():
        nodes = int(row.nodes)
        possible = ~np.eye(nodes, dtype=np.bool_)
        if row.order_known:
            possible = _allowed(int(row.seed), possible)
        true.append(edges_of(row.true_edges, nodes)[possible])
        probability.append(edges_of(row.edges, nodes)[possible])
    return np.concatenate(true), np.concatenate(probability)


def _allowed(seed: int, possible: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    # The order is the first thing that a seed draws.
    place = np.argsort(np.random.default_rng(seed).permutation(len(possible)))
    return np.asarray(possible & (place[:, None] > place))


def _coverage(data: Variables, answer: Answer) -> tuple[int | None, int | None]:
    """Number of intervals of true edges that are probable, and of those that hold the truth."""
    if answer.interval is None:
        return None, None
    low, high = answer.interval
    judged = data.adjacency & (answer.probability > _LIKELY) & np.isfinite(low)
    inside = judged & (low <= data.strength) & (data.strength <= high)
    return int(judged.sum()), int(inside.sum())


def _text(probability: FloatArray) -> str:
    return " ".join(
        f"{parent}>{child}:{probability[child, parent]:.4g}"
        for child, parent in np.argwhere(probability >= _SHOWN)
    )
