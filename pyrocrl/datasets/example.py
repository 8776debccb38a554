"""A data set with the settings that suit it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyrocrl.data import MultimodalData
from pyrocrl.scm import BackgroundKnowledge

__all__ = ["Example", "no_edge_between"]


@dataclass(frozen=True)
class Example:
    """A data set with the settings that suit it.

    Attributes:
        name: what to call it.
        data: the measurements; the order of the modalities is the assumed causal order.
        latents: number of latent causal variables of each table.
        noise: number of noise dimensions of each table.
        knowledge: edges that are ruled out beforehand.
        description: what was measured, on whom, and what was done to it.
        source: where the data come from.
    """

    name: str
    data: MultimodalData
    latents: Mapping[str, int]
    noise: Mapping[str, int]
    knowledge: BackgroundKnowledge
    description: str
    source: str

    @property
    def fit_arguments(self) -> dict[str, Any]:
        """What `crl.fit(example.data, ...)` takes."""
        return {
            "latents": dict(self.latents),
            "noise": dict(self.noise),
            "knowledge": self.knowledge,
        }


def no_edge_between(first: str, second: str) -> BackgroundKnowledge:
    """Neither of two nodes causes the other."""
    return BackgroundKnowledge(forbidden=[(first, second), (second, first)])
