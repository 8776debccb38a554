"""Which modalities see which latents, and sparse graphs over latents that are partly shared."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from pyrocrl.simulate.draws import first_that
from pyrocrl.simulate.order import Adjacency, is_acyclic

__all__ = ["PATTERNS", "draw_sharing_graph", "membership_of"]

BoolMatrix = npt.NDArray[np.bool_]

_SHARED_TO_LESS_SHARED = 0.3

# Modalities that see a latent -> number of such latents.
PATTERNS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "a": {"12": 1, "1": 2, "2": 2},
        "b": {"123": 1, "12": 1, "1": 1, "2": 1, "3": 2},
        "c": {"1234": 1, "123": 1, "124": 1, "34": 1, "13": 1, "24": 1},
        "all": {"123": 1, "1": 2, "2": 2, "3": 2},
        "pairs": {"12": 1, "13": 1, "23": 1, "1": 1, "2": 1, "3": 1},
        "nested": {"1234": 1, "123": 1, "12": 1, "1": 1, "2": 1, "3": 1, "4": 2},
        "chain": {"12": 1, "23": 1, "34": 1, "1": 1, "2": 1, "3": 1, "4": 1},
        "none": {"1": 2, "2": 2},
    }
)


def membership_of(pattern: Mapping[str, int]) -> BoolMatrix:
    """Which modality sees which latent, latents that many see first.

    Args:
        pattern: digits of the modalities that see a latent -> number of such latents.

    Returns:
        (latent, modality).

    Example:
        >>> membership_of(PATTERNS["a"]).astype(int).tolist()
        [[1, 1], [1, 0], [1, 0], [0, 1], [0, 1]]
    """
    modalities = sorted({digit for digits in pattern for digit in digits})
    rows = [
        [modality in digits for modality in modalities]
        for digits, count in pattern.items()
        for _ in range(count)
    ]
    return np.asarray(sorted(rows, key=lambda row: -sum(row)), dtype=bool)


def draw_sharing_graph(
    membership: BoolMatrix, rng: np.random.Generator, *, granted: bool
) -> Adjacency:
    """A sparse acyclic graph whose edges run from shared to less shared latents, not back.

    Every latent that a single modality sees has one parent among those of an earlier such modality,
    no two of a modality the same one if there are enough; each latent causes each that fewer
    modalities see, and all of them among its own or none, with probability .3. A latent has at most
    two parents.

    Args:
        membership: (latent, modality).
        rng: draws the graph.
        granted: draw again until theory grants every latent.

    Returns:
        `A[child, parent]`.

    Raises:
        ModelError: if 10,000 draws bring none.

    Example:
        >>> own = membership_of(PATTERNS["none"])
        >>> draw_sharing_graph(own, np.random.default_rng(0), granted=True).sum(1).tolist()
        [0, 0, 1, 1]
    """
    refused: set[bytes] = set()

    def accept(graph: Adjacency) -> bool:
        if graph.tobytes() in refused:
            return False
        accepted = is_acyclic(graph) and bool((graph.sum(1) <= 2).all())
        accepted = accepted and not (granted and not _granted_whole(graph, membership))
        if not accepted:
            refused.add(graph.tobytes())
        return accepted

    return first_that(
        lambda: _own_edges(membership, rng) + _shared_edges(membership, rng),
        accept,
        "granted whole by theory; choose another membership, or granted=False",
    )


def _own_edges(membership: BoolMatrix, rng: np.random.Generator) -> Adjacency:
    """One-to-one edges between latents of single modalities."""
    adjacency = np.zeros((len(membership),) * 2, dtype=np.int64)
    single = membership.sum(1) == 1
    own = [np.flatnonzero(single & seen) for seen in membership.T]
    own = [latents for latents in own if len(latents)]
    for m in range(1, len(own)):
        sources = rng.integers(0, m, size=len(own[m]))
        for source in np.unique(sources):
            children = own[m][sources == source]
            parents = np.resize(rng.permutation(own[source]), len(children))
            adjacency[children, parents] = 1
    return adjacency


def _shared_edges(membership: BoolMatrix, rng: np.random.Generator) -> Adjacency:
    """Edges from each latent to latents that a part of its modalities see."""
    seen = membership.astype(np.int64)
    within = seen @ seen.T == seen.sum(1)[:, None]  # [child, parent]: the parent's hold the child's
    fewer = seen.sum(1)[:, None] < seen.sum(1)[None, :]
    drawn = rng.random(within.shape) < _SHARED_TO_LESS_SHARED
    return np.asarray((within & fewer & drawn).astype(np.int64))


def _granted_whole(adjacency: Adjacency, membership: BoolMatrix) -> bool:
    """Whether theory grants every latent of the graph, see `diagnose.shared_identifiability`."""
    from pyrocrl.diagnose.sharing import cheaper_mixtures

    return not cheaper_mixtures(adjacency.astype(bool), membership)
