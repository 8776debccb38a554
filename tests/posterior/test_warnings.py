"""What limits a result is said in plain sentences."""

from __future__ import annotations

import numpy as np
import pytest

from pyrocrl.posterior.warnings import directions_of_few_values
from pyrocrl.scm import BackgroundKnowledge, Nodes

NODES = Nodes(
    ("person.age", "person.smoker", "labs.z1"), ("person", "person", "labs"), (False, False, True)
)


@pytest.mark.parametrize(("order", "said"), [("modality", 0), ("learned", 1), ("cyclic", 1)])
def test_variables_of_few_values_are_named_where_their_edges_are_open(
    order: str, said: int
) -> None:
    rng = np.random.default_rng(0)
    z = np.stack([rng.normal(size=300), rng.integers(0, 2, 300), rng.normal(size=300)], axis=1)
    allowed = BackgroundKnowledge().graph_space(NODES, order).allowed
    sentences = directions_of_few_values(z, NODES, allowed)
    assert len(sentences) == said
    assert all("person.smoker." in one and "person.age" not in one for one in sentences)
