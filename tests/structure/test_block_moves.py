"""Blocks of nodes are redrawn from their posterior given the other nodes' parents."""

from __future__ import annotations

import numpy as np

from pyrocrl.structure.block_moves import draw_together, reached
from pyrocrl.structure.dag_sum import DagSum


def parent_masks(n_nodes: int) -> list[np.ndarray]:
    every = np.arange(1 << n_nodes)
    return [every[every >> node & 1 == 0] for node in range(n_nodes)]


def drawn_shares(masks, log_weights, below, draws=20_000) -> list[np.ndarray]:
    many = [np.broadcast_to(own, (draws, len(own))) for own in log_weights]
    places = draw_together(masks, many, np.tile(below, (draws, 1)), np.random.default_rng(0))
    return [
        np.bincount(own, minlength=len(sets)) / draws
        for own, sets in zip(places.T, masks, strict=True)
    ]


def test_a_block_of_all_nodes_is_drawn_from_the_posterior():
    masks = parent_masks(4)
    rng = np.random.default_rng(200)
    log_weights = [rng.normal(scale=2, size=len(own)) for own in masks]
    shares = drawn_shares(masks, log_weights, [1 << node for node in range(4)])
    expected = DagSum(masks, log_weights).set_probability()
    for share, exact in zip(shares, expected, strict=True):
        np.testing.assert_allclose(share, exact, atol=0.02)


def test_paths_through_other_nodes_count():
    # 0 -> 2 -> 1 stands, so 0 must not follow 1; node 3 has no parents and no children.
    parents = [0, 0b0100, 0b0001, 0]
    masks = parent_masks(4)[:2]
    log_weights = [np.zeros(8), np.zeros(8)]
    # Of node 1 the set {2} follows 0 already.
    block = [0, 1]
    below = [reached(node, parents, 0b0011) for node in block]
    assert below == [0b0101, 0b0010]
    shares = drawn_shares(masks, log_weights, below)
    whole = [
        (a, b)
        for a, first in enumerate(masks[0])
        for b, second in enumerate(masks[1])
        if not first & 0b0100 and not (first & 0b0010 and second & 0b0101)
    ]
    expected = np.bincount([a for a, _ in whole], minlength=8) / len(whole)
    np.testing.assert_allclose(shares[0], expected, atol=0.02)
    expected = np.bincount([b for _, b in whole], minlength=8) / len(whole)
    np.testing.assert_allclose(shares[1], expected, atol=0.02)


def test_improbable_sets_are_drawn_where_no_others_fit():
    masks = [np.array([0b00, 0b10]), np.array([0b00, 0b01])]
    log_weights = [np.array([-5000.0, 0.0]), np.array([-4000.0, 0.0])]
    first, second = drawn_shares(masks, log_weights, [0b01, 0b10], draws=50)
    np.testing.assert_allclose(first, [0, 1])
    np.testing.assert_allclose(second, [1, 0])
