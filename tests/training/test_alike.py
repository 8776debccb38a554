"""Subjects that are alike in shown variables are partners; without these nothing changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import pyrocrl as crl
from pyrocrl.errors import DataError
from pyrocrl.training.steps import alike, shuffled_rows


def data_with(columns: int, subjects: int, seed: int = 0) -> crl.MultimodalData:
    rng = np.random.default_rng(seed)
    return crl.MultimodalData(
        {
            "shared": crl.Variables(rng.normal(size=(subjects, columns)), seen_by=["a", "b"]),
            "a": rng.normal(size=(subjects, 5)),
            "b": rng.normal(size=(subjects, 4)),
        }
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(40, 300), st.integers(2, 20), st.integers(0, 99))
def test_blocks_hold_every_subject_once_at_most(
    columns: int, subjects: int, block: int, seed: int
) -> None:
    torch.manual_seed(seed)
    rows = alike(data_with(columns, subjects, seed), torch.randperm(subjects), block)
    assert len(rows) % block == 0
    assert len(rows.unique()) == len(rows) >= subjects / 2


@pytest.mark.parametrize("columns", [1, 3])
def test_a_block_is_narrower_than_all_subjects(columns: int) -> None:
    data = data_with(columns, 2000)
    values = data["shared"].cells().values
    rows = alike(data, torch.randperm(2000), 50)
    inside = values[rows].view(-1, 50, columns).std(1).pow(2).mean() ** 0.5
    assert float(inside) < (0.15 if columns == 1 else 0.6)


def test_without_shown_variables_batches_are_as_before() -> None:
    data = crl.MultimodalData({"a": np.random.default_rng(0).normal(size=(60, 3))})
    torch.manual_seed(0)
    plain = [data.batch(rows)["a"].values for rows in shuffled_rows(data, 16)]
    torch.manual_seed(0)
    blocks = [data.batch(rows)["a"].values for rows in shuffled_rows(data, 16, 8)]
    assert all(torch.equal(one, other) for one, other in zip(plain, blocks, strict=True))


def test_a_decoder_is_given_the_variables_that_its_modality_shows() -> None:
    data = data_with(2, 60)
    model = crl.MultimodalSCM(data, latents=1, noise=1)
    assert model.nodes.names[:2] == ("shared.x1", "shared.x2")
    assert model.shown == {"a": [2, 0, 1], "b": [3, 0, 1]}
    assert model(data.batch()).shape == (1, 60, 4)


def test_a_fit_with_shown_variables_is_saved_and_read(tmp_path) -> None:
    data = data_with(1, 200)
    fit = crl.fit(data, latents=1, restarts=2, max_epochs=3, progress=False)
    fit.save(tmp_path)
    again = crl.load(tmp_path)
    pd.testing.assert_frame_equal(again.edge_table(), fit.edge_table())
    np.testing.assert_allclose(again.latents(data), fit.latents(data))


def test_unknown_modalities_are_refused() -> None:
    table = np.random.default_rng(0).normal(size=(30, 2))
    with pytest.raises(DataError, match="'age': seen_by names 'eye'"):
        crl.MultimodalData({"age": crl.Variables(table, seen_by=["eye"]), "ear": table})
