"""Every permitted parent set is listed once, and its subsets can be found."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrocrl.errors import ModelError
from pyrocrl.structure import ParentSets

nodes = st.sets(st.integers(0, 8), max_size=7)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(candidates=nodes, required=nodes, max_free=st.none() | st.integers(0, 7))
def test_every_permitted_set_is_listed_once(
    candidates: set[int], required: set[int], max_free: int | None
) -> None:
    limit = None if max_free is None else len(required) + max_free
    sets = ParentSets.enumerate(9, sorted(candidates | required), required, max_parents=limit)
    free = sorted(candidates - required)
    most = len(free) if max_free is None else min(max_free, len(free))
    expected = {
        frozenset(chosen) | frozenset(required)
        for size in range(most + 1)
        for chosen in itertools.combinations(free, size)
    }
    listed = [frozenset(np.flatnonzero(row).tolist()) for row in sets.membership]
    assert len(listed) == len(sets) == len(expected)
    assert set(listed) == expected
    assert sets.capped == (most < len(free))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(candidates=nodes, required=nodes)
def test_leaving_one_parent_out_is_looked_up(candidates: set[int], required: set[int]) -> None:
    sets = ParentSets.enumerate(9, sorted(candidates | required), required)
    for size in range(1, sets.max_free + 1):
        rows = np.arange(sets.offsets[size], sets.offsets[size + 1])
        members = sets.free_members(size)
        for row, parents, rest in zip(rows, members, sets.without(size), strict=True):
            for parent, other in zip(parents, rest, strict=True):
                expected = sets.membership[row].copy()
                expected[parent] = False
                np.testing.assert_array_equal(sets.membership[other], expected)


def test_too_many_sets_are_limited_by_size() -> None:
    sets = ParentSets.enumerate(41, range(40), max_sets=20_000)
    assert sets.capped
    assert sets.max_parents == 3
    assert len(sets) == 1 + 40 + 780 + 9880


def test_more_required_parents_than_permitted_are_refused() -> None:
    with pytest.raises(ModelError, match="max_parents=1"):
        ParentSets.enumerate(4, [0, 1, 2], required=[0, 1], max_parents=1)
