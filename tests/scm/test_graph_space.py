"""Background knowledge becomes a space of acyclic graphs; draws never leave it."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pyrocrl.errors import KnowledgeError, ModelError
from pyrocrl.scm import BackgroundKnowledge, GraphSpace, Nodes

NODES = Nodes(
    ("labs.z1", "labs.z2", "person.age", "person.sex", "scan.z1"),
    ("labs", "labs", "person", "person", "scan"),
    (True, True, False, False, True),
)
PAIRS = [(p, c) for p in NODES.names for c in NODES.names if p != c]


def position(name: str) -> int:
    return NODES.names.index(name)


def space(**knowledge: Any) -> GraphSpace:
    return BackgroundKnowledge(**knowledge).graph_space(NODES)


def is_acyclic(adjacency: np.ndarray) -> bool:
    graph = nx.from_numpy_array(np.asarray(adjacency, dtype=int).T, create_using=nx.DiGraph)
    return bool(nx.is_directed_acyclic_graph(graph))


def test_without_knowledge_the_order_of_the_nodes_decides() -> None:
    assert np.array_equal(space().allowed, np.tri(5, k=-1, dtype=bool))
    assert not space().required.any()


def edges(matrix: np.ndarray | None) -> set[tuple[str, str]]:
    assert matrix is not None
    return {(NODES.names[p], NODES.names[c]) for c, p in zip(*np.nonzero(matrix), strict=True)}


def test_latents_of_a_modality_have_no_order_but_that_of_their_names() -> None:
    assert edges(space().reversible) == {("labs.z2", "labs.z1")}
    either_way = space().with_reversible()
    assert edges(either_way.allowed) == edges(space().allowed) | {("labs.z2", "labs.z1")}


@pytest.mark.parametrize(
    "knowledge",
    [
        {"tiers": [["labs.z1"], ["labs.z2", "person", "scan"]]},
        {"forbidden": [("labs.z2", "labs.z1")]},
        {"forbidden": [("labs", "labs")]},
        {"required": [("labs.z1", "labs.z2")]},
    ],
)
def test_knowledge_that_tells_latents_apart_holds(knowledge: dict[str, Any]) -> None:
    assert edges(space(**knowledge).reversible) == set()


def test_where_the_order_is_open_nothing_is_left_to_reverse() -> None:
    learned = BackgroundKnowledge().graph_space(NODES, "learned")
    assert learned.reversible is None
    assert learned.with_reversible() is learned


def test_tiers_go_before_the_order_of_modalities() -> None:
    found = space(tiers=["person", ["scan", "labs"]])
    assert [NODES.names[i] for i in found.order] == [
        "person.age",
        "person.sex",
        "labs.z1",
        "labs.z2",
        "scan.z1",
    ]
    assert found.allowed[position("labs.z1"), position("person.sex")]
    assert not found.allowed[position("person.sex"), position("labs.z1")]


def test_forbidden_modalities_stand_for_their_nodes() -> None:
    found = space(forbidden=[("labs", "person"), ("person", "person")])
    people, labs = NODES.of("person"), NODES.of("labs")
    assert not found.allowed[np.ix_(people, labs)].any()
    assert not found.allowed[np.ix_(people, people)].any()
    assert found.allowed[position("labs.z2"), position("labs.z1")]


@st.composite
def knowledge(draw: st.DrawFn) -> BackgroundKnowledge:
    tier = draw(st.lists(st.integers(0, 2), min_size=5, max_size=5))
    tiers = [[n for n, t in zip(NODES.names, tier, strict=True) if t == k] for k in range(3)]
    order = np.lexsort((np.arange(5), np.array(tier)))
    forward = [
        (NODES.names[a], NODES.names[b]) for k, a in enumerate(order) for b in order[k + 1 :]
    ]
    kinds = draw(st.lists(st.sampled_from("rfn"), min_size=len(forward), max_size=len(forward)))
    return BackgroundKnowledge(
        tiers=tiers,
        required=[edge for edge, kind in zip(forward, kinds, strict=True) if kind == "r"],
        forbidden=[edge for edge, kind in zip(forward, kinds, strict=True) if kind == "f"],
    )


@given(knowledge(), st.integers(0, 1000))
def test_draws_stay_in_the_space(known: BackgroundKnowledge, seed: int) -> None:
    found = known.graph_space(NODES)
    assert is_acyclic(found.allowed)
    anything = torch.randint(0, 2, (20, 5, 5), generator=torch.Generator().manual_seed(seed))
    for adjacency in found.admit(anything.float()).numpy():
        assert is_acyclic(adjacency)
        assert set(np.unique(adjacency)) <= {0.0, 1.0}
        for parent, child in known.forbidden:
            assert adjacency[position(child), position(parent)] == 0
        for parent, child in known.required:
            assert adjacency[position(child), position(parent)] == 1


@given(knowledge())
def test_knowledge_survives_json(known: BackgroundKnowledge) -> None:
    again = BackgroundKnowledge(**known.to_json()).graph_space(NODES)
    found = known.graph_space(NODES)
    assert np.array_equal(again.allowed, found.allowed)
    assert np.array_equal(again.required, found.required)
    assert np.array_equal(again.order, found.order)


def test_probabilities_survive_json() -> None:
    table = pd.DataFrame([[0.3, np.nan]], index=["scan.z1"], columns=["labs.z1", "labs.z2"])
    known = BackgroundKnowledge(probability=table)
    again = BackgroundKnowledge(**known.to_json())
    np.testing.assert_array_equal(
        again.graph_space(NODES).probability, known.graph_space(NODES).probability
    )
    assert known.graph_space(NODES).probability[4, 0] == 0.3


def test_edges_take_the_users_probabilities() -> None:
    found = space(
        probability={"labs.z1": {"scan.z1": 0.7}},
        required=[("labs.z1", "labs.z2")],
        forbidden=[("labs.z2", "scan.z1")],
    )
    probs = found.edges(0.2).base_dist.probs
    assert probs[4, 0] == pytest.approx(0.7)
    assert probs[1, 0] == 1
    assert probs[4, 1] == 0
    assert probs[4, 2] == pytest.approx(0.2)
    assert float(probs.triu().sum()) == 0


def test_edges_of_every_chain() -> None:
    rate = torch.tensor([0.1, 0.6]).reshape(2, 1)
    edges = space().edges(rate)
    assert edges.batch_shape == (2, 1)
    assert edges.event_shape == (5, 5)
    assert edges.base_dist.probs[1, 0, 1, 0] == pytest.approx(0.6)


def test_groups_by_number() -> None:
    assert space().group_index.tolist() == [0, 0, 1, 1, 2]


def test_inner_pairs_are_latents_of_one_modality() -> None:
    expected = np.zeros((5, 5), dtype=bool)
    expected[:2, :2] = expected[4, 4] = True
    assert np.array_equal(NODES.inner, expected)


def test_unknown_node() -> None:
    with pytest.raises(ModelError, match=r"'labs\.z9'; known: labs, person, scan, labs\.z1"):
        NODES.members("labs.z9")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    # what is wrong: (the knowledge, what the message must say)
    "cycle": (
        {"required": [("labs.z1", "scan.z1"), ("scan.z1", "labs.z1")]},
        r"cycle: .*labs\.z1 -> scan\.z1|cycle: .*scan\.z1 -> labs\.z1",
    ),
    "loop": ({"required": [("labs.z1", "labs.z1")]}, r"cycle: labs\.z1 -> labs\.z1"),
    "against the order": (
        {"required": [("scan.z1", "labs.z1")]},
        r"scan\.z1 -> labs\.z1 runs against the order.*tiers",
    ),
    "required and forbidden": (
        {"required": [("labs.z1", "scan.z1")], "forbidden": [("labs", "scan")]},
        r"labs\.z1 -> scan\.z1 is both required and forbidden",
    ),
    "required modality": ({"required": [("labs", "scan.z1")]}, "labs -> scan.z1 must name two"),
    "unknown node": ({"forbidden": [("labs.z7", "scan")]}, r"forbidden: .*'labs\.z7'"),
    "pair of three": ({"required": [("a", "b", "c")]}, r"required: every edge is a pair"),
    "edge in one string": ({"forbidden": ["labs -> scan"]}, "forbidden: every edge is a pair"),
    "edges missing": ({"required": None}, "required must be a list of pairs"),
    "edge a number": ({"required": [3]}, "required: every edge is a pair.*not 3"),
    "tiers a number": ({"tiers": 3}, "tiers must be a list of lists"),
    "tiers overlap": ({"tiers": [["labs", "person"], ["scan", "labs.z1"]]}, "more than one tier"),
    "tiers leave out": ({"tiers": [["labs"], ["scan"]]}, r"left out: person\.age, person\.sex"),
    "tiers of unknown names": ({"tiers": [["labs"], ["mri"]]}, "tiers: .*'mri'"),
    "probability above one": (
        {"probability": {"labs.z1": {"scan.z1": 1.5}}},
        r"labs\.z1 -> scan\.z1 is 1\.5.*between 0 and 1",
    ),
    "probability in words": (
        {"probability": {"labs.z1": {"scan.z1": "high"}}},
        r"labs\.z1 -> scan\.z1 is high.*between 0 and 1",
    ),
    "probability against the order": (
        {"probability": {"scan.z1": {"labs.z1": 0.5}}},
        r"scan\.z1 -> labs\.z1 is 0\.5, but the order",
    ),
    "probability below one of what is required": (
        {"probability": {"labs.z1": {"scan.z1": 0.5}}, "required": [("labs.z1", "scan.z1")]},
        r"labs\.z1 -> scan\.z1 is 0\.5, but the edge is required",
    ),
    "probability of an unknown node": (
        {"probability": {"labs.z1": {"mri.z1": 0.5}}},
        r"row 'mri\.z1' is no node",
    ),
    "probability without names": ({"probability": np.ones((5, 5))}, "DataFrame.*not ndarray"),
    "probability without children": ({"probability": {"labs.z1": 0.5}}, r"'labs\.z1' must be"),
    "probability twice": (
        {"probability": pd.DataFrame({"labs.z1": [0.1, 0.2]}, index=["scan.z1"] * 2)},
        r"row 'scan\.z1' stands there twice",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_knowledge(case: str) -> None:
    known, says = BAD[case]
    with pytest.raises(KnowledgeError, match=says):
        space(**known)
