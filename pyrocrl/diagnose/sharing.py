"""Can the data grant latents that several modalities share? Conditions of both papers, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.diagnose.alternatives import is_acyclic, support
from pyrocrl.diagnose.modular import PRIME
from pyrocrl.diagnose.shared_condition import condition_c8, may_enter
from pyrocrl.errors import ModelError, listing

__all__ = ["Mixture", "SharedIdentifiability", "cheaper_mixtures", "shared_identifiability"]

BoolMatrix = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Mixture:
    """A mixture z_k - c z_j that explains the data with no dearer edges than latent k.

    Attributes:
        latent: k.
        other: j, which all modalities that see k see too.
        saved: what the edges cost less, 0 for a tie.
        along: latents that are mixed with j at the same time, k's effects for instance.
    """

    latent: int
    other: int
    saved: float
    along: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class SharedIdentifiability:
    """What the data can grant where latents are shared.

    Attributes:
        conditions: one row per condition: condition, holds (None where it cannot be told), words.
        table: one row per latent: latent, modalities, verdict ("granted", "tied", "not granted"),
            reason.
    """

    conditions: pd.DataFrame
    table: pd.DataFrame

    @property
    def granted(self) -> pd.Series:
        """Whether each latent is granted, by name."""
        verdicts = self.table.set_index("latent")["verdict"]
        return (verdicts == "granted").rename("granted")

    def __repr__(self) -> str:
        latents = [
            f"  {row.latent} {row.verdict}: {row.reason}"
            for row in self.table.itertuples()
            if row.verdict != "granted"
        ]
        conditions = [f"  {words}" for words in self.conditions["words"]]
        return "\n".join([f"SharedIdentifiability: {self._headline()}", *conditions, *latents])

    def _repr_html_(self) -> str:
        tables = "".join(frame.to_html(index=False) for frame in (self.conditions, self.table))
        return f"<p><b>Identifiability</b>: {escape(self._headline())}</p>{tables}"

    def _headline(self) -> str:
        granted, all_of_them = int(self.granted.sum()), len(self.table)
        return f"{granted} of {all_of_them} latents granted by mixtures with one other"


def shared_identifiability(
    adjacency: npt.ArrayLike | pd.DataFrame,
    membership: pd.DataFrame,
    *,
    columns: Mapping[str, int] | None = None,
    noise: int | Mapping[str, int] = 1,
    inner: float = 0.4,
) -> SharedIdentifiability:
    """Which latents of a graph are granted where modalities share latents, and the conditions.

    A latent may be mixed with those that all of its modalities see too, and the data stay the
    same. It is granted if every such mixture with one other latent makes the edges dearer (an edge
    between latents that no modality sees together costs 1, any other `inner`), alone or along with
    its effects: what a latent does to another and, through it, to its effects can be subtracted
    from all of them where their modalities see it. That is necessary, not sufficient. The
    conditions are Condition C.8 of Sun et al., and those under which Benhamza et al. identify all
    latents.

    Args:
        adjacency: `A[child, parent]`, 0 or 1, acyclic.
        membership: (latent, modality), True where a modality sees a latent; its index names them.
        columns: columns of each modality; without them their number is not judged.
        noise: dimensions of each modality's own noise.
        inner: price of an edge between latents that some modality sees together.

    Returns:
        The conditions, and a verdict and a reason for every latent.

    Raises:
        ModelError: if the arguments do not go together.

    Source: Sun et al. (2025), condition C.8; Benhamza, Clausel, Tami (2026), as far as its
    assumptions are known.

    Example:
        >>> seen = pd.DataFrame({"body": [True, True, False], "labs": [True, False, True]})
        >>> edges = np.zeros((3, 3), dtype=int)
        >>> edges[2, 1] = edges[2, 0] = 1
        >>> shared_identifiability(edges, seen).granted.tolist()
        [True, True, False]
    """
    edges, seen = _checked(adjacency, membership)
    mixtures = cheaper_mixtures(edges, seen, inner)
    names = [str(name) for name in membership.index]
    modalities = [str(name) for name in membership.columns]
    rows = [
        (name, " + ".join(np.array(modalities)[seen[k]]), *_verdict(k, mixtures, names))
        for k, name in enumerate(names)
    ]
    found = [
        _c8(edges, seen),
        _dimensions(seen, modalities, columns, noise),
        _directions(edges, seen, names),
        _strangers(seen, modalities),
    ]
    return SharedIdentifiability(
        pd.DataFrame(found, columns=["condition", "holds", "words"]).astype({"holds": object}),
        pd.DataFrame(rows, columns=["latent", "modalities", "verdict", "reason"]),
    )


def cheaper_mixtures(
    adjacency: BoolMatrix, membership: BoolMatrix, inner: float = 0.4
) -> list[Mixture]:
    """All mixtures of latents with one other that cost no more edges than the latents themselves.

    To replace z_k by z_k - c z_j adds c times the column of k in I - B to that of j. Latents are
    mixed with j alone, by every c that removes an edge, and together with those of their effects
    that j may enter, by what j does to each of them.

    Args:
        adjacency: `A[child, parent]`, acyclic.
        membership: (latent, modality).
        inner: price of an edge between latents that some modality sees together.

    Returns:
        One for each pair (k, j) that has any, the cheapest.

    Example:
        >>> chain = np.array([[False, False], [True, False]])
        >>> cheaper_mixtures(chain, np.array([[True, True], [False, True]]))
        [Mixture(latent=1, other=0, saved=0.4, along=())]
    """
    size = len(adjacency)
    rng = np.random.default_rng(0)
    columns = np.where(adjacency, rng.integers(1, PRIME, adjacency.shape), 0)
    columns[np.diag_indices(size)] = 1
    together = membership.astype(int) @ membership.T > 0
    price = np.where(together, inner, 1.0)
    np.fill_diagonal(price, 0.0)
    enters, found = may_enter(membership), list[Mixture]()
    for k, j in zip(*np.nonzero(enters), strict=True):
        both = (columns[:, j] != 0) & (columns[:, k] != 0)
        saved = [_saved(columns, int(k), int(j), int(row), price) for row in np.flatnonzero(both)]
        found.append(Mixture(int(k), int(j), max(saved, default=-np.inf)))
        found += _along_with_effects(columns, int(k), int(j), enters[:, j], price)
    found = [replace(mixture, saved=round(mixture.saved, 9) + 0.0) for mixture in found]
    # Of mixtures as cheap the one of fewer latents is told: the last of its pair stays.
    found.sort(key=lambda mixture: (mixture.saved, -len(mixture.along)))
    best = {(mixture.latent, mixture.other): mixture for mixture in found if mixture.saved >= 0}
    return [best[pair] for pair in sorted(best)]


def _along_with_effects(
    columns: npt.NDArray[np.int64],
    k: int,
    j: int,
    enters: BoolMatrix,
    price: npt.NDArray[np.float64],
) -> list[Mixture]:
    """What j does to k is subtracted from k and from all effects of k that j may enter."""
    mixed, changed = columns[:, j].copy(), list[int]()
    for t in _causes_first(columns):
        if t == k or (enters[t] and any(columns[t, cause] for cause in changed)):
            factor = -int(mixed[t])
            if factor:
                mixed = (mixed + factor * columns[:, t]) % PRIME
                changed.append(t)
    if len(changed) < 2:
        return []
    saved = float(price[columns[:, j] != 0, j].sum() - price[mixed != 0, j].sum())
    return [Mixture(t, j, saved, tuple(o for o in changed if o != t)) for t in changed]


def _causes_first(columns: npt.NDArray[np.int64]) -> list[int]:
    """All latents in an order in which no effect stands before its cause."""
    import networkx as nx

    edges = np.where(np.eye(len(columns), dtype=bool), 0, columns.T != 0)
    graph = nx.from_numpy_array(edges, create_using=nx.DiGraph)
    return [int(t) for t in nx.lexicographical_topological_sort(graph)]


def _saved(
    columns: npt.NDArray[np.int64], k: int, j: int, row: int, price: npt.NDArray[np.float64]
) -> float:
    """What is saved by the mixture whose c removes the entry of column j in this row."""
    factor = -int(columns[row, j]) * pow(int(columns[row, k]), -1, PRIME)
    mixed = columns.copy()
    mixed[:, j] = (columns[:, j] + factor * columns[:, k]) % PRIME
    size = len(columns)
    if not is_acyclic([support(column.tolist()) for column in mixed.T], (1 << size) - 1):
        return -np.inf
    if row == j:  # j's own noise would go: the noises change places
        return -np.inf
    return float(((columns != 0) * price).sum() - ((mixed != 0) * price).sum())


def _verdict(k: int, mixtures: list[Mixture], names: list[str]) -> tuple[str, str]:
    own = sorted((m for m in mixtures if m.latent == k), key=lambda m: -m.saved)
    if not own:
        return "granted", f"no mixture of {names[k]} with another latent costs as few edges"
    mixture = f"{names[k]} - c * {names[own[0].other]}"
    if own[0].along:
        mixture += f", along with {listing([names[other] for other in own[0].along])},"
    if own[0].saved > 0:
        return "not granted", f"{mixture} explains the data with cheaper edges"
    return "tied", f"{mixture} explains the data with edges as cheap"


def _c8(edges: BoolMatrix, seen: BoolMatrix) -> tuple[str, bool, str]:
    holds = condition_c8(edges, seen)
    words = (
        "every mixture of latents adds edges (Condition C.8 of Sun et al. holds)"
        if holds
        else "some mixture of latents needs no more edges (Condition C.8 of Sun et al. fails)"
    )
    return "C.8", holds, words


def _dimensions(
    seen: BoolMatrix,
    modalities: list[str],
    columns: Mapping[str, int] | None,
    noise: int | Mapping[str, int],
) -> tuple[str, bool | None, str]:
    name = "more columns than latents"
    if columns is None:
        return name, None, "whether modalities have more columns than latents was not asked"
    short = []
    for modality, count in zip(modalities, seen.sum(0), strict=True):
        if modality not in columns:
            raise ModelError(f"columns: modality {modality!r} is missing; give its number")
        own = noise if isinstance(noise, int) else noise[modality]
        if columns[modality] <= int(count) + own:
            short.append(modality)
    if not short:
        return name, True, "every modality has more columns than latents and noises"
    return name, False, f"{listing(short)}: no more columns than latents and noises"


def _directions(edges: BoolMatrix, seen: BoolMatrix, names: list[str]) -> tuple[str, bool, str]:
    name = "from shared to specific"
    back = [
        f"{names[parent]} -> {names[child]}"
        for child, parent in zip(*np.nonzero(edges), strict=True)
        if seen[child].sum() > seen[parent].sum()
        and (seen[parent].sum() == 1 or bool((seen[child] >= seen[parent]).all()))
    ]
    if not back:
        return name, True, "edges run from shared to less shared latents"
    return name, False, f"edges run back into latents that more modalities see: {listing(back)}"


def _strangers(seen: BoolMatrix, modalities: list[str]) -> tuple[str, bool, str]:
    name = "a modality that shares nothing"
    common = seen.T.astype(int) @ seen > 0
    without = [modality for modality, row in zip(modalities, common, strict=True) if row.all()]
    if not without:
        return name, True, "for every modality there is another that shares no latent with it"
    return name, False, f"{listing(without)}: shares latents with every other modality"


def _checked(adjacency: Any, membership: pd.DataFrame) -> tuple[BoolMatrix, BoolMatrix]:
    if not isinstance(membership, pd.DataFrame):
        raise ModelError("membership must be a DataFrame (latent, modality) of True and False")
    seen = membership.to_numpy()
    edges = np.asarray(adjacency)
    if edges.shape != (len(seen), len(seen)) or not np.isin(edges, [0, 1]).all():
        raise ModelError(
            f"adjacency must hold 0 and 1 with a row and a column for each of the {len(seen)} "
            f"latents of membership, not have the shape {edges.shape}"
        )
    if not np.isin(seen, [0, 1]).all() or not seen.any(axis=1).all():
        raise ModelError("membership must hold True and False, at least one True for each latent")
    edges = edges.astype(bool)
    columns = [support([*column.astype(int)]) | (1 << k) for k, column in enumerate(edges.T)]
    if edges.diagonal().any() or not is_acyclic(columns, (1 << len(edges)) - 1):
        raise ModelError("adjacency must be acyclic; remove an edge of each cycle")
    return edges, seen.astype(bool)
