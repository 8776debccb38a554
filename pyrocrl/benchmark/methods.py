"""Every method, fitted and scored on the same simulated data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import pyrocrl as crl
from pyrocrl.benchmark.edges import edge_probabilities
from pyrocrl.benchmark.scores import matching, score_counts, score_edges, score_latents
from pyrocrl.benchmark.settings import COUNTING, OURS, SUPERVISED, Setting
from pyrocrl.clock import Clock
from pyrocrl.data import MultimodalData
from pyrocrl.simulate import Truth

__all__ = ["Drawn", "measure"]


@dataclass(frozen=True, eq=False)
class Drawn:
    """Simulated data, what they were simulated for, and what theory grants of their graph."""

    setting: Setting
    seed: int
    data: MultimodalData
    truth: Truth
    granted: npt.NDArray[np.bool_]


def measure(method: str, drawn: Drawn) -> dict[str, Any]:
    """Fit a method and score what it finds.

    Args:
        method: one of `METHODS`, or "select_latents".
        drawn: the data and the truth; the seed also decides what is random in the method.

    Returns:
        Scores by column; `seconds` and `cpu_seconds` (of the processor) are the fit alone.
    """
    measured: Callable[[Drawn], dict[str, Any]] | None = _OWN.get(method)
    return _baseline(method, drawn) if measured is None else measured(drawn)


def _pyrocrl(drawn: Drawn) -> dict[str, Any]:
    setting, truth = drawn.setting, drawn.truth
    clock = Clock()
    posterior = crl.fit(
        drawn.data,
        latents=setting.latents,
        noise=setting.noise,
        order=setting.order,
        mechanism=setting.mechanism,
        seed=drawn.seed,
        progress=False,
        **setting.fit,
    )
    taken = clock.read()
    # A fit takes Ctrl-C as a wish to end early; here it is a wish to stop.
    if posterior.history_record.interrupted:
        raise KeyboardInterrupt
    latents = posterior.latents().to_numpy()
    match = matching(truth, latents)
    probability = posterior.edge_probabilities().to_numpy()[np.ix_(match, match)]
    return {
        **taken,
        **score_latents(truth, latents, drawn.granted),
        **score_edges(truth, probability),
    }


def _baseline(name: str, drawn: Drawn) -> dict[str, Any]:
    """A baseline; its graph is the posterior that our fits report, given its latents."""
    setting, truth = drawn.setting, drawn.truth
    clock = Clock()
    fitted = crl.baselines.fit(
        name,
        drawn.data,
        setting.latents,
        setting.noise,
        seed=drawn.seed,
        supervision=truth.latents if name == SUPERVISED else None,
    )
    taken = clock.read()
    latents = fitted.latents().to_numpy()
    matched = latents[:, matching(truth, latents)]
    probability = edge_probabilities(matched, truth.groups, setting.order)
    return {
        **taken,
        **score_latents(truth, latents, drawn.granted),
        **score_edges(truth, probability),
    }


def _select_latents(drawn: Drawn) -> dict[str, Any]:
    clock = Clock()
    selection = crl.select_latents(
        drawn.data, counts=range(1, 6), seed=drawn.seed, progress=False, **drawn.setting.fit
    )
    taken = clock.read()
    return {
        **taken,
        **score_counts(drawn.truth, selection.counts, selection.table),
    }


_OWN: dict[str, Callable[[Drawn], dict[str, Any]]] = {
    OURS: _pyrocrl,
    COUNTING: _select_latents,
}
