"""Chains that found the same latents in another order and sign become the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrocrl.posterior.alignment import align_chains
from pyrocrl.scm import Nodes

NODES = Nodes(
    ("a.z1", "a.z2", "a.z3", "p.age", "p.ill", "b.z1", "b.z2"),
    ("a", "a", "a", "p", "p", "b", "b"),
    (True, True, True, False, False, True, True),
)
LATENT = np.array(NODES.is_latent)


def values(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(60, 7)) @ (np.eye(7) + 0.3 * rng.normal(size=(7, 7)))


@given(
    st.integers(0, 10_000),
    st.permutations([0, 1, 2]),
    st.permutations([5, 6]),
    st.lists(st.sampled_from([-1.0, 1.0]), min_size=7, max_size=7),
    st.lists(st.sampled_from([-1.0, 1.0]), min_size=7, max_size=7),
    st.floats(0.1, 10),
)
def test_permuted_and_flipped_chains_align(
    seed: int,
    first: list[int],
    last: list[int],
    flips: list[float],
    orientation: list[float],
    scale: float,
) -> None:
    z = values(seed)
    order = np.array([*first, 3, 4, *last])
    sign = np.where(LATENT, flips, 1.0)
    other = scale * (z * sign)[:, order]
    other[:, ~LATENT] = z[:, ~LATENT]
    aligned = align_chains(np.stack([z, other]), NODES, 0, np.array(orientation))
    np.testing.assert_allclose(aligned.agreement, 1.0)
    reference, matched = aligned.values(z, 0), aligned.values(other, 1)
    standard = np.where(LATENT, (z - z.mean(0)) / z.std(0) * orientation, z)
    np.testing.assert_allclose(reference, standard, atol=1e-9)
    np.testing.assert_allclose(matched, reference, atol=1e-9)
    np.testing.assert_array_equal(matched[:, ~LATENT], z[:, ~LATENT])
    # Edges follow their nodes.
    adjacency = np.random.default_rng(seed).random((7, 7))
    np.testing.assert_array_equal(
        aligned.edges(adjacency[np.ix_(order, order)], 1), aligned.edges(adjacency, 0)
    )


def test_latents_never_leave_their_modality() -> None:
    z = values(0)
    swapped = z[:, [5, 6, 2, 3, 4, 0, 1]]
    aligned = align_chains(np.stack([z, swapped]), NODES, 0, np.ones(7))
    groups = np.array(NODES.groups)
    assert (groups[aligned.permutation[1]] == groups).all()
    assert (aligned.permutation[1][~LATENT] == [3, 4]).all()
    assert aligned.agreement[1] < 0.9


def test_a_diverged_chain_agrees_with_nothing() -> None:
    z = values(0)
    broken = z.copy()
    broken[3, 2] = np.nan
    aligned = align_chains(np.stack([z, broken]), NODES, 0, np.ones(7))
    assert aligned.agreement.tolist() == pytest.approx([1.0, 0.0])
    assert aligned.permutation[1].tolist() == list(range(7))


def test_agreement_is_the_mean_absolute_correlation() -> None:
    rng = np.random.default_rng(1)
    nodes = Nodes(("a.z1", "b.z1"), ("a", "b"), (True, True))
    z = rng.normal(size=(500, 2))
    other = np.column_stack([-z[:, 0], z[:, 1] + rng.normal(size=500)])
    aligned = align_chains(np.stack([z, other]), nodes, 0, np.ones(2))
    r = abs(np.corrcoef(z[:, 1], other[:, 1])[0, 1])
    assert aligned.agreement[1] == pytest.approx((1 + r) / 2)
    assert aligned.sign[1].tolist() == [-1.0, 1.0]


def test_modalities_with_a_singled_out_latent_keep_their_order() -> None:
    z = values(0)
    other = z[:, [2, 0, 1, 3, 4, 6, 5]]
    aligned = align_chains(np.stack([z, other]), NODES, 0, np.ones(7), fixed=["a.z2", "b"])
    assert aligned.permutation[1].tolist() == [0, 1, 2, 3, 4, 6, 5]
