"""The benchmark of calibration: rows of every method, pooled and shown."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pyrocrl.errors import ConfigError
from pyrocrl.trust import choose_methods, run_calibration
from pyrocrl.trust.answer import Answer
from pyrocrl.trust.calibration import measure
from pyrocrl.trust.design import design
from pyrocrl.trust.pooled import edge_text, edges_of


@given(arrays(float, (4, 4), elements=st.floats(0, 1)))
def test_a_cell_keeps_probabilities_to_three_digits(probability: np.ndarray):
    kept = edges_of(edge_text(probability), 4)
    np.testing.assert_allclose(kept, probability, rtol=0.005, atol=1e-4)


def test_a_page_tells_sure_and_right_from_sure_and_wrong(tmp_path: Path):
    methods = {
        "pyrocrl": lambda data: Answer(data.adjacency.astype(float)),
        "pc": lambda data: Answer(data.adjacency.T.astype(float)),
    }
    page = run_calibration([1003, 1004], methods, tmp_path, say=lambda line: None)
    assert page is not None
    text = page.read_text()
    assert "| ECE | <= .02 | 0.0000 | yes |" in text
    ours, others = (
        line.split(" | ") for line in text.split("## Beside pc")[1].splitlines() if "| 2 |" in line
    )
    assert (ours[3], others[3] > "0.1") == ("0.0000", True)
    assert 0 < (tmp_path / "calibration.png").stat().st_size < 60_000


def test_known_directions_are_left_out_of_what_is_pooled(tmp_path: Path):
    right = {"pyrocrl, order known": lambda data: Answer(0.5 * data.adjacency)}
    page = run_calibration([1003], right, tmp_path, say=lambda line: None)
    assert page is not None
    nodes = design(1003).nodes
    assert f"| all | 1 | {nodes * (nodes - 1) // 2} |" in page.read_text()


def test_a_failure_is_a_row(tmp_path: Path):
    small = replace(design(1003), nodes=3, subjects=50)
    # This interpreter has no dibs-lib.
    method = choose_methods(["dibs"], sys.executable)["dibs"]
    row = measure(small, "dibs", method, small.draw())
    assert "ModelError: DiBS failed" in row["error"]


@pytest.mark.parametrize(("name", "words"), [("dibs", "--dibs PYTHON"), ("gs", "no method 'gs'")])
def test_methods_that_cannot_be_run_are_refused(name: str, words: str):
    with pytest.raises(ConfigError, match=words):
        choose_methods([name])
