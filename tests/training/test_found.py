"""Latents stay as the search left them: for a while, or to the end where there are few subjects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import pyrocrl as crl
from pyrocrl.metrics import correlations
from pyrocrl.training import History, Stage, Trained, hold_out, train
from pyrocrl.training.contrast import causal_contrast
from pyrocrl.training.found import FoundLatents
from pyrocrl.training.loop import Training
from pyrocrl.training.progress import Silence
from pyrocrl.training.stages import FEW_SUBJECTS_SCHEDULE


def fitted(
    data: crl.MultimodalData, monkeypatch: pytest.MonkeyPatch
) -> tuple[torch.Tensor, Trained]:
    """Latents of two restarts where the search ended, and the model trained on from the better."""
    after_search: list[torch.Tensor] = []
    run_stage = Training.run

    def run(self: Training, stage: Stage, epochs: int) -> torch.Tensor:
        if not stage.encoders:
            after_search.clear()
        score = run_stage(self, stage, epochs)
        if stage.evidence == 0:
            after_search.append(latents(self.guide, data))
        return score

    monkeypatch.setattr(Training, "run", run)
    # Far below any difference: the contrast is left out from the start.
    monkeypatch.setattr("pyrocrl.training.loop._BY_HEART", -1e6)
    training, held_out = hold_out(data, np.random.default_rng(0))

    def build(chains: int) -> tuple[crl.MultimodalSCM, crl.AmortizedGuide]:
        model = crl.MultimodalSCM(training, latents=2, chains=chains)
        return model, crl.AmortizedGuide(model, data)

    with torch.random.fork_rng():
        torch.manual_seed(0)
        trained = train(*build(2), training, held_out, rebuild=build, progress=False, max_epochs=60)
    return after_search[0], trained


@torch.no_grad()
def latents(guide: crl.AmortizedGuide, data: crl.MultimodalData) -> torch.Tensor:
    encoding = guide.encode(data.batch())
    return torch.matmul(encoding.loc, guide.unmixing.matrix())


def same(one: torch.Tensor, other: torch.Tensor) -> float:
    """Smallest absolute correlation of a latent with what it was."""
    return float(np.abs(np.diag(correlations(one.double().numpy(), other.double().numpy()))).min())


def test_latents_are_held_in_one_copy_and_free_in_the_other(
    small_data: crl.MultimodalData, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, trained = fitted(small_data, monkeypatch)
    held, free = latents(trained.guide, small_data)
    # Both come from the same search.
    assert max(same(one, held) for one in before) > 0.99
    assert max(same(one, free) for one in before) < 0.99
    # Both are judged by the contrast, though it was left out.
    assert np.isfinite(trained.match).all()


def test_distance_is_that_of_standardised_latents(small_data: crl.MultimodalData) -> None:
    model = crl.MultimodalSCM(small_data, latents=2, chains=2)
    guide = crl.AmortizedGuide(model, small_data)
    found = FoundLatents.of(model, guide, small_data, torch.tensor([1.0, 0.0]))
    rows, matrix = torch.tensor([3, 1, 8]), guide.unmixing.matrix()
    encoding = guide.encode(small_data.batch(rows))
    still = found.distance(rows, encoding, matrix)
    torch.testing.assert_close(still, torch.zeros(2))
    moved = replace(encoding, loc=encoding.loc + 2 * found.unit)
    torch.testing.assert_close(found.distance(rows, moved, matrix), torch.tensor([16.0, 0.0]))


def test_latents_of_modalities_that_a_subject_lacks_are_not_held(
    small_data: crl.MultimodalData,
) -> None:
    model = crl.MultimodalSCM(small_data, latents=2, chains=1)
    guide = crl.AmortizedGuide(model, small_data)
    found = FoundLatents.of(model, guide, small_data, torch.ones(1))
    rows, matrix = torch.arange(4), guide.unmixing.matrix()
    encoding = guide.encode(small_data.batch(rows))
    absent = torch.zeros(4, 4, dtype=torch.bool)
    absent[0] = True
    moved = replace(encoding, loc=encoding.loc + 2 * found.unit, absent=absent)
    torch.testing.assert_close(found.distance(rows, moved, matrix), torch.tensor([12.0]))


def test_a_search_without_encoders_only_turns_the_latents(small_data: crl.MultimodalData) -> None:
    subjects, held_out = hold_out(small_data, np.random.default_rng(0))
    model = crl.MultimodalSCM(subjects, latents=2, chains=2)
    guide = crl.AmortizedGuide(model, small_data)
    run = Training(
        model=model,
        guide=guide,
        contrast=causal_contrast(model, torch.ones(4, 4)),
        edge_cost=torch.ones(4, 4),
        subjects=subjects,
        held_out=held_out.batch(),
        batch_size=90,
        history=History(),
        progress=Silence(),
    )
    run.generalises[1] = 0.0
    before = guide.encode(held_out.batch()).loc
    (turn,) = [stage for stage in FEW_SUBJECTS_SCHEDULE if not stage.encoders]
    run.run(turn, 2)
    torch.testing.assert_close(guide.encode(held_out.batch()).loc, before, rtol=0, atol=0)
    # Those that learned by heart are turned as well: they cannot do so any more.
    turned = (guide.unmixing.matrix() - torch.eye(4)).abs().amax((1, 2))
    assert (turned > 1e-3).all()
