"""Directions, paths and chains are read off the draws as they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pyrocrl as crl
from pyrocrl.posterior.chains import chain_probabilities, chains_disagree
from pyrocrl.posterior.directions import direction_table, path_probabilities
from pyrocrl.scm import BackgroundKnowledge, GraphSpace, Nodes
from pyrocrl.structure import EdgePriorMixture, UnknownOrderPosterior

NAMES = ("v.a", "v.b", "v.c")
NODES = Nodes(NAMES, ("v", "v", "v"), (False, False, False))
CLASS = ["class_forward", "class_backward", "class_open"]


def space(order: str = "learned", **knowledge: list[tuple[str, str]]) -> GraphSpace:
    return BackgroundKnowledge(**knowledge).graph_space(NODES, order)


def table_of(z: np.ndarray, possible: GraphSpace) -> pd.DataFrame:
    """The table for observed nodes, from the exact sum over their graphs."""
    prior = EdgePriorMixture.fixed(np.where(possible.allowed, 0.2, 0.0))
    posterior = UnknownOrderPosterior.fit(z, possible.allowed, prior)
    drawn = posterior.sample(2000, np.random.default_rng(201)).adjacency
    table = direction_table(posterior.probability, drawn[None], possible.allowed, possible)
    return table.set_index(["first", "second"])


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(202).normal(size=(3, 1500))


def test_a_straight_chain_stays_open(noise: np.ndarray) -> None:
    a, e, f = noise
    b = 0.8 * a + 0.6 * e
    table = table_of(np.stack([a, b, 0.8 * b + 0.6 * f], axis=1), space())
    for pair in (("v.a", "v.b"), ("v.b", "v.c")):
        row = table.loc[pair]
        assert row.adjacent > 0.99
        assert row.class_open > 0.9
        assert max(row.forward, row.backward) < 0.9


def test_a_collider_is_fixed_by_the_class(noise: np.ndarray) -> None:
    a, b, f = noise
    table = table_of(np.stack([a, b, 0.6 * a + 0.6 * b + 0.5 * f], axis=1), space())
    for pair in (("v.a", "v.c"), ("v.b", "v.c")):
        assert table.loc[pair].class_forward > 0.9
        assert table.loc[pair].forward > 0.9


def test_a_bend_fixes_what_the_class_leaves_open(noise: np.ndarray) -> None:
    a, e, other = noise
    row = table_of(np.stack([a, a**2 + a + 0.5 * e, other], axis=1), space()).loc[("v.a", "v.b")]
    assert row.forward > 0.95
    assert row.class_open > 0.9


def test_a_forbidden_direction_is_known_to_the_class(noise: np.ndarray) -> None:
    a, e, other = noise
    possible = space(forbidden=[("v.b", "v.a")])
    row = table_of(np.stack([a, 0.8 * a + 0.6 * e, other], axis=1), possible).loc[("v.a", "v.b")]
    assert row.backward == 0
    assert row.class_forward > 0.99
    assert row.class_open == 0


def test_edges_of_a_cycle_run_both_ways() -> None:
    possible = space("cyclic")
    drawn = np.zeros((1, 10, 3, 3), dtype=bool)
    drawn[0, :6, 1, 0], drawn[0, 4:, 0, 1] = True, True
    table = direction_table(drawn.mean((0, 1)), drawn, possible.allowed, possible)
    row = table.iloc[0]
    assert (row["first"], row.second) == ("v.a", "v.b")
    assert row[["forward", "backward", "both", "adjacent"]].tolist() == pytest.approx(
        [0.6, 0.6, 0.2, 1.0]
    )
    assert row[CLASS].isna().all()


def test_paths_add_up_over_draws() -> None:
    drawn = np.zeros((2, 2, 3, 3), dtype=bool)
    drawn[0, :, 1, 0] = drawn[0, 0, 2, 1] = True
    paths = path_probabilities(drawn)
    assert paths[2, 0] == paths[2, 1] == 0.25
    assert paths[1, 0] == 0.5
    assert paths.sum() == 1.0


def test_the_largest_difference_between_chains_is_told() -> None:
    drawn = np.zeros((3, 10, 3, 3), dtype=bool)
    drawn[0, :, 1, 0] = drawn[2, :2, 1, 0] = drawn[:, :, 2, 1] = True
    table = chain_probabilities(drawn, np.tri(3, k=-1, dtype=bool), NAMES, [0, 2, 5])
    first = table.iloc[0]
    assert (first.parent, first.child) == ("v.a", "v.b")
    assert first[[0, 2, 5]].tolist() == [1.0, 0.0, 0.2]
    assert table.difference.tolist() == [1.0, 0.0, 0.0]
    (said,) = chains_disagree(table)
    assert "v.a → v.b (their probabilities differ by 1.00)" in said
    assert chains_disagree(table[table.difference < 0.5]) == []


def test_a_fit_agrees_with_its_own_tables(fitted: crl.Posterior, tmp_path: Path) -> None:
    p, table = fitted.edge_probabilities(), fitted.direction_table()
    for row in table.itertuples():
        assert row.forward == p.loc[row.second, row.first]
        assert row.backward == p.loc[row.first, row.second]
    group = table[["first", "second"]].map(lambda name: name.split(".")[0])
    between = table[group["first"] != group["second"]]
    assert len(between) == 4
    assert (between[["backward", "class_backward", "class_open"]] == 0).all(axis=None)
    paths = fitted.path_probabilities()
    assert (paths.to_numpy() >= fitted.draws.adjacency.mean((0, 1)) - 1e-9).all()
    chains = fitted.chain_probabilities()
    kept = fitted.restarts.restart[fitted.restarts.weight > 0].tolist()
    assert list(chains.columns) == ["parent", "child", *kept, "difference"]
    loaded = crl.load(fitted.save(tmp_path / "fit"))
    pd.testing.assert_frame_equal(loaded.direction_table(), table)
    pd.testing.assert_frame_equal(loaded.path_probabilities(), paths)
    pd.testing.assert_frame_equal(loaded.chain_probabilities(), chains)
