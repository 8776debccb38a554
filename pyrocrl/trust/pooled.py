"""Edge probabilities and the truth, pooled over data sets, from the cells of the results."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.trust.design import known_order

__all__ = ["Pooled", "directions", "edge_text", "edges", "edges_of", "links"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Part = tuple[FloatArray, FloatArray]

_SHOWN = 1e-4
_EDGE = re.compile(r"(\d+)>(\d+):(\S+)")


@dataclass(frozen=True, eq=False)
class Pooled:
    """Something that is true or not, many times.

    Attributes:
        true: 0 or 1 each.
        probability: What a method gives each.
    """

    true: FloatArray
    probability: FloatArray


def edge_text(probability: FloatArray) -> str:
    """A cell of the table from probabilities, (child, parent).

    Example:
        >>> edge_text(np.array([[0, 0], [0.25, 0]]))
        '0>1:0.25'
    """
    return " ".join(
        f"{parent}>{child}:{probability[child, parent]:.3g}"
        for child, parent in np.argwhere(probability >= _SHOWN)
    )


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


def edges(results: pd.DataFrame) -> Pooled:
    """Every edge that could be; where the order is known, those that agree with it.

    Args:
        results: Rows of `pyrocrl.trust.calibration.measure` of one method, without failures.
    """
    return _pool(results, lambda true, found, possible: (true[possible], found[possible]))


def links(results: pd.DataFrame) -> Pooled:
    """Every pair of variables: linked either way or not; argument as of `edges`."""

    def both_ways(true: FloatArray, found: FloatArray, possible: BoolArray) -> Part:
        pair = np.triu(possible | possible.T, 1)
        return (true + true.T)[pair], (found + found.T)[pair].clip(0, 1)

    return _pool(results, both_ways)


def directions(results: pd.DataFrame) -> Pooled:
    """Pairs that are linked and found to be: does the first cause the second, given the link?

    Argument as of `edges`.
    """

    def first_to_second(true: FloatArray, found: FloatArray, possible: BoolArray) -> Part:
        either = found + found.T
        pair = np.triu(((true + true.T) > 0) & (either > 1 / 2), 1)
        return true[pair], (found / np.where(either > 0, either, 1))[pair]

    return _pool(results, first_to_second)


def _pool(
    results: pd.DataFrame, part: Callable[[FloatArray, FloatArray, BoolArray], Part]
) -> Pooled:
    parts = [(np.zeros(0), np.zeros(0)), *(part(*given) for given in _each(results))]
    true, probability = zip(*parts, strict=True)
    return Pooled(np.concatenate(true), np.concatenate(probability))


def _each(results: pd.DataFrame) -> Iterator[tuple[FloatArray, FloatArray, BoolArray]]:
    """Truth, probabilities and which edges could be, (child, parent), for every row."""
    for row in results.fillna({"true_edges": "", "edges": ""}).itertuples():
        nodes = int(row.nodes)
        possible = ~np.eye(nodes, dtype=np.bool_)
        if row.order_known:
            place = np.argsort(known_order(int(row.seed), nodes))
            possible &= place[:, None] > place
        yield edges_of(row.true_edges, nodes), edges_of(row.edges, nodes), possible
