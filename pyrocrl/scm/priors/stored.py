"""Shipped edge priors as JSON values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyro.distributions as dist
import torch

from pyrocrl.scm.priors.hierarchical import HierarchicalEdges, ScaleFree
from pyrocrl.scm.priors.independent import BlockEdges, ExpertEdges, SpikeAndSlab
from pyrocrl.scm.priors.protocol import EdgePrior, ShippedPrior
from pyrocrl.scm.priors.shrinkage import Horseshoe, LaplaceEdges

__all__ = ["SHIPPED", "prior_from_json", "prior_to_json"]

SHIPPED: tuple[type[ShippedPrior], ...] = (
    SpikeAndSlab,
    BlockEdges,
    ExpertEdges,
    HierarchicalEdges,
    ScaleFree,
    LaplaceEdges,
    Horseshoe,
)


def prior_to_json(prior: EdgePrior) -> dict[str, Any] | None:
    """A shipped prior as JSON values; None for code, such as a program or a subclass.

    Example:
        >>> prior_to_json(LaplaceEdges(0.3))
        {'kind': 'laplace', 'scale': 0.3}
    """
    if type(prior) not in SHIPPED:
        return None
    assert isinstance(prior, ShippedPrior)
    stored: dict[str, Any] = {"kind": prior.kind}
    for name, value in prior.arguments().items():
        if isinstance(value, torch.distributions.Distribution):
            if not hasattr(dist, type(value).__name__) or not value.arg_constraints:
                return None
            numbers = {key: float(getattr(value, key)) for key in value.arg_constraints}
            stored[name] = {"distribution": type(value).__name__, **numbers}
        elif isinstance(value, pd.DataFrame):
            rows = value.astype(object).where(value.notna(), None).to_numpy().tolist()
            stored[name] = {
                "children": list(value.index),
                "parents": list(value.columns),
                "rows": rows,
            }
        else:
            stored[name] = value
    return stored


def prior_from_json(stored: Mapping[str, Any]) -> ShippedPrior | None:
    """The prior that `prior_to_json` stored; None for one of an unknown kind.

    Example:
        >>> prior_from_json({"kind": "laplace", "scale": 0.3})
        LaplaceEdges(scale=0.3)
    """
    for shipped in SHIPPED:
        if shipped.kind == stored["kind"]:
            return shipped(**{n: _value(v) for n, v in stored.items() if n != "kind"})
    return None


def _value(stored: Any) -> Any:
    if isinstance(stored, Mapping) and "distribution" in stored:
        numbers = {key: value for key, value in stored.items() if key != "distribution"}
        return getattr(dist, stored["distribution"])(**numbers)
    if isinstance(stored, Mapping):
        return pd.DataFrame(stored["rows"], stored["children"], stored["parents"], dtype=float)
    return stored
