"""Where a part of the order is known, a sum over blocks is the sum over all graphs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrocrl.structure import EdgePriorMixture, UnknownOrderPosterior
from pyrocrl.structure.dag_sum import DagSum, node_masks
from pyrocrl.structure.graph_blocks import GraphSum, blocks_of
from pyrocrl.structure.parent_sets import ParentSets


@given(
    n_nodes=st.integers(1, 5),
    density=st.floats(0, 1),
    ruled_out=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=60, deadline=None)
def test_a_sum_over_blocks_is_the_sum_over_graphs(
    n_nodes: int, density: float, ruled_out: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    possible = (rng.random((n_nodes, n_nodes)) < density) & ~np.eye(n_nodes, dtype=bool)
    held = [
        ParentSets.enumerate(n_nodes, np.flatnonzero(row).tolist()).membership for row in possible
    ]
    weights = [rng.normal(scale=3, size=len(sets)) for sets in held]
    for own in weights:
        own[1:][rng.random(len(own) - 1) < ruled_out] = -np.inf
    by_block = GraphSum(held, weights, blocks_of(possible))
    whole = DagSum([node_masks(sets) for sets in held], weights)
    assert by_block.log_total == pytest.approx(whole.log_total)
    for one, other in zip(by_block.set_probability(), whole.set_probability(), strict=True):
        assert one == pytest.approx(other, abs=1e-9)
    drawn = by_block.sample(4000, rng)
    for node, probability in enumerate(by_block.set_probability()):
        share = np.bincount(drawn[:, node], minlength=len(probability)) / len(drawn)
        assert share == pytest.approx(probability, abs=0.05)
    graphs = np.stack([held[node][drawn[:, node]] for node in range(n_nodes)], axis=1)
    powers = np.linalg.matrix_power(graphs.astype(float), n_nodes)
    assert not powers.any()


def test_many_nodes_are_summed_over_where_blocks_are_small() -> None:
    rng = np.random.default_rng(0)
    block = np.arange(14) // 2
    allowed = (block[None, :] <= block[:, None]) & ~np.eye(14, dtype=bool)
    z = rng.normal(size=(2000, 14))
    z[:, 3] += np.tanh(2 * z[:, 2])
    z[:, 12] += np.tanh(2 * z[:, 13])
    posterior = UnknownOrderPosterior.fit(
        z, allowed, EdgePriorMixture.fixed(np.full((14, 14), 0.1)), max_parents=2
    )
    assert posterior.graph_ess == np.inf
    assert posterior.probability[3, 2] > 0.95
    assert posterior.probability[12, 13] > 0.95
    assert (posterior.probability > 0.5).sum() == 2
