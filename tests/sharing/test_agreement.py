"""Networks of agreement: known latents are regressed out, units are kept, sets stay apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pyrocrl.data import MultimodalData
from pyrocrl.sharing.agreement import Agreement, disagreement


@pytest.fixture
def data() -> MultimodalData:
    rng = np.random.default_rng(0)
    return MultimodalData({name: rng.normal(size=(300, 4)) for name in "abc"})


@torch.no_grad()
def test_what_known_latents_tell_is_taken_out(data: MultimodalData) -> None:
    torch.manual_seed(0)
    networks = Agreement(data, [("a", "b"), ("b", "c")], components=2)
    known = torch.randn(2, 300, 1)
    said = networks(data.batch(), known)
    assert said.loc.shape == said.scale.shape == (2, 2, 2, 300)
    for power in (1, 2):
        bent = (known[..., 0] ** power)[:, None]
        both = torch.cat([said.loc[0], bent], 1)
        correlation = torch.stack([torch.corrcoef(part)[2, :2] for part in both])
        assert float(correlation.abs().max()) < 0.05
    together = torch.stack(
        [torch.corrcoef(torch.stack([said.merged[0, v], said.loc[1, v, 0]])) for v in range(2)]
    )
    assert float(together[:, 0, 1].abs().max()) < 0.1


def test_members_are_aligned_in_sign(data: MultimodalData) -> None:
    said = Agreement(data, [("a", "b", "c")], components=1)(data.batch(), torch.zeros(1, 300, 0))
    first = said.loc[0, 0, :1]
    assert bool(((said.loc[0, 0] * first).mean(-1) >= 0).all())


def test_other_subjects_are_said_in_the_units_of_the_first(data: MultimodalData) -> None:
    networks = Agreement(data, [("a", "b")], components=2)
    nothing = torch.zeros(1, 300, 0)
    whole = networks(data.batch(), nothing)
    part = networks.again(data.batch(slice(20, 40)), nothing[:, 20:40])
    torch.testing.assert_close(part.loc, whole.loc[..., 20:40], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(part.merged, whole.merged[..., 20:40], atol=1e-5, rtol=1e-4)


def test_disagreement_is_what_correlation_leaves() -> None:
    values = torch.randn(3, 500, generator=torch.Generator().manual_seed(0))
    values[1] += values[0]
    wanted = 1 - torch.corrcoef(values) ** 2
    found = disagreement(values)
    torch.testing.assert_close(found, torch.stack([wanted[0, 1], wanted[0, 2], wanted[1, 2]]))
