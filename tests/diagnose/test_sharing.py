"""Conditions under which shared latents are identified."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrocrl.diagnose import shared_identifiability
from pyrocrl.diagnose.condition import condition_4_3
from pyrocrl.diagnose.shared_condition import condition_c8
from pyrocrl.errors import ModelError
from pyrocrl.simulate.graphs import one_to_one


def seen_by(**columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame(columns).astype(bool)
    return frame.set_axis([f"z{k}" for k in range(len(frame))])


@pytest.mark.parametrize("modalities", [2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_without_sharing_c8_is_condition_4_3(modalities: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges = one_to_one(modalities, 2, rng).astype(bool)
    edges |= np.tril(rng.random(edges.shape) < 0.3, -1)
    groups = np.repeat(np.arange(modalities), 2)
    membership = groups[:, None] == np.arange(modalities)
    edges &= groups[:, None] != groups
    assert condition_c8(edges, membership) == condition_4_3(edges, [str(g) for g in groups])


def test_what_a_shared_latent_does_to_a_leaf_can_be_subtracted() -> None:
    membership = seen_by(body=[1, 1, 0], labs=[1, 0, 1])
    edges = np.zeros((3, 3), dtype=int)
    edges[2, 1] = edges[2, 0] = 1
    found = shared_identifiability(edges, membership)
    assert found.granted.tolist() == [True, True, False]
    assert "z2 - c * z0" in found.table["reason"][2]
    assert "z2 not granted" in repr(found)
    assert "z2 - c * z0" in found._repr_html_()


@pytest.mark.parametrize(
    ("children_of", "verdict"), [("labs", "not granted"), ("elsewhere", "granted")]
)
def test_effects_keep_a_latent_apart_from_a_shared_cause_unless_they_show_it_too(
    children_of: str, verdict: str
) -> None:
    """z0 acts on z1, and z1 on two others: z0 can be subtracted from all that see it."""
    seen = {"body": [1, 1, 0, 0], "labs": [1, 0, 0, 0], "elsewhere": [0, 0, 0, 0]}
    seen[children_of][2:] = [1, 1]
    edges = np.zeros((4, 4), dtype=int)
    edges[1, 0] = edges[2, 1] = edges[3, 1] = 1
    membership = seen_by(**{name: row for name, row in seen.items() if any(row)})
    found = shared_identifiability(edges, membership).table
    assert found["verdict"][1] == verdict
    if verdict != "granted":
        assert "z1 - c * z0, along with 'z2', 'z3', explains" in found["reason"][1]
        assert found["verdict"][2] == verdict


def test_a_joint_mixture_explains_linear_data_with_fewer_edges() -> None:
    """The same data from a graph without the shared latent's edge: regressions agree exactly."""
    rng = np.random.default_rng(0)
    shared, own, effect = rng.normal(size=(3, 2000))
    own = own + 0.8 * shared
    effect = effect + 0.6 * own
    without = [own - 0.8 * shared, effect - 0.6 * 0.8 * shared]
    inputs = np.stack([without[0], shared], 1)
    weights = np.linalg.lstsq(inputs, without[1], rcond=None)[0]
    both = np.linalg.lstsq(np.stack([own, shared], 1), effect, rcond=None)[0]
    np.testing.assert_allclose(weights[0], both[0])
    assert abs(weights[1]) < 0.05
    edges = np.zeros((3, 3), dtype=int)
    edges[1, 0] = edges[2, 1] = 1
    membership = seen_by(a=[1, 1, 0], b=[1, 0, 1])
    assert not shared_identifiability(edges, membership).granted[["z1", "z2"]].any()


def test_conditions_of_the_second_paper_in_words() -> None:
    membership = seen_by(a=[1, 1, 0, 0], b=[1, 0, 1, 0], c=[0, 0, 0, 1])
    edges = np.zeros((4, 4), dtype=int)
    edges[0, 1] = 1
    found = shared_identifiability(edges, membership, columns={"a": 9, "b": 3, "c": 3})
    holds = found.conditions.set_index("condition")["holds"].to_dict()
    assert holds["from shared to specific"] is False
    assert holds["a modality that shares nothing"] is True
    assert holds["more columns than latents"] is False
    words = " ".join(found.conditions["words"])
    assert "z1 -> z0" in words
    assert "'b': no more columns" in words
    unasked = shared_identifiability(edges, membership).conditions.set_index("condition")
    assert unasked["holds"]["more columns than latents"] is None
    all_share = shared_identifiability(np.zeros((1, 1)), seen_by(a=[1], b=[1])).conditions
    assert not all_share.set_index("condition")["holds"]["a modality that shares nothing"]


@pytest.mark.parametrize(
    ("adjacency", "membership", "message"),
    [
        ([[0, 1], [1, 0]], seen_by(a=[1, 1]), "acyclic"),
        ([[0]], seen_by(a=[1, 1]), "each of the 2 latents"),
        ([[0, 0], [0, 0]], seen_by(a=[1, 0]), "at least one True"),
        ([[0]], [[1]], "DataFrame"),
    ],
)
def test_bad_input_is_refused(adjacency: Any, membership: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        shared_identifiability(adjacency, membership)


def test_a_missing_number_of_columns_is_named() -> None:
    with pytest.raises(ModelError, match="'b' is missing"):
        shared_identifiability([[0]], seen_by(a=[1], b=[1]), columns={"a": 5})
