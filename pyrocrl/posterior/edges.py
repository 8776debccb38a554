"""Every edge with its probability, strength and effect, and their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.errors import ModelError
from pyrocrl.posterior.inference_data import import_arviz

if TYPE_CHECKING:
    from pyrocrl.posterior.posterior import Posterior

__all__ = ["edge_table"]

FloatArray = npt.NDArray[np.float64]

_GIVEN, _FOUND = "given by the order", "found in the data"
_EDGE_COLUMNS = [
    "parent",
    "child",
    "probability",
    "strength",
    "hdi_low",
    "hdi_high",
    "effect",
    "effect_low",
    "effect_high",
    "direction",
    "variational",
]


def edge_table(posterior: Posterior, hdi: float) -> pd.DataFrame:
    """See `Posterior.edge_table`."""
    if not 0 < hdi < 1:
        raise ModelError(f"hdi must be between 0 and 1, not {hdi}")
    names = posterior.nodes.names
    required = posterior.model.space.required
    open_ways = posterior.allowed & posterior.allowed.T
    if posterior.model.space.rule != "modality":
        open_ways = posterior.allowed
    rows = []
    for child, parent in zip(*np.nonzero(posterior.allowed), strict=True):
        present = posterior.draws.adjacency[:, :, child, parent]
        strength = posterior.draws.strength[:, :, child, parent][present]
        effect = posterior.draws.effect[:, :, child, parent][present]
        low, high = _interval(strength, hdi)
        effect_low, effect_high = _interval(effect, hdi)
        rows.append(
            {
                "parent": names[parent],
                "child": names[child],
                "probability": posterior.probability[child, parent],
                "strength": strength.mean() if len(strength) else np.nan,
                "hdi_low": low,
                "hdi_high": high,
                "effect": effect.mean() if len(effect) else np.nan,
                "effect_low": effect_low,
                "effect_high": effect_high,
                "direction": "required"
                if required[child, parent]
                else _FOUND
                if open_ways[child, parent]
                else _GIVEN,
                "variational": posterior.variational[child, parent],
            }
        )
    table = pd.DataFrame(rows, columns=_EDGE_COLUMNS)
    # Edges that are all but certain stand in the order of their strength.
    keys = {"probability": table.probability.round(6), "strength": table.strength.fillna(0)}
    by = table.assign(**keys).sort_values(list(keys), ascending=False, kind="stable")
    return table.loc[by.index].reset_index(drop=True)


def _interval(values: FloatArray, mass: float) -> tuple[float, float]:
    if len(values) < 2:
        return (np.nan, np.nan) if len(values) == 0 else (float(values[0]), float(values[0]))
    low, high = import_arviz().hdi(values, hdi_prob=mass)
    return float(low), float(high)
