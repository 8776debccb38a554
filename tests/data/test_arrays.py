"""Images and series: read by rows, standardised per channel, missing cells marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pyrocrl as crl
from pyrocrl.data import ArrayModality, Modality, modality_from_json
from pyrocrl.errors import DataError

RNG = np.random.default_rng(200)
COUNT = 40
PIXELS = RNG.integers(0, 256, (COUNT, 3, 6, 5)).astype(np.uint8)
TABLE = pd.DataFrame({"age": RNG.normal(size=COUNT)}, index=[f"p{k}" for k in range(COUNT)])


def with_gaps() -> np.ndarray:
    curves = RNG.normal([3.0, -1.0], [2.0, 0.1], (COUNT, 7, 2))
    curves[3, 2:4] = np.nan
    curves[5] = np.nan
    curves[6, :, 1] = np.nan
    return curves


def only(source: Any) -> Modality:
    return next(iter(crl.MultimodalData({"it": source})))


class ReadByRows:
    """An array that counts the rows that are asked of it, and refuses to be read whole."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.most = 0

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        assert (np.diff(rows) > 0).all(), "HDF5 wants rising rows"
        self.most = max(self.most, len(rows))
        return np.asarray(self.array[rows])

    def __array__(self) -> np.ndarray:
        raise AssertionError("read whole")


