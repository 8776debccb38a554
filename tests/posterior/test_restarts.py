"""Which restarts count: those that explain as well as any with as few edges as any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrocrl.errors import ModelError
from pyrocrl.posterior.restarts import weigh_restarts

NOISE = np.random.default_rng(0).normal(size=400)


def scores(*means: float, spread: float = 0.5) -> np.ndarray:
    """Held-out ELBOs with these means; paired differences have this spread."""
    rng = np.random.default_rng(1)
    rows = [m + 3 * NOISE + spread * rng.normal(size=400) for m in means]
    return np.stack([row - row.mean() + m for row, m in zip(rows, means, strict=True)])


def weights(held_out: np.ndarray, *edges: float) -> list[float]:
    return [float(w) for w in weigh_restarts(held_out, np.array(edges)).weight]


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


def test_a_diverged_restart_does_not_count() -> None:
    held_out = scores(0.0, 0.0)
    held_out[0, 7] = np.nan
    table = weigh_restarts(held_out, np.array([np.inf, 3.0]))
    assert table.weight.tolist() == [0.0, 1.0]
    assert np.isnan(table.held_out_elbo[0])
    assert np.isnan(table.difference[0])


def test_a_restart_without_a_posterior_does_not_count() -> None:
    table = weigh_restarts(scores(-1.0, -1.0), np.array([np.inf, 3.0]))
    assert table.weight.tolist() == [0.0, 1.0]
    with pytest.raises(ModelError, match="latents that vary"):
        weigh_restarts(scores(-1.0, -1.0), np.array([np.inf, np.inf]))


def test_a_single_restart_has_all_the_weight() -> None:
    table = weigh_restarts(scores(0.0), np.array([2.0]))
    assert table.weight.tolist() == [1.0]
    assert table.difference.tolist() == [0.0]


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 10)), min_size=1, max_size=8),
    st.integers(0, 1000),
)
def test_weights_sum_to_one_and_are_equal(restarts: list[tuple[float, float]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    means, edges = (np.array(column) for column in zip(*restarts, strict=True))
    table = weigh_restarts(means[:, None] + rng.normal(size=(len(means), 30)), edges)
    counts = table.weight > 0
    assert table.weight.sum() == pytest.approx(1.0)
    assert table.weight[counts].nunique() == 1
    # The order in which restarts come decides nothing.
    best = table.held_out_elbo.max()
    assert table.difference.to_numpy() == pytest.approx(table.held_out_elbo - best)
