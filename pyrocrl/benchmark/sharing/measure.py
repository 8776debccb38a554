"""One data set, one method: is the membership right, and how near are the shared latents?"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import pyrocrl as crl
from pyrocrl.baselines import ContrastiveLearning
from pyrocrl.benchmark.sharing.settings import SharingSetting
from pyrocrl.data import MultimodalData
from pyrocrl.errors import PyrocrlError
from pyrocrl.metrics import absolute_correlations, cubic_ridge, match_within_groups
from pyrocrl.pipeline import fit
from pyrocrl.sharing.content_selection import select_content, sizes_of
from pyrocrl.sharing.contrastive import align_known
from pyrocrl.sharing.discover import discover
from pyrocrl.sharing.linear import generalised_cca
from pyrocrl.simulate import SharedTruth

__all__ = ["COLUMNS", "KEY", "METHODS", "SLOW", "measure"]

FloatArray = npt.NDArray[np.float64]

KEY = ("setting", "seed", "method")
COLUMNS = (
    *KEY,
    "exact",
    "found",
    "true",
    "mcc",
    "worst",
    "r2",
    "wrong_edges",
    "probabilities",
    "answers",
    "cpu_seconds",
    "seconds",
    "error",
    "version",
)


@dataclass(frozen=True)
class Answer:
    """What a method says.

    Attributes:
        latents: (subject, latent), the shared ones.
        membership: (latent, modality) of these; None where it was given.
        judged: for two modalities, P(shared) of each component in order; else nothing.
        edges: `A[child, parent]` over all latents, where the method gives a graph; `latents` then
            holds those of single modalities as well.
    """

    latents: pd.DataFrame
    membership: pd.DataFrame | None
    judged: tuple[float, ...] = ()
    edges: pd.DataFrame | None = None


def _ours(data: MultimodalData, truth: SharedTruth, spare: int) -> Answer:
    found = discover(data, _most(truth, spare), progress=False)
    seen = found.membership()
    judged = found.table["probability"] if len(data.names) == 2 else ()
    latents = pd.DataFrame(found.latents().to_numpy(), data.subjects, list(found.names))
    return Answer(latents, seen.loc[list(found.names)], tuple(judged))


def _linear(data: MultimodalData, truth: SharedTruth, spare: int) -> Answer:
    return Answer(*generalised_cca(data, _most(truth, spare)))


def _whole(data: MultimodalData, truth: SharedTruth, spare: int) -> Answer:
    found = discover(data, _most(truth, spare), progress=False)
    posterior = fit(data, sharing=found, restarts=4, progress=False)
    shared = pd.DataFrame(found.latents().to_numpy(), data.subjects, list(found.names))
    own = posterior.latents().to_pandas()
    between = posterior.edge_probabilities() > 0.5
    return Answer(
        shared.join(own.drop(columns=shared.columns, errors="ignore")),
        found.membership().loc[list(found.names)],
        edges=between,
    )


def _known(data: MultimodalData, truth: SharedTruth, spare: int) -> Answer:
    return Answer(align_known(data, truth.membership), None)


def _content(data: MultimodalData, truth: SharedTruth, spare: int) -> Answer:
    return Answer(select_content(data, sizes_of(truth.membership)), None)


def _mcl(data: MultimodalData, truth: SharedTruth, spare: int) -> Answer:
    codes = ContrastiveLearning().fit(data, _most(truth, spare)).latents()
    return Answer(codes.to_pandas(), None)


def _without(data: MultimodalData, truth: SharedTruth, spare: int) -> Answer:
    posterior = fit(data, _most(truth, spare), restarts=4, progress=False)
    return Answer(posterior.latents().to_pandas(), None)


METHODS: dict[str, Callable[[MultimodalData, SharedTruth, int], Answer]] = {
    "pyrocrl": _ours,
    "pyrocrl, whole fit": _whole,
    "generalised CCA": _linear,
    "contrastive, sharing known": _known,
    "content selection, numbers known": _content,
    "mcl": _mcl,
    "pyrocrl, without sharing": _without,
}
SLOW = ("pyrocrl, whole fit", "pyrocrl, without sharing")


def measure(name: str, setting: SharingSetting, seed: int, method: str) -> dict[str, Any]:
    """Run a method on one data set.

    Args:
        name: of the setting.
        setting: what is simulated.
        seed: of the data.
        method: a key of `METHODS`.

    Returns:
        A row with `COLUMNS`; what does not apply is left out.
    """
    data, truth = setting.draw(seed)
    row: dict[str, Any] = {
        "setting": name,
        "seed": seed,
        "method": method,
        "version": crl.__version__,
    }
    started, processor = time.perf_counter(), time.process_time()
    try:
        answer = METHODS[method](data, truth, setting.spare)
    except PyrocrlError as error:
        return {**row, "error": str(error)}
    row["cpu_seconds"] = time.process_time() - processor
    row["seconds"] = time.perf_counter() - started
    shared = truth.membership[truth.membership.sum(axis=1) > 1]
    if answer.membership is not None:
        row["found"], row["true"] = _in_words(answer.membership), _in_words(shared)
        row["exact"] = int(row["found"] == row["true"])
    row.update(_nearness(answer, truth, shared))
    if answer.judged:
        row["probabilities"] = " ".join(f"{p:.4f}" for p in answer.judged)
        row["answers"] = " ".join(str(int(d < len(shared))) for d in range(len(answer.judged)))
    return row


def _most(truth: SharedTruth, spare: int) -> dict[str, int]:
    return {str(name): int(count) + spare for name, count in truth.membership.sum().items()}


def _in_words(membership: pd.DataFrame) -> str:
    sets = Counter("+".join(row.index[row]) for _, row in membership.iterrows())
    return " ".join(f"{group}:{count}" for group, count in sorted(sets.items()))


def _nearness(answer: Answer, truth: SharedTruth, shared: pd.DataFrame) -> dict[str, float]:
    """MCC of single shared latents, and the worst; held-out R2 of each block from all found."""
    if not len(shared) or not answer.latents.shape[1]:
        return {}
    true = truth.latents[list(shared.index)].to_numpy()
    found = answer.latents.to_numpy()
    blocks = shared.groupby(list(shared.columns)).ngroup().to_numpy()
    single = np.flatnonzero(np.bincount(blocks)[blocks] == 1)
    near = {"r2": _held_out_r2(true, found)}
    if answer.edges is not None:
        return near | _whole_nearness(answer, truth)
    if len(single):
        correlation = absolute_correlations(true[:, single], found)
        near |= _mean_and_worst(correlation.max(1))
    return near


def _held_out_r2(true: FloatArray, found: FloatArray) -> float:
    """Cubic ridge regression, fitted on even rows and scored on odd ones, as `metrics.r2` does."""
    regression = cubic_ridge()
    regression.fit(found[::2], true[::2])
    error = (true[1::2] - regression.predict(found[1::2]).reshape(-1, true.shape[1])) ** 2
    return float(np.mean(1 - error.mean(0) / true[1::2].var(0)))


def _whole_nearness(answer: Answer, truth: SharedTruth) -> dict[str, float]:
    """MCC over all latents and wrong edges, where as many latents as there are were found."""
    if answer.edges is None or answer.latents.shape != truth.latents.shape:
        return {}
    groups = [name.rpartition(".")[0] for name in answer.latents.columns]
    order = np.argsort(groups, kind="stable")
    found = answer.latents.iloc[:, order]
    true_order = np.argsort(truth.groups, kind="stable")
    true = truth.latents.iloc[:, true_order]
    labels = [truth.groups[k] for k in true_order]
    if labels != [groups[k] for k in order]:
        return {}
    strength = absolute_correlations(true, found)
    match = match_within_groups(strength, labels)
    names = [found.columns[k] for k in match]
    edges = answer.edges.loc[names, names].to_numpy()
    wrong = edges != truth.adjacency.loc[true.columns, true.columns].to_numpy().astype(bool)
    nearness = _mean_and_worst(strength[np.arange(len(match)), match])
    return nearness | {"wrong_edges": float(wrong.sum())}


def _mean_and_worst(correlations: FloatArray) -> dict[str, float]:
    return {"mcc": float(correlations.mean()), "worst": float(correlations.min())}
