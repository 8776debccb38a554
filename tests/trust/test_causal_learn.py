"""PC and GES find the links of a chain, and leave its direction open."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pyrocrl.structure._arrays import FloatArray
from pyrocrl.trust.causal_learn import bootstrap_ges, bootstrap_pc


@pytest.mark.parametrize("method", [bootstrap_pc, bootstrap_ges])
@pytest.mark.filterwarnings("default")
def test_a_chain_is_found_without_direction(method: Callable[..., FloatArray]):
    pytest.importorskip("causallearn")
    noise = np.random.default_rng(200).normal(size=(3, 400))
    first = noise[0]
    second = first + noise[1]
    third = second + noise[2]
    shares = method(np.stack([first, second, third], axis=1), samples=5)
    links = shares + shares.T
    assert links[0, 1] == links[1, 2] == 1
    assert links[0, 2] < 0.5
    assert shares[1, 0] > 0
    assert shares[0, 1] > 0
