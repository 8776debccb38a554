"""Training: held-out subjects, every stage recorded with why it stopped, Ctrl-C in any of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyro
import pytest
import torch

import pyrocrl as crl
from pyrocrl.data import Batch
from pyrocrl.edge_guide import SpikeAndSlabGuide
from pyrocrl.errors import ModelError
from pyrocrl.training import SCHEDULE, History, Stage, Trained, hold_out, train
from pyrocrl.training.contrast import causal_contrast
from pyrocrl.training.loop import Training
from pyrocrl.training.progress import Silence


def run(data: crl.MultimodalData, max_epochs: int = 3) -> Trained:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        training, held_out = hold_out(data, np.random.default_rng(0))
        model = crl.MultimodalSCM(training, latents=2, chains=2)
        guide = crl.AmortizedGuide(model, data)
        return train(model, guide, training, held_out, progress=False, max_epochs=max_epochs)


def interrupt_after(monkeypatch: pytest.MonkeyPatch, encoded_batches: int) -> None:
    """As if the user pressed Ctrl-C when that many batches had been encoded."""
    encode, seen = crl.AmortizedGuide.encode, []

    def until(self: crl.AmortizedGuide, batch: Batch) -> Any:
        seen.append(batch.size)
        if len(seen) == encoded_batches:
            raise KeyboardInterrupt
        return encode(self, batch)

    monkeypatch.setattr(crl.AmortizedGuide, "encode", until)


@pytest.fixture
def unvalidated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divergence as it happens later in training, when Pyro no longer validates every step."""
    monkeypatch.setattr("pyrocrl.training.loop._VALIDATED_STEPS", 0)


def test_held_out_subjects_are_apart(small_data: crl.MultimodalData) -> None:
    training, held_out = hold_out(small_data, np.random.default_rng(0))
    assert (training.n_subjects, held_out.n_subjects) == (240, 60)
    assert set(training.subjects) | set(held_out.subjects) == set(small_data.subjects)
    np.testing.assert_array_equal(training.table("m1").mean, small_data.table("m1").mean)


@pytest.mark.parametrize(("subjects", "held_out"), [(50, 10), (600, 100), (3000, 300)])
def test_a_tenth_is_held_out_or_more_of_few(subjects: int, held_out: int) -> None:
    data, _ = crl.simulate.numerical_case(1, n_subjects=subjects)
    assert hold_out(data, np.random.default_rng(0))[1].n_subjects == held_out


def test_every_stage_is_recorded_with_its_reason(small_data: crl.MultimodalData) -> None:
    trained = run(small_data)
    stages = trained.history.stages()
    names = stages.stage.tolist()
    assert [name for name in names if name in {s.name for s in SCHEDULE}] == [
        stage.name for stage in SCHEDULE
    ]
    assert names[-1] == "edges"
    assert stages.reason.str.startswith("ran its").all()
    assert (stages.seconds > 0).all()
    assert not trained.history.interrupted
    assert trained.held_out_elbo.shape == (2, 60)
    assert trained.match.shape == (2, 60)
    frame = trained.history.frame()
    assert set(frame.restart) == {0, 1}
    assert np.isfinite(frame[["elbo", "held_out_elbo"]]).all(axis=None)


def test_where_there_are_many_all_subjects_judge_the_restarts() -> None:
    data, _ = crl.simulate.numerical_case(1, n_subjects=2500)
    trained = run(data)
    assert trained.held_out_elbo.shape == (2, 250)
    assert trained.match.shape == (2, 2500)
    assert np.isfinite(trained.match).all()


def test_where_the_contrast_learned_by_heart_those_held_out_judge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Far below any difference: the contrast is left out from the start.
    monkeypatch.setattr("pyrocrl.training.loop._BY_HEART", -1e6)
    data, _ = crl.simulate.numerical_case(1, n_subjects=2500)
    trained = run(data)
    assert trained.match.shape == (2, 250)
    assert np.isfinite(trained.match).all()


def test_training_raises_the_elbo(small_data: crl.MultimodalData) -> None:
    frame = run(small_data, max_epochs=20).history.frame()
    by_epoch = frame.groupby("epoch").held_out_elbo.mean()
    assert by_epoch.iloc[-1] > by_epoch.iloc[0] + 1


