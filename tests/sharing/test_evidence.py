"""P(shared) rises with agreement, with its growth and with the prior."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrocrl.errors import ModelError
from pyrocrl.sharing.evidence import WEIGHTS, Evidence, probability_shared

small = st.floats(1e-4, 0.9)


@given(small, st.floats(1.0, 3.0), st.floats(1.0, 3.0))
def test_less_disagreement_and_a_late_fall_speak_for_sharing(
    held_out: float, fall: float, gap: float
) -> None:
    training = held_out / gap
    here = probability_shared(Evidence(held_out * fall, held_out, training))
    nearer = probability_shared(Evidence(held_out * fall / 2, held_out / 2, training / 2))
    falling = probability_shared(Evidence(held_out * fall * 1.5, held_out, training))
    assert here <= nearer
    assert here <= falling


@given(small, st.floats(0.01, 0.98))
def test_the_prior_moves_the_answer(held_out: float, prior: float) -> None:
    evidence = Evidence(held_out, held_out, held_out)
    assert probability_shared(evidence, prior) <= probability_shared(evidence, prior + 0.01)
    assert probability_shared(evidence, 0.0) == 0.0
    assert probability_shared(evidence, 1.0) == 1.0


def test_perfect_agreement_and_none_at_all_have_a_probability() -> None:
    assert probability_shared(Evidence(0.0, 0.0, 0.0)) > 0.9
    assert probability_shared(Evidence(1.0, 1.0, 1.0)) < 0.1


def test_a_prior_must_be_a_probability() -> None:
    with pytest.raises(ModelError, match="prior"):
        probability_shared(Evidence(0.1, 0.1, 0.1), prior=2.0)


def test_the_weights_are_those_of_the_rows_that_were_measured() -> None:
    root = Path(__file__).parents[2]
    program = runpy.run_path(str(root / "benchmarks" / "sharing_evidence.py"))
    file = root / "benchmarks" / "results" / "sharing_evidence.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert program["weights_of"](rows) == WEIGHTS


@given(small, st.integers(10_000, 10_000_000))
def test_more_subjects_than_the_weights_know_count_as_so_many(held_out: float, more: int) -> None:
    known, beyond = (
        Evidence(1.2 * held_out, held_out, 0.8 * held_out, subjects=subjects)
        for subjects in (10_000, more)
    )
    assert probability_shared(known) == probability_shared(beyond)
