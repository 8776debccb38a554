"""The schedule: shares of the epochs, weights that move, a record of what was done."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pyrocrl.training import SCHEDULE, History, Ramp, StageRecord
from pyrocrl.training.stages import (
    FEW_SUBJECTS_SCHEDULE,
    IMAGE_SCHEDULE,
    Stage,
    epochs_of,
    schedule_for,
)


@given(st.floats(0, 10), st.floats(0, 10), st.floats(0.01, 1), st.floats(0, 0.99), st.floats(0, 1))
def test_ramps_stay_between_their_ends(
    start: float, end: float, over: float, after: float, progress: float
) -> None:
    ramp = Ramp(start, end, over=over, after=after)
    assert ramp(0.0) == pytest.approx(start)
    assert min(start, end) - 1e-9 <= ramp(progress) <= max(start, end) + 1e-9
    assert ramp(min(1.0, after + over) if after + over <= 1 else 2.0) == pytest.approx(end)


schedules = pytest.mark.parametrize("schedule", [SCHEDULE, FEW_SUBJECTS_SCHEDULE, IMAGE_SCHEDULE])


@schedules
def test_stages_share_all_epochs(schedule: tuple[Stage, ...]) -> None:
    assert math.isclose(sum(stage.share for stage in schedule), 1.0)


@schedules
def test_the_last_stage_ends_with_nearly_the_declared_objective(
    schedule: tuple[Stage, ...],
) -> None:
    # What helps on the way is not part of the answer.
    weights = schedule[-1].weights(1.0)
    assert (weights.kl, weights.contrast) == (1.0, 0.0)
    assert weights.sparsity <= 0.05


@pytest.mark.parametrize("limit", [1, 3, 6, 20, 56])
def test_the_users_limit_is_kept_up_to_one_epoch_a_stage(limit: int) -> None:
    epochs = [epochs_of(stage, 1, limit) for stage in SCHEDULE]
    assert min(epochs) >= 1
    assert sum(epochs) <= max(limit + 1, len(SCHEDULE))


def test_many_subjects_are_trained_without_what_helps_few() -> None:
    assert schedule_for(2700) is SCHEDULE
    assert all(s.encoders for s in SCHEDULE)
    assert SCHEDULE[-1].stay == 0.0
    assert FEW_SUBJECTS_SCHEDULE[-1].stay > 0.0
    assert schedule_for(300) is FEW_SUBJECTS_SCHEDULE


def test_few_subjects_take_more_passes() -> None:
    few = sum(epochs_of(stage, 2, None) for stage in SCHEDULE)
    many = sum(epochs_of(stage, 200, None) for stage in SCHEDULE)
    assert few == pytest.approx(980, abs=2)
    assert many == 56


def test_history_has_a_row_for_each_restart_and_epoch() -> None:
    history = History()
    history.add("settle", 1, torch.tensor([-3.0, -4.0]), torch.tensor([-3.5, torch.nan]))
    frame = history.frame()
    assert frame.restart.tolist() == [0, 1]
    assert frame.held_out_elbo.isna().tolist() == [False, True]
    assert list(History().frame().columns) == list(frame.columns)


def test_history_knows_whether_it_was_interrupted() -> None:
    done = StageRecord("warm start", "", 3, 0.1, "ran its 3 epochs")
    assert not History(records=[done]).interrupted
    history = History(records=[done, StageRecord("settle", "", 2, 0.1, "interrupted by the user")])
    assert history.interrupted
    assert history.epochs == 5
    assert history.stages().reason.tolist() == ["ran its 3 epochs", "interrupted by the user"]


def test_series_are_searched_as_few_subjects_are() -> None:
    assert schedule_for(100_000, series=True) is FEW_SUBJECTS_SCHEDULE
    assert schedule_for(100_000, series=True, images=True) is FEW_SUBJECTS_SCHEDULE


def test_images_of_many_subjects_are_searched_with_ever_smaller_steps_and_latents_stay() -> None:
    assert schedule_for(100_000, images=True) is IMAGE_SCHEDULE
    assert schedule_for(300, images=True) is FEW_SUBJECTS_SCHEDULE
    search = IMAGE_SCHEDULE[0]
    steps = [search.learning_rate(share) * search.cooling(share) for share in (0.0, 0.5, 1.0)]
    assert steps == pytest.approx([0.05, 1.0, 0.03])
    assert IMAGE_SCHEDULE[-1].stay > 0.0


@schedules
def test_latents_are_held_while_the_elbo_joins(schedule: tuple[Stage, ...]) -> None:
    search = [stage for stage in schedule if stage.evidence == 0]
    assert schedule[: len(search)] == tuple(search)
    assert schedule[len(search)].stay > 0.0
    assert all(stage.stay == 0.0 for stage in search)
