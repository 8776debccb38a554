"""Scores are those of the matched latents, apart for what theory grants."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from pyrocrl.benchmark.edges import edge_probabilities, edges_from_text, edges_to_text
from pyrocrl.benchmark.scores import (
    matching,
    score_counts,
    score_edges,
    score_latents,
    theory,
)
from pyrocrl.errors import ModelError
from pyrocrl.simulate import Truth, cyclic_case, from_graph, numerical_case

LEAF = [[0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 1, 0]]


@pytest.fixture(scope="module")
def truth() -> Truth:
    """One latent, m2.z2, is not granted."""
    return from_graph(LEAF, ("m1", "m1", "m2", "m2"), 5, seed=200, n_subjects=800)[1]


def test_theory_is_told_for_each_graph(truth: Truth) -> None:
    granted, columns = theory(truth, "modality")

    assert granted.tolist() == [True, True, True, False]
    assert (columns["latents"], columns["granted"], columns["condition_4_3"]) == (4, 3, False)
    assert columns["true_counts"] == "m1:2 m2:2"
    assert len(edges_from_text(columns["true_edges"])) == 3


def test_theory_accepts_cycles_where_they_are_meant() -> None:
    _, cyclic = cyclic_case("within", seed=200, n_subjects=50)
    assert len(theory(cyclic, "cyclic")[0]) == 4


def test_granted_and_other_latents_are_scored_apart(truth: Truth) -> None:
    latents = truth.latents.to_numpy().copy()
    latents[:, 3] += 3 * np.random.default_rng(201).normal(size=len(latents))
    shuffled = latents[:, [1, 0, 3, 2]]

    scores = score_latents(truth, shuffled, np.array([True, True, True, False]))

    assert scores["mcc_granted"] == pytest.approx(1)
    assert scores["mcc_not_granted"] < 0.6
    expected = (3 * scores["mcc_granted"] + scores["mcc_not_granted"]) / 4
    assert scores["mcc"] == pytest.approx(expected)
    assert matching(truth, shuffled).tolist() == [1, 0, 3, 2]


def test_without_such_latents_their_score_is_missing(truth: Truth) -> None:
    scores = score_latents(truth, truth.latents.to_numpy(), np.ones(4, dtype=bool))
    assert np.isnan(scores["mcc_not_granted"])


def test_true_latents_give_the_true_graph() -> None:
    _, truth = numerical_case(1, seed=202, n_subjects=2000)
    scores = score_edges(truth, edge_probabilities(truth.latents, truth.groups, "modality"))

    assert scores["shd"] == scores["shd_between"] == 0
    assert set(edges_from_text(scores["edges"])) >= set(edges_from_text(_true_edges(truth)))


def test_inner_edges_count_in_the_whole_distance_alone(truth: Truth) -> None:
    probability = truth.adjacency.to_numpy().astype(float)
    probability[3, 2] = 0.4
    scores = score_edges(truth, probability)
    assert (scores["shd_between"], scores["shd"]) == (0, 1)


def test_order_says_which_edges_may_be() -> None:
    rng = np.random.default_rng(203)
    effect = rng.normal(size=1000)
    later = np.tanh(2 * effect) + 0.3 * rng.normal(size=1000)
    z = np.stack([later, effect], axis=1)

    assert edge_probabilities(z, ["a", "b"], "modality")[0, 1] == 0
    assert edge_probabilities(z, ["a", "b"], "learned")[0, 1] > 0.9


def test_a_latent_without_variance_has_no_edges() -> None:
    z = np.random.default_rng(204).normal(size=(200, 3))
    z[:, 2] = z[:, 0] + 0.1 * z[:, 2]
    z[:, 1] = 0.5
    probability = edge_probabilities(z, ["a", "a", "b"], "modality")

    assert probability[2, 0] > 0.9
    assert not probability[1].any()
    assert not probability[:, 1].any()


def test_latents_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ModelError, match="NaN"):
        edge_probabilities([[np.nan], [1.0]], ["a"], "modality")


def test_edges_survive_the_way_through_text() -> None:
    names = ["m1.z1", "m1.z2", "m2.z1"]
    values = np.array([[0, 0.0004, 0], [0.5, 0, 0], [1, 0.87, 0]])
    text = edges_to_text(pd.DataFrame(values, index=names, columns=names))

    assert edges_from_text(text) == {
        ("m1.z1", "m1.z2"): 0.5,
        ("m1.z1", "m2.z1"): 1.0,
        ("m1.z2", "m2.z1"): 0.87,
    }
    assert edges_from_text("") == {}


def test_counts_are_right_only_if_all_are(truth: Truth) -> None:
    table = pd.DataFrame({"modality": ["m1"], "latents": [2], "held_out": [-1.5]})

    right = score_counts(truth, {"m1": 2, "m2": 2}, table)
    wrong = score_counts(truth, {"m1": 2, "m2": 3}, table)

    assert (right["counts_right"], wrong["counts_right"]) == (1, 0)
    assert wrong["found_counts"] == "m1:2 m2:3"
    assert json.loads(right["held_out"]) == [{"modality": "m1", "latents": 2, "held_out": -1.5}]


def _true_edges(truth: Truth) -> str:
    return edges_to_text(truth.adjacency)
