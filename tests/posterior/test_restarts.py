"""Which restarts count: those that explain as well as any with as few edges as any."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrocrl.errors import ModelError
from pyrocrl.posterior.restarts import best_restart, weigh_restarts

NOISE = np.random.default_rng(0).normal(size=400)


def scores(*means: float, spread: float = 0.5) -> np.ndarray:
    """Held-out ELBOs with these means; paired differences have this spread."""
    rng = np.random.default_rng(1)
    rows = [m + 3 * NOISE + spread * rng.normal(size=400) for m in means]
    return np.stack([row - row.mean() + m for row, m in zip(rows, means, strict=True)])


def weights(held_out: np.ndarray, *edges: float) -> list[float]:
    return [float(w) for w in table(held_out, np.array(edges)).weight]


def table(held_out: np.ndarray, edges: np.ndarray) -> pd.DataFrame:
    """The table of restarts that match this well, whatever their ELBO, all edges at one price."""
    elbo = np.where(np.isfinite(held_out), -7.0, np.nan)
    return weigh_restarts(elbo, held_out, edges, edges)


def test_a_clearly_worse_restart_does_not_count() -> None:
    assert weights(scores(0.0, -1.0), 3.0, 3.0) == [1.0, 0.0]


def test_equals_share_the_weight() -> None:
    assert weights(scores(0.0, -0.01, -2.0), 3.0, 3.2, 3.0) == [0.5, 0.5, 0.0]


def test_of_equals_the_one_with_fewer_edges_counts() -> None:
    assert weights(scores(0.0, -0.01), 5.0, 3.0) == [0.0, 1.0]


def test_fewer_edges_do_not_make_up_for_a_worse_fit() -> None:
    assert weights(scores(0.0, -1.0), 5.0, 1.0) == [1.0, 0.0]


def test_differences_are_paired() -> None:
    # Subjects differ far more than restarts do; only the paired difference tells them apart.
    assert weights(scores(0.0, -0.2, spread=0.2), 3.0, 3.0) == [1.0, 0.0]
    assert weights(scores(0.0, -0.2, spread=5.0), 3.0, 3.0) == [0.5, 0.5]


def test_the_elbo_does_not_decide() -> None:
    elbo = scores(0.0, 5.0)
    edges = np.array([3.0, 3.0])
    assert weigh_restarts(elbo, scores(0.0, -1.0), edges, edges).weight.tolist() == [1.0, 0.0]


def test_of_restarts_that_count_the_one_that_matches_best_is_reported() -> None:
    elbo, edges = scores(0.0, 5.0, 9.0), np.array([3.0, 3.0, 3.0])
    found = weigh_restarts(elbo, scores(0.0, -0.01, -1.0), edges, edges)
    assert found.weight.tolist() == [0.5, 0.5, 0.0]
    assert best_restart(found) == 0


def test_a_hundredth_of_a_nat_is_no_difference() -> None:
    assert weights(scores(0.0, -0.009, spread=0.001), 3.0, 3.0) == [0.5, 0.5]
    assert weights(scores(0.0, -0.011, spread=0.001), 3.0, 3.0) == [1.0, 0.0]


def test_without_a_match_the_elbo_decides() -> None:
    edges = np.array([3.0, 3.0])
    match = scores(0.0, -1.0)
    match[0] = np.nan
    assert weigh_restarts(scores(0.0, -1.0), match, edges, edges).weight.tolist() == [1.0, 0.0]
    assert weigh_restarts(scores(-1.0, 0.0), match, edges, edges).weight.tolist() == [0.0, 1.0]


def test_the_price_decides_and_the_number_is_shown() -> None:
    equal = scores(0.0, -0.01)
    found = weigh_restarts(equal, equal, np.array([3.0, 4.0]), np.array([3.0, 2.0]))
    assert found.weight.tolist() == [0.0, 1.0]
    assert found.edges.tolist() == [3.0, 4.0]


def test_a_diverged_restart_does_not_count() -> None:
    held_out = scores(0.0, 0.0)
    held_out[0, 7] = np.nan
    found = table(held_out, np.array([np.inf, 3.0]))
    assert found.weight.tolist() == [0.0, 1.0]
    assert np.isnan(found.held_out_elbo[0])
    assert np.isnan(found.difference[0])


def test_a_restart_without_a_posterior_does_not_count() -> None:
    found = table(scores(-1.0, -1.0), np.array([np.inf, 3.0]))
    assert found.weight.tolist() == [0.0, 1.0]
    with pytest.raises(ModelError, match="latents that vary"):
        table(scores(-1.0, -1.0), np.array([np.inf, np.inf]))


def test_a_single_restart_has_all_the_weight() -> None:
    found = table(scores(0.0), np.array([2.0]))
    assert found.weight.tolist() == [1.0]
    assert found.difference.tolist() == [0.0]


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 10)), min_size=1, max_size=8),
    st.integers(0, 1000),
)
def test_weights_sum_to_one_and_are_equal(restarts: list[tuple[float, float]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    means, edges = (np.array(column) for column in zip(*restarts, strict=True))
    found = table(means[:, None] + rng.normal(size=(len(means), 30)), edges)
    counts = found.weight > 0
    assert found.weight.sum() == pytest.approx(1.0)
    assert found.weight[counts].nunique() == 1
    # The order in which restarts come decides nothing.
    best = found.match.max()
    assert found.difference.to_numpy() == pytest.approx(found.match - best)
