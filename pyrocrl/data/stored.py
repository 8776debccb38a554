"""Modalities without subjects, from what a saved fit keeps of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyrocrl.data.counts import CountsModality
from pyrocrl.data.images import ImageModality
from pyrocrl.data.mixed import MixedModality
from pyrocrl.data.modality import Modality
from pyrocrl.data.series import SeriesModality
from pyrocrl.data.tabular import TableModality

__all__ = ["modality_from_json"]

_KINDS: dict[str, type[Modality]] = {
    "counts": CountsModality,
    "mixed table": MixedModality,
    "table": TableModality,
    "variables": TableModality,
    "image": ImageModality,
    "series": SeriesModality,
}


def modality_from_json(stored: Mapping[str, Any]) -> Modality:
    """The modality without subjects.

    Args:
        stored: name, kind and what `Modality.to_json` returned.

    Raises:
        KeyError: if something is missing, or the kind is unknown.

    >>> import numpy as np
    >>> from pyrocrl.data.sources import read
    >>> labs = read("labs", np.arange(3.0)).modality()
    >>> len(modality_from_json({"name": "labs", "kind": labs.kind, **labs.to_json()}))
    0
    """
    rest = {key: value for key, value in stored.items() if key not in ("name", "kind")}
    return _KINDS[stored["kind"]].from_json(stored["name"], rest)
