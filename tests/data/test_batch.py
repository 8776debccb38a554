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
    assert list(batch.values) == list(batch.observed) == ["labs", "person"]
    assert batch.values["labs"].dtype == torch.float32
    assert batch.observed["labs"].dtype == torch.bool
    assert batch.values["person"].shape == batch.observed["person"].shape == (25, 1)


def test_missing_cells_are_marked_and_zero(data: MultimodalData) -> None:
    batch = data.batch()
    assert (~batch.observed["labs"]).nonzero().tolist() == [[4, 1]]
    assert batch.values["labs"][4, 1] == 0
    assert all(values.isfinite().all() for values in batch.values.values())


@pytest.mark.parametrize("rows", [slice(3, 11), torch.tensor([7, 4, 4, 0])])
def test_some_rows(data: MultimodalData, rows: slice | torch.Tensor) -> None:
    whole, batch = data.batch(), data.batch(rows)
    assert batch.size == len(range(25)[rows] if isinstance(rows, slice) else rows)
    for name in data.names:
        assert torch.equal(batch.values[name], whole.values[name][rows])
        assert torch.equal(batch.observed[name], whole.observed[name][rows])


def test_a_slice_copies_nothing(data: MultimodalData) -> None:
    batch = data.batch(slice(5, 9))
    assert batch.values["labs"].data_ptr() == data["labs"].values[5].data_ptr()


def test_to_another_device(data: MultimodalData) -> None:
    batch: Batch = data.batch(slice(0, 4)).to("meta")
    assert batch.size == 4
    for tensors in (batch.values, batch.observed):
        assert {tensor.device.type for tensor in tensors.values()} == {"meta"}