def test_a_stage_without_progress_stops_early_and_says_why(
    small_data: crl.MultimodalData, monkeypatch: pytest.MonkeyPatch
) -> None:
    falling = iter(range(0, -100, -1))

    def held_out_elbo(*_: object) -> torch.Tensor:
        return torch.full((2, 30), float(next(falling)))

    monkeypatch.setattr("pyrocrl.training.loop.held_out_elbo", held_out_elbo)
    training, held_out = hold_out(small_data, np.random.default_rng(0))
    model = crl.MultimodalSCM(training, latents=2, chains=2)
    guide = crl.AmortizedGuide(model, small_data)
    history = History()
    running = Training(
        model=model,
        guide=guide,
        contrast=causal_contrast(model, torch.ones(4, 4)),
        edge_cost=torch.zeros(4, 4),
        subjects=training,
        held_out=held_out.batch(),
        batch_size=40,
        history=history,
        progress=Silence(),
    )
    running.run(Stage("rush", "", 1.0, patience=0.2), 20)
    record = history.records[0]
    assert record.epochs == 10
    assert record.reason == "held-out score had not improved for 5 epochs"
    assert not history.interrupted


@pytest.mark.parametrize("batches", [1, 6, 11])
def test_interrupted_training_keeps_what_was_found(
    small_data: crl.MultimodalData, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    whole = run(small_data).history.stages().stage.tolist()
    interrupt_after(monkeypatch, batches)
    trained = run(small_data)
    stages = trained.history.stages()
    assert trained.history.interrupted
    assert "interrupted by the user" in stages.reason.iloc[-1]
    # The stage that was running is the last one; the rest is skipped.
    assert stages.stage.tolist() == whole[: len(stages)]
    assert len(stages) < len(whole)
    assert stages.reason.str.contains("interrupted").sum() == 1
    assert np.isfinite(trained.held_out_elbo).all()
    for parameter in [*trained.model.parameters(), *trained.guide.parameters()]:
        assert torch.isfinite(parameter).all()


def test_interrupted_while_gates_are_fitted(
    small_data: crl.MultimodalData, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, drawn = SpikeAndSlabGuide.forward, []

    def until(self: SpikeAndSlabGuide) -> None:
        drawn.append(1)
        if len(drawn) == 5:
            raise KeyboardInterrupt
        draw(self)

    monkeypatch.setattr(SpikeAndSlabGuide, "forward", until)
    trained = run(small_data)
    assert "interrupted" in trained.history.records[-1].reason
    assert trained.guide.gate_probabilities() is not None


def test_one_diverged_restart_does_not_count(
    small_data: crl.MultimodalData, unvalidated: None
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        training, held_out = hold_out(small_data, np.random.default_rng(0))
        model = crl.MultimodalSCM(training, latents=2, chains=2)
        guide = crl.AmortizedGuide(model, small_data)
        with torch.no_grad():
            guide.encoders["m1"].network.biases[0][0] = torch.nan  # type: ignore[union-attr,index]
        trained = train(model, guide, training, held_out, progress=False, max_epochs=3)
    assert np.isnan(trained.held_out_elbo[0]).all()
    assert np.isfinite(trained.held_out_elbo[1]).all()
    assert torch.isfinite(model.mechanism.intercept[1]).all()


def test_divergence_of_all_restarts_is_an_error(
    small_data: crl.MultimodalData, unvalidated: None
) -> None:
    training, held_out = hold_out(small_data, np.random.default_rng(0))
    model = crl.MultimodalSCM(training, latents=2, chains=2)
    guide = crl.AmortizedGuide(model, small_data)
    with torch.no_grad():
        guide.encoders["m1"].network.biases[0].fill_(torch.nan)  # type: ignore[union-attr,index]
    with pytest.raises(ModelError, match=r"diverged in every restart.*log-transform"):
        train(model, guide, training, held_out, progress=False, max_epochs=3)


def test_progress_bars_name_the_stages(
    small_data: crl.MultimodalData,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    training, held_out = hold_out(small_data, np.random.default_rng(0))
    model = crl.MultimodalSCM(training, latents=2, chains=2)
    guide = crl.AmortizedGuide(model, small_data)
    train(model, guide, training, held_out, progress=True, max_epochs=3)
    printed = capsys.readouterr().out
    for name in (*(stage.name for stage in SCHEDULE), "edges"):
        assert name in printed
    assert len(pyro.get_param_store()) == 0
