"""Scores are what they say: invariant to what cannot be known, and honest about the rest."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrocrl.errors import ModelError
from pyrocrl.metrics import absolute_correlations, calibration, match_within_groups, mcc, r2, shd

GROUPS = ("a", "a", "b", "b")


def latents(seed: int = 0, n: int = 200, d: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


@given(
    st.integers(0, 1000),
    st.permutations([0, 1]),
    st.permutations([2, 3]),
    st.lists(
        st.floats(0.1, 10).flatmap(lambda s: st.sampled_from([s, -s])), min_size=4, max_size=4
    ),
)
def test_mcc_ignores_order_sign_and_scale(
    seed: int, first: list[int], last: list[int], scale: list[float]
) -> None:
    z = latents(seed)
    estimated = (z * scale + 3.0)[:, [*first, *last]]
    for kind in ("pearson", "spearman"):
        assert mcc(z, estimated, GROUPS, kind) == pytest.approx(1.0)


def test_spearman_ignores_monotone_maps() -> None:
    z = latents()
    assert mcc(z, z**3, kind="spearman") == pytest.approx(1.0)
    assert mcc(z, z**3, kind="pearson") < 0.95


def test_mcc_matches_within_modalities_only() -> None:
    z = latents()
    swapped = z[:, [2, 3, 0, 1]]
    assert mcc(z, swapped) == pytest.approx(1.0)
    assert mcc(z, swapped, GROUPS) < 0.3


def test_mcc_of_mixed_latents_is_low() -> None:
    z = latents(n=5000, d=2)
    turned = z @ np.array([[1.0, 1.0], [-1.0, 1.0]])
    assert mcc(z, turned) == pytest.approx(np.sqrt(0.5), abs=0.03)
    assert r2(z, turned) > 0.999


def test_correlations_of_constants_are_zero() -> None:
    assert absolute_correlations(latents(d=2), np.ones((200, 1))).tolist() == [[0.0], [0.0]]


def test_matching_is_one_to_one_and_best() -> None:
    # Greedy matching would take .9 first and end with less.
    strength = np.array([[0.9, 0.8], [0.8, 0.1]])
    assert match_within_groups(strength).tolist() == [1, 0]


def test_r2_looks_at_each_modality_alone() -> None:
    z = latents(n=2000)
    swapped = z[:, [2, 3, 0, 1]]
    assert r2(z, swapped) > 0.999
    assert r2(z, swapped, GROUPS) < 0.1


def test_r2_is_held_out() -> None:
    rng = np.random.default_rng(0)
    assert r2(rng.normal(size=(60, 3)), rng.normal(size=(60, 3))) < 0.05


def test_r2_bends() -> None:
    z = latents(n=3000, d=1)
    assert r2(z, np.tanh(z)) > 0.95


def brute_force_shd(a: np.ndarray, b: np.ndarray) -> int:
    total = 0
    for i in range(len(a)):
        for j in range(i):
            total += (a[i, j], a[j, i]) != (b[i, j], b[j, i])
    return total


@given(st.integers(0, 10_000), st.integers(2, 6))
def test_shd_counts_pairs_that_differ(seed: int, size: int) -> None:
    # In acyclic graphs each pair of nodes has one of three states.
    rng = np.random.default_rng(seed)
    dags = []
    for _ in range(2):
        order = rng.permutation(size)
        below = np.tril(rng.random((size, size)) < 0.5, -1).astype(int)
        dags.append(below[np.ix_(order, order)])
    one, other = dags
    assert shd(one, other) == brute_force_shd(one, other) == shd(other, one)
    assert shd(one, one) == 0


def test_shd_between_modalities_only() -> None:
    true, estimated = np.zeros((4, 4)), np.zeros((4, 4))
    estimated[1, 0] = 1  # inside a modality
    estimated[2, 0] = 1  # between two
    assert shd(true, estimated) == 2
    assert shd(true, estimated, GROUPS) == 1


def test_a_reversed_edge_counts_once() -> None:
    edge = np.array([[0, 0], [1, 0]])
    assert shd(edge, edge.T) == 1
    assert shd(edge, np.zeros((2, 2))) == 1


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "subjects differ": (lambda: mcc(latents(n=5), latents(n=6)), "5 subjects, estimated has 6"),
    "latents differ": (lambda: mcc(latents(d=2), latents(d=3)), "equally many latents"),
    "one dimension": (lambda: mcc([1.0, 2.0], [1.0, 2.0]), "true must be"),
    "words": (lambda: mcc([["a"]], [["b"]]), "true must hold numbers"),
    "missing": (lambda: mcc(latents(d=1), np.full((200, 1), np.nan)), "estimated holds NaN"),
    "kind": (lambda: mcc(latents(), latents(), kind="kendall"), "'kendall'"),  # type: ignore[arg-type]
    "groups": (lambda: mcc(latents(), latents(), groups=["a"]), "1 names for 4 latents"),
    "r2 shapes": (lambda: r2(latents(d=2), latents(d=3)), "differ in shape"),
    "r2 groups": (lambda: r2(latents(), latents(), groups=["a"]), "1 names for 4 latents"),
    "r2 few": (lambda: r2(latents(n=4), latents(n=4)), "at least 10 subjects, not 4"),
    "r2 constant": (lambda: r2(np.ones((50, 1)), latents(n=50, d=1)), "latent 1 of true is const"),
    "shd shapes": (lambda: shd(np.eye(2), np.eye(3)), "square adjacencies"),
    "shd not square": (lambda: shd(np.ones((2, 3)), np.ones((2, 3))), "square adjacencies"),
    "shd groups": (lambda: shd(np.eye(2), np.eye(2), ["a"]), "1 names for 2 latents"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    ask, says = BAD[case]
    with pytest.raises(ModelError, match=says):
        ask()


def test_probabilities_drawn_from_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(40_000)
    scores = calibration(rng.random(40_000) < p, p)
    assert scores.ece < 0.01
    assert scores.brier == pytest.approx(1 / 6, abs=0.01)
    assert scores.curve.edges.sum() == 40_000
    np.testing.assert_allclose(scores.curve.probability, scores.curve.share, atol=0.03)


def test_overconfident_probabilities_are_not() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((200, 10, 10)) < 0.5
    scores = calibration(truth, np.full(truth.shape, 0.9))
    assert scores.ece == pytest.approx(0.4, abs=0.02)
    assert scores.auroc == pytest.approx(0.5)


def test_calibration_of_one_kind_of_edge() -> None:
    scores = calibration([0, 0], [0.2, 0.0])
    assert np.isnan(scores.auroc)
    assert np.isnan(scores.auprc)
    assert scores.brier == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("true", "probability", "bins", "said"),
    [
        ([0, 1], [0.5], 10, "shape"),
        ([], [], 10, "at least one edge"),
        ([0], [1.5], 10, "between 0 and 1"),
        ([0], [np.nan], 10, "between 0 and 1"),
        ([0], [0.5], 0, "bins"),
    ],
)
def test_calibration_refuses(
    true: list[int], probability: list[float], bins: int, said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        calibration(true, probability, bins)