def test_images_come_back_in_their_units() -> None:
    image = only(PIXELS)

    assert (image.kind, image.shape) == ("image", (3, 6, 5))
    np.testing.assert_allclose(image.measured(), PIXELS, atol=1e-3)
    values = image.cells().values
    np.testing.assert_allclose(values.mean((0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(values.std((0, 2, 3), correction=0), 1, rtol=1e-5)


def test_grey_images_need_no_channel() -> None:
    assert only(crl.Image(PIXELS[:, 0])).shape == (1, 6, 5)


def test_missing_cells_are_marked_and_zero() -> None:
    curves = with_gaps()
    series = only(crl.Series(curves, channels=["steps", "pulse"]))
    cells = series.cells()

    np.testing.assert_array_equal(cells.observed.numpy(), ~np.isnan(curves))
    assert (cells.values[~cells.observed] == 0).all()
    assert series.missing == pytest.approx(np.isnan(curves).mean())
    assert (~series.present).nonzero().ravel().tolist() == [5]
    np.testing.assert_allclose(series.measured(), curves, rtol=1e-5)


@given(
    rows=st.lists(st.integers(0, COUNT - 1), min_size=1),
    curves=hnp.arrays(
        np.float32,
        (COUNT, 4, 2),
        elements=st.floats(-100, 100, width=32) | st.just(np.nan),
    ),
)
def test_any_rows_may_be_read_in_any_order(rows: list[int], curves: np.ndarray) -> None:
    curves[0], curves[1] = 1.0, -1.0
    whole = only(crl.Series(curves))
    chosen = torch.tensor(rows)

    read, taken = whole.cells(chosen), whole.take(chosen).cells()

    torch.testing.assert_close(read.values, whole.cells().values[chosen])
    wanted = whole.cells().observed.expand(COUNT, 4, 2)[chosen]
    assert torch.equal(read.observed.expand_as(wanted), wanted)
    assert torch.equal(read.values, taken.values)


@pytest.mark.parametrize("kind", ["memmap", "hdf5", "rows", "torch"])
def test_data_may_be_read_from_where_they_are(tmp_path: Path, kind: str) -> None:
    import h5py

    source: Any
    if kind == "memmap":
        source = np.memmap(tmp_path / "pixels", np.uint8, "w+", shape=PIXELS.shape)
        source[:] = PIXELS
    elif kind == "hdf5":
        file = h5py.File(tmp_path / "pixels.h5", "w")
        source = file.create_dataset("pixels", data=PIXELS)
    else:
        source = ReadByRows(PIXELS) if kind == "rows" else torch.from_numpy(PIXELS)

    stored, plain = only(crl.Image(source)), only(crl.Image(PIXELS))

    rows = torch.tensor([7, 2, 2, 30])
    assert torch.equal(stored.cells(rows).values, plain.cells(rows).values)
    np.testing.assert_array_equal(stored.features().values, plain.features().values)


def test_large_data_are_never_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyrocrl.data.rows._AT_A_TIME", 4 * 3 * 6 * 5)
    source = ReadByRows(PIXELS)

    data = crl.MultimodalData({"scan": crl.Image(source), "age": TABLE.reset_index(drop=True)})
    data.batch(torch.tensor([3, 1]))
    data["scan"].features()
    data.select([4, 8, 9]).batch()

    assert source.most == 4


def test_an_image_folder_is_read_by_name(tmp_path: Path) -> None:
    from PIL import Image as Picture

    for name, pixels in zip(TABLE.index, PIXELS, strict=True):
        Picture.fromarray(np.moveaxis(pixels, 0, -1)).save(tmp_path / f"{name}.png")

    data = crl.MultimodalData({"person": TABLE, "scan": crl.Image(crl.ImageFolder(tmp_path))})

    np.testing.assert_allclose(data["scan"].measured(), PIXELS, atol=1e-3)


def test_an_image_folder_of_many_sizes_is_refused(tmp_path: Path) -> None:
    from PIL import Image as Picture

    for size in (4, 5):
        Picture.fromarray(np.zeros((size, 4), np.uint8)).save(tmp_path / f"{size}.png")
    with pytest.raises(DataError, match=r"5\.png is \(1, 5, 4\).*bring all images to one size"):
        crl.Image(crl.ImageFolder(tmp_path)).read("scan").modality()
    with pytest.raises(DataError, match=r"there is no file \*\.jpg"):
        crl.ImageFolder(tmp_path, "*.jpg")


def test_who_lacks_a_modality_has_no_cell_of_it() -> None:
    subjects = TABLE.index[5:]
    data = crl.MultimodalData(
        {"person": TABLE, "scan": crl.Image(PIXELS[5:], subjects=subjects)}, align="union"
    )

    assert data["scan"].missing == pytest.approx(5 / COUNT)
    assert data["scan"].present.tolist() == [False] * 5 + [True] * (COUNT - 5)
    cells = data["scan"].cells()
    assert (cells.values[:5] == 0).all()
    np.testing.assert_allclose(data["scan"].measured()[5:], PIXELS[5:], atol=1e-3)
    assert np.isnan(data["scan"].measured()[:5]).all()


def test_series_of_unequal_length_end_early() -> None:
    lengths = RNG.integers(2, 9, COUNT)
    lengths[0] = 8
    curves = [RNG.normal(size=(length, 2)) for length in lengths]
    times = [np.sort(RNG.uniform(0, 24, length)) for length in lengths]

    cells = only(crl.Series(curves, times=times)).cells()

    np.testing.assert_array_equal(cells.observed.all(-1).sum(1), lengths)
    start, stop = min(own[0] for own in times), max(own[-1] for own in times)
    first = 2 * (times[0] - start) / (stop - start) - 1
    np.testing.assert_allclose(cells.given[0], first, atol=1e-5)
    assert cells.given.min() == pytest.approx(-1)
    assert (cells.given.diff(dim=1) >= 0).all()


def test_new_subjects_are_taken_in_the_earlier_units() -> None:
    fitted = crl.MultimodalData({"scan": PIXELS, "curve": crl.Series(with_gaps())})
    new = fitted.like({"scan": PIXELS[:30] // 2, "curve": crl.Series(RNG.normal(size=(30, 5, 2)))})

    np.testing.assert_allclose(new["scan"].measured(), PIXELS[:30] // 2, atol=1e-3)
    assert new["curve"].shape == (7, 2)
    assert new["curve"].missing == pytest.approx(2 / 7)
    again = fitted.like(fitted.select([4, 2]))
    assert torch.equal(again.batch()["scan"].values, fitted.batch().cells["scan"].values[[4, 2]])


@pytest.mark.parametrize("source", [PIXELS, crl.Series(with_gaps(), times=np.arange(7.0) ** 2)])
def test_a_saved_fit_keeps_shape_and_units(source: Any) -> None:
    modality = only(source)
    stored = json.loads(json.dumps(modality.to_json()))

    back = modality_from_json({"name": "it", "kind": modality.kind, **stored})

    assert isinstance(back, ArrayModality)
    assert isinstance(modality, ArrayModality)
    assert (len(back), back.shape, back.channels) == (0, modality.shape, modality.channels)
    values = RNG.normal(size=(2, *back.shape))
    np.testing.assert_array_equal(back.unstandardise(values), modality.unstandardise(values))
    assert back.coordinates() == modality.coordinates()
    unmeasured, wanted = back.unmeasured(3).cells(), modality.unmeasured(3).cells()
    torch.testing.assert_close(unmeasured.values, torch.zeros_like(unmeasured.values))
    assert torch.equal(unmeasured.given, wanted.given)
    assert not back.unmeasured(3, observed=False).present.any()


def test_features_say_where_the_light_is() -> None:
    dark = np.zeros((COUNT, 1, 9, 9), np.uint8)
    across = RNG.integers(1, 8, COUNT)
    dark[np.arange(COUNT), 0, 4, across] = RNG.integers(100, 255, COUNT)

    features = only(dark).features()

    found = dict(zip(features.names, features.values.T, strict=True))
    assert np.corrcoef(found["centre to the right"], across)[0, 1] > 0.999
    assert "centre down" not in found, "a constant says nothing"


def test_features_of_series_are_means_spreads_and_slopes() -> None:
    level, slope = RNG.normal(size=(2, COUNT))
    curves = level[:, None] + slope[:, None] * np.linspace(-1, 1, 6)
    curves[0, 4:] = np.nan

    features = only(crl.Series(curves, channels="pulse")).features()

    assert features.names == ("mean of pulse", "spread of pulse", "slope of pulse")
    assert np.corrcoef(features.values[1:, 0], level[1:])[0, 1] > 0.999
    assert np.corrcoef(features.values[:, 2], slope)[0, 1] > 0.999


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (np.zeros((COUNT, 6, 5)), r"crl\.Series\(array\), images as crl\.Image\(array\)"),
        (crl.Image(np.zeros((COUNT, 6))), "images are"),
        (crl.Image(np.zeros((COUNT, 28, 28, 3))), "channels last"),
        (np.zeros((COUNT, 1, 6, 5)), "one and the same value in channel 'channel 1'"),
        (np.full((COUNT, 1, 6, 5), np.nan), "no observed value"),
        (np.full((COUNT, 1, 6, 5), np.inf), "infinite numbers"),
        (crl.Image(PIXELS, channels=["red"]), "3 channels need as many names"),
        (crl.Image(PIXELS, subjects=["p1"]), "1 subjects are named, and there are 40"),
        (crl.Image(PIXELS, subjects=["p1"] * COUNT), "duplicated subjects"),
        (crl.Image(PIXELS.astype(str)), "not real numbers"),
        (crl.Series(np.zeros(COUNT)), "series are"),
        (crl.Series(with_gaps(), times=np.arange(5)), "times are"),
        (crl.Series(with_gaps(), times=-np.arange(7)), "must rise"),
        (crl.Series(with_gaps(), times=[np.arange(6)] * 3), "times must be as many"),
        (crl.Series(with_gaps(), times=np.full(7, np.nan)), "not finite"),
    ],
)
def test_what_cannot_be_used_is_refused(source: Any, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        only(source)


def test_series_of_different_channels_are_refused() -> None:
    with pytest.raises(DataError, match="same channels"):
        crl.Series([np.zeros((3, 2)), np.zeros((3, 1))])


def test_new_subjects_of_another_shape_are_refused() -> None:
    fitted = crl.MultimodalData({"scan": PIXELS, "curve": crl.Series(with_gaps())})
    curves = crl.Series(with_gaps())
    with pytest.raises(DataError, match=r"has the shape \(3, 6, 4\) per subject, and had"):
        fitted.like({"scan": PIXELS[..., 1:], "curve": curves})
    with pytest.raises(DataError, match="was image, and is no longer"):
        fitted.like({"scan": curves, "curve": curves})
    with pytest.raises(DataError, match="lacks the channels 'green', 'blue'"):
        fitted.like({"scan": crl.Image(PIXELS[:, :1], channels=["red"]), "curve": curves})
    with pytest.raises(DataError, match=r"shape \(9, 2\) per subject"):
        fitted.like({"scan": PIXELS, "curve": crl.Series(RNG.normal(size=(COUNT, 9, 2)))})
