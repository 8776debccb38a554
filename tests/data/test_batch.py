"""A batch holds the chosen rows of every modality."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from pyrocrl.data import Batch, MultimodalData, Variables


@pytest.fixture
def data() -> MultimodalData:
    rng = np.random.default_rng(0)
    labs = rng.normal(size=(25, 3))
    labs[4, 1] = np.nan
    person = pd.DataFrame({"age": rng.integers(20, 80, 25)})
    return MultimodalData({"labs": labs, "person": Variables(person)})


def test_everybody(data: MultimodalData) -> None:
    batch = data.batch()
    assert batch.size == 25
    assert list(batch) == ["labs", "person"]
    assert batch["labs"].values.dtype == torch.float32
    assert batch["labs"].observed.dtype == torch.bool
    assert batch["person"].values.shape == batch["person"].observed.shape == (25, 1)


def test_missing_cells_are_marked_and_zero(data: MultimodalData) -> None:
    batch = data.batch()
    assert (~batch["labs"].observed).nonzero().tolist() == [[4, 1]]
    assert batch["labs"].values[4, 1] == 0
    assert all(batch[name].values.isfinite().all() for name in batch)


@pytest.mark.parametrize("rows", [slice(3, 11), torch.tensor([7, 4, 4, 0])])
def test_some_rows(data: MultimodalData, rows: slice | torch.Tensor) -> None:
    whole, batch = data.batch(), data.batch(rows)
    assert batch.size == len(range(25)[rows] if isinstance(rows, slice) else rows)
    for name in data.names:
        assert torch.equal(batch[name].values, whole[name].values[rows])
        assert torch.equal(batch[name].observed, whole[name].observed[rows])


def test_a_slice_copies_nothing(data: MultimodalData) -> None:
    batch = data.batch(slice(5, 9))
    assert batch["labs"].values.data_ptr() == data.table("labs").values[5].data_ptr()


def test_to_another_device(data: MultimodalData) -> None:
    batch: Batch = data.batch(slice(0, 4)).to("meta")
    assert batch.size == 4
    for name in batch:
        assert batch[name].values.device.type == batch[name].observed.device.type == "meta"


def test_copies_stand_next_to_each_other(data: MultimodalData) -> None:
    batch = data.batch(slice(0, 3)).repeated(2)
    assert batch.size == 6
    assert torch.equal(batch["labs"].values, data.batch()["labs"].values[[0, 0, 1, 1, 2, 2]])


def test_who_lacks_a_modality_is_not_present() -> None:
    labs = pd.DataFrame({"iron": range(25), "zinc": range(25)}, dtype=float)
    labs.loc[3] = np.nan
    labs.loc[4, "zinc"] = np.nan
    data = MultimodalData({"labs": labs, "person": Variables(labs[["iron"]].fillna(0))})
    assert (~data.batch()["labs"].present).nonzero().tolist() == [[3]]
    assert torch.equal(data["labs"].present, data.batch()["labs"].present)


def test_subjects_without_measurements_have_the_shape_of_the_others(data: MultimodalData) -> None:
    for observed in (True, False):
        blank = data.unmeasured(7, observed=observed)
        assert blank.n_subjects == 7
        for name in data.names:
            cells = blank.batch()[name]
            assert cells.values.shape == (7, *data[name].shape)
            assert bool((cells.observed == observed).all())
