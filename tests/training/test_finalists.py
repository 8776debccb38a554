"""After the search the restarts that found most go on, exactly as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import pyrocrl as crl
from pyrocrl.data import MultimodalData
from pyrocrl.training import History, hold_out
from pyrocrl.training.contrast import causal_contrast
from pyrocrl.training.finalists import FINALISTS, finalists, held_and_free
from pyrocrl.training.history import StageRecord
from pyrocrl.training.loop import Training
from pyrocrl.training.progress import Silence


class Fixture:
    """Untrained restarts, as if a search had been done."""

    def __init__(self, data: MultimodalData, restarts: int = 6) -> None:
        self.data = data
        self.subjects, self.held_out = hold_out(data, np.random.default_rng(0))
        model, guide = self.build(restarts)
        cost = torch.ones(4, 4)
        record = StageRecord("contrast", "", 3, 1.0, "ran its 3 epochs")
        self.run = Training(
            model=model,
            guide=guide,
            contrast=causal_contrast(model, cost),
            edge_cost=cost,
            subjects=self.subjects,
            held_out=self.held_out.batch(),
            batch_size=45,
            history=History(records=[record]),
            progress=Silence(),
        )

    def build(self, chains: int) -> tuple[crl.MultimodalSCM, crl.AmortizedGuide]:
        model = crl.MultimodalSCM(self.subjects, latents=2, chains=chains)
        return model, crl.AmortizedGuide(model, self.data)


SCORE = torch.tensor([0.0, 5.0, -torch.inf, 3.0, 2.0, 4.0])
BEST = [1, 3, 4, 5]


def test_the_best_go_on_as_they_were(small_data: MultimodalData) -> None:
    given = Fixture(small_data)
    fewer = finalists(given.run, SCORE, given.build)
    assert fewer.model.chains == FINALISTS
    batch = given.subjects.batch()
    torch.testing.assert_close(
        fewer.guide.encode(batch).loc, given.run.guide.encode(batch).loc[BEST]
    )
    for new, old in zip(fewer.model.parameters(), given.run.model.parameters(), strict=True):
        torch.testing.assert_close(new, old[BEST])
    assert "best 4 of 6 restarts go on" in fewer.history.records[-1].reason
    assert fewer.found is not None
    assert fewer.found.held.tolist() == [1.0] * FINALISTS


@pytest.mark.parametrize("reason", ["few restarts", "a contrast that learned by heart"])
def test_all_go_on_where_none_can_be_left(small_data: MultimodalData, reason: str) -> None:
    given = Fixture(small_data, restarts=FINALISTS if reason == "few restarts" else 6)
    if reason != "few restarts":
        given.run.generalises[2] = 0.0
    assert finalists(given.run, SCORE, given.build) is given.run
    assert given.run.found is not None
    assert given.run.found.held.tolist() == [1.0] * len(given.run.found.z)


def test_without_a_way_to_rebuild_all_go_on(small_data: MultimodalData) -> None:
    given = Fixture(small_data)
    assert finalists(given.run, SCORE, None) is given.run


def test_of_few_subjects_the_best_go_on_held_and_free(small_data: MultimodalData) -> None:
    given = Fixture(small_data)
    given.run.generalises[BEST[0]] = 0.0
    both = held_and_free(given.run, SCORE, given.build)
    which = [1, 3, 5, 1, 3, 5]
    batch = given.subjects.batch()
    torch.testing.assert_close(
        both.guide.encode(batch).loc, given.run.guide.encode(batch).loc[which]
    )
    assert both.generalises.tolist() == [0.0, 1.0, 1.0] * 2
    assert both.found is not None
    assert both.found.held.tolist() == [1.0] * 3 + [0.0] * 3
    assert held_and_free(given.run, SCORE, None).model.chains == 6


@pytest.mark.parametrize(("subjects", "left"), [(600, 8), (2500, FINALISTS)])
def test_a_fit_of_many_restarts_is_saved_and_read(tmp_path: Path, subjects: int, left: int) -> None:
    data, _ = crl.simulate.numerical_case(1, n_subjects=subjects, seed=100)
    posterior = crl.fit(data, latents=2, restarts=9, max_epochs=3, progress=False)
    assert len(posterior.restarts) == left
    assert posterior.settings["restarts"] == 9
    posterior.save(tmp_path / "fit")
    again = crl.load(tmp_path / "fit")
    np.testing.assert_array_equal(again.latents(), posterior.latents())
    np.testing.assert_allclose(again.latents(data), posterior.latents(data))
