"""Calibration of edge probabilities on simulated variables: one row per data set and method."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pyrocrl.clock import Clock
from pyrocrl.trust.answer import Answer
from pyrocrl.trust.design import Design
from pyrocrl.trust.methods import KNOWN, Method
from pyrocrl.trust.pooled import edge_text
from pyrocrl.trust.simulated import Variables

__all__ = ["COLUMNS", "KEY", "measure"]

FloatArray = npt.NDArray[np.float64]

KEY = ("seed", "method")
COLUMNS = (
    *KEY,
    *("nodes", "subjects", "kind", "noise", "order_known"),
    *("true_edges", "edges", "intervals", "covered", "spread", "seconds", "cpu_seconds", "error"),
)

_LIKELY = 0.5
_LONGEST_ERROR = 300


def measure(design: Design, name: str, method: Method, data: Variables) -> dict[str, Any]:
    """The row of one method; with the error in place of results where it fails.

    Args:
        design: The data set.
        name: Name of the method.
        method: The method.
        data: The same, drawn.
    """
    row = {
        "seed": design.seed,
        "method": name,
        "nodes": design.nodes,
        "subjects": design.subjects,
        "kind": design.kind,
        "noise": design.noise,
        "order_known": name == KNOWN,
        "true_edges": edge_text(data.adjacency.astype(np.float64)),
    }
    clock = Clock()
    try:
        answer = method(data)
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return {**row, "error": text[:_LONGEST_ERROR]}
    row |= answer.took or clock.read()
    intervals, covered = _coverage(data, answer)
    row |= {"intervals": intervals, "covered": covered, "spread": answer.spread}
    return {**row, "edges": edge_text(answer.probability)}


def _coverage(data: Variables, answer: Answer) -> tuple[int | None, int | None]:
    """Number of intervals of true edges that are probable, and of those that hold the truth."""
    if answer.interval is None:
        return None, None
    low, high = answer.interval
    judged = data.adjacency & (answer.probability > _LIKELY) & np.isfinite(low)
    inside = judged & (low <= data.strength) & (data.strength <= high)
    return int(judged.sum()), int(inside.sum())
