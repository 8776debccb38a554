"""Condition C.8 of Sun et al. (2025), for generic weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pyrocrl.diagnose.modular import PRIME, rank

__all__ = ["condition_c8", "may_enter"]

BoolMatrix = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


def may_enter(membership: BoolMatrix) -> BoolMatrix:
    """Which latents may be mixed into which while the modalities' subspaces stay as they are.

    Args:
        membership: (latent, modality).

    Returns:
        (latent k, latent j), True where all modalities that see k see j too, and j is not k.

    Source: Sun et al. (2025), appendix C.4: the class of indeterminacy matrices T.

    Example:
        >>> may_enter(np.array([[True, True], [True, False]])).astype(int).tolist()
        [[0, 0], [1, 0]]
    """
    seen = membership.astype(np.int64)
    enters = seen @ seen.T == seen.sum(1)[:, None]
    np.fill_diagonal(enters, False)
    return np.asarray(enters)


def condition_c8(adjacency: BoolMatrix, membership: BoolMatrix) -> bool:
    """Whether every T that mixes latents makes the counted edges more numerous.

    Blocks are latents that the same modalities see. Counted are the entries of
    [T^-1]_(b', H(b')) G_(H(b'), b) T_(b, b) for blocks b' whose modalities are more than those
    of b, or not nested with them; H(b) holds the latents that all modalities of b see. Without
    sharing this is Condition 4.3.

    Decided to first order, T = I + t X: it fails if some X that is not diagonal leaves every entry
    at zero that is zero in G (which then holds for generic weights along a curve of T), and if some
    single entry of X removes as many as it adds.

    Args:
        adjacency: `A[child, parent]`.
        membership: (latent, modality).

    Source: Sun et al. (2025), condition C.8, equation (29).

    Example:
        Two modalities that share a latent, with one-to-one edges between their own latents: both
        pairs can be turned together.

        >>> seen = np.array([[1, 1], [1, 0], [1, 0], [0, 1], [0, 1]], dtype=bool)
        >>> edges = np.zeros((5, 5), dtype=bool)
        >>> edges[3, 1] = edges[4, 2] = True
        >>> condition_c8(edges, seen)
        False
    """
    weights = np.random.default_rng(0).integers(1, PRIME, adjacency.shape)
    effects = np.where(adjacency, weights, 0)
    counted = _counted(membership)
    enters = may_enter(membership)
    pairs = [(int(i), int(k)) for i, k in zip(*np.nonzero(enters), strict=True)]
    rows = list(_equations(effects, counted, enters, membership, pairs))
    if rank(rows, enough=len(pairs)) < len(pairs):
        return False
    edges = int(np.count_nonzero(effects[counted]))
    return all(
        count > edges for pair in pairs for count in _single(effects, counted, membership, pair)
    )


def _counted(membership: BoolMatrix) -> BoolMatrix:
    """[b', b]: the modalities of b' are more than those of b, or not nested with them."""
    enters = may_enter(membership) | np.eye(len(membership), dtype=bool)
    # b' is in E(b) unless its modalities are a part of b's, or the same.
    return np.asarray(~enters)


def _same_block(membership: BoolMatrix) -> BoolMatrix:
    return np.asarray((membership[:, None] == membership[None, :]).all(-1))


def _equations(
    effects: IntArray,
    counted: BoolMatrix,
    enters: BoolMatrix,
    membership: BoolMatrix,
    pairs: list[tuple[int, int]],
) -> Iterator[tuple[int, ...]]:
    """Change of every counted entry that is zero, in terms of X off the diagonal."""
    same = _same_block(membership)
    for child, parent in zip(*np.nonzero(counted & (effects == 0)), strict=True):
        row = tuple(
            int(
                (k == parent and bool(same[i, k])) * effects[child, i]
                - (i == child and bool(enters[i, k])) * effects[k, parent]
            )
            % PRIME
            for i, k in pairs
        )
        if any(row):
            yield row


def _single(
    effects: IntArray, counted: BoolMatrix, membership: BoolMatrix, pair: tuple[int, int]
) -> Iterator[int]:
    """Entries that are counted after T = I + c E[k, j], for every c that removes an edge."""
    k, j = pair
    within = bool(_same_block(membership)[k, j])
    ratios = {
        int(a) * pow(int(b), -1, PRIME) % PRIME
        for a, b in zip(effects[k], effects[j], strict=True)
        if a and b
    }
    if within:
        ratios |= {
            -int(a) * pow(int(b), -1, PRIME) % PRIME
            for a, b in zip(effects[:, j], effects[:, k], strict=True)
            if a and b
        }
    for factor in sorted(ratios):
        moved = effects.copy()
        if within:
            moved[:, j] = (moved[:, j] + factor * moved[:, k]) % PRIME
        moved[k] = (moved[k] - factor * moved[j]) % PRIME
        yield int(np.count_nonzero(moved[counted]))
