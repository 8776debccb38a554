"""Every parent set that a child may have, listed so that leaving one parent out is a look-up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb

import numpy as np

from pyrocrl.errors import ModelError
from pyrocrl.structure._arrays import BoolArray, IntArray

__all__ = ["MAX_SETS", "ParentSets"]

MAX_SETS = 20_000


@dataclass(frozen=True)
class ParentSets:
    """All sets of a child's candidate parents that contain the required ones.

    Sets are rows, smaller ones first, so that a set stands after all of its subsets. Within a size
    the order is colexicographic, in which the row of a set is a sum of binomial coefficients.

    Attributes:
        n_nodes: Number of nodes of the graph.
        free: Parents that a set may or may not hold, ascending.
        required: Parents that every set holds, ascending.
        max_free: Largest number of free parents in a set.
    """

    n_nodes: int
    free: tuple[int, ...]
    required: tuple[int, ...]
    max_free: int

    @classmethod
    def enumerate(
        cls,
        n_nodes: int,
        candidates: Iterable[int],
        required: Iterable[int] = (),
        *,
        max_parents: int | None = None,
        max_sets: int = MAX_SETS,
    ) -> ParentSets:
        """List the parent sets, limited in size where there would be too many.

        Args:
            n_nodes: Number of nodes of the graph.
            candidates: Nodes that may be parents, the required ones included.
            required: Candidates that must be parents.
            max_parents: Largest number of parents; None for no limit of your own.
            max_sets: Largest number of sets. Where all would be more, only the sets up to the
                largest size that fits are listed, and `capped` is true.

        Returns:
            The parent sets.

        Raises:
            ModelError: If more parents are required than `max_parents` permits.

        Example:
            >>> ParentSets.enumerate(4, [0, 2, 3], required=[2]).membership.astype(int)
            array([[0, 0, 1, 0],
                   [1, 0, 1, 0],
                   [0, 0, 1, 1],
                   [1, 0, 1, 1]])
        """
        musts = tuple(sorted(set(required)))
        free = tuple(sorted(set(candidates).difference(musts)))
        most = len(free)
        if max_parents is not None:
            if len(musts) > max_parents:
                raise ModelError(
                    f"{len(musts)} parents are required of one node, more than "
                    f"max_parents={max_parents} permits; raise max_parents"
                )
            most = min(most, max_parents - len(musts))
        while most and sum(comb(len(free), size) for size in range(most + 1)) > max_sets:
            most -= 1
        return cls(n_nodes, free, musts, most)

    @property
    def capped(self) -> bool:
        """Whether larger sets of the same candidates were left out."""
        return self.max_free < len(self.free)

    @property
    def max_parents(self) -> int:
        """Number of parents in the largest sets."""
        return len(self.required) + self.max_free

    @cached_property
    def offsets(self) -> IntArray:
        """First row of every size, and one past the last row; shape (size + 1,)."""
        counts = [comb(len(self.free), size) for size in range(self.max_free + 1)]
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def __len__(self) -> int:
        return int(self.offsets[-1])

    @cached_property
    def _positions(self) -> tuple[IntArray, ...]:
        # Per size: positions in `free` of the members, ascending, shape (set, size).
        levels = []
        for size in range(self.max_free + 1):
            listed = np.array(list(combinations(range(len(self.free)), size)), dtype=np.int64)
            listed = listed.reshape(comb(len(self.free), size), size)
            level = np.empty_like(listed)
            level[self._rank(listed)] = listed
            levels.append(level)
        return tuple(levels)

    @cached_property
    def _binomials(self) -> IntArray:
        table = [[comb(c, k) for k in range(self.max_free + 1)] for c in range(len(self.free))]
        return np.array(table, dtype=np.int64).reshape(len(self.free), self.max_free + 1)

    def _rank(self, positions: IntArray) -> IntArray:
        steps = self._binomials[positions, np.arange(1, positions.shape[1] + 1)]
        return np.asarray(steps.sum(axis=1))

    def free_members(self, size: int) -> IntArray:
        """Free parents of every set that has `size` of them, shape (set, size)."""
        return np.array(self.free, dtype=np.int64)[self._positions[size]]

    def members(self, size: int) -> IntArray:
        """All parents of every set that has `size` free ones, shape (set, parent)."""
        free = self.free_members(size)
        required = np.broadcast_to(
            np.array(self.required, dtype=np.int64), (len(free), len(self.required))
        )
        return np.concatenate([required, free], axis=1)

    def without(self, size: int) -> IntArray:
        """Rows of the sets that lack one free parent of a set.

        Args:
            size: Number of free parents, at least one.

        Returns:
            Rows, shape (set, size): entry ``[s, k]`` is the row of the set that is left of the
            ``s``-th set of this size when ``free_members(size)[s, k]`` goes.
        """
        positions = self._positions[size]
        rows = np.empty_like(positions)
        for k in range(size):
            rows[:, k] = self.offsets[size - 1] + self._rank(np.delete(positions, k, axis=1))
        return rows

    @cached_property
    def membership(self) -> BoolArray:
        """Which nodes every set holds, shape (set, node)."""
        table = np.zeros((len(self), self.n_nodes), dtype=np.bool_)
        for size in range(self.max_free + 1):
            rows = np.arange(self.offsets[size], self.offsets[size + 1])
            table[rows[:, None], self.members(size)] = True
        return table
