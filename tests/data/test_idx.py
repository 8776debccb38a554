"""IDX files are read as they were written, and refused by name where they cannot be."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pyrocrl.data.idx import read_idx, read_labelled_images
from pyrocrl.errors import DataError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(values: np.ndarray) -> bytes:
    code = CODES[values.dtype.str[1:]]
    header = struct.pack(f">BBBB{values.ndim}i", 0, 0, code, values.ndim, *values.shape)
    return header + values.astype(values.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    images = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    labels = np.array([2, 0, 1], dtype=np.uint8)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(images)))
    (tmp_path / "train-labels.idx1-ubyte").write_bytes(idx_bytes(labels))
    return tmp_path


@given(
    values=st.sampled_from(sorted(CODES)).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0))
    )
)
def test_what_is_written_is_read(values: np.ndarray, tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("idx") / "values.gz"
    path.write_bytes(gzip.compress(idx_bytes(values)))

    read = read_idx(path)

    assert read.dtype == values.dtype
    np.testing.assert_array_equal(read, values)


def test_a_folder_may_mix_packed_and_plain_files(folder: Path) -> None:
    found = read_labelled_images(folder)

    assert found.images.shape == (3, 4, 5)
    assert found.images[1, 0].tolist() == [20, 21, 22, 23, 24]
    assert found.labels.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "no IDX file"),
        (b"\x89PNG\r\n", "no IDX file"),
        (bytes([0, 0, 7, 1, 0, 0, 0, 0]), "no IDX file"),
        (bytes([0, 0, 8, 1, 0, 0]), "damaged"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 4, 1, 2]), "takes 12 bytes, and the file has 10"),
        (bytes([0, 0, 8, 1, 255, 255, 255, 255]), "damaged"),
    ],
)
def test_what_is_no_idx_file_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "values"
    path.write_bytes(content)

    with pytest.raises(DataError, match=complaint):
        read_idx(path)


@pytest.mark.parametrize(
    "content", [b"not gzip", gzip.compress(bytes(100), mtime=0)[:-9]], ids=["text", "cut short"]
)
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "values.gz"
    path.write_bytes(content)

    with pytest.raises(DataError, match=r"values\.gz cannot be read"):
        read_idx(path)


def test_what_is_absent_is_named(folder: Path) -> None:
    with pytest.raises(DataError, match="does not hold t10k-images-idx3-ubyte"):
        read_labelled_images(folder, "test")
    with pytest.raises(DataError, match="there is no folder"):
        read_labelled_images(folder / "nowhere")
    with pytest.raises(DataError, match="part must be one of 'train', 'test', not 'all'"):
        read_labelled_images(folder, "all")


def test_images_and_labels_go_together(folder: Path) -> None:
    (folder / "train-labels.idx1-ubyte").write_bytes(idx_bytes(np.zeros(2, np.uint8)))
    with pytest.raises(DataError, match="3 images but 2 labels"):
        read_labelled_images(folder)
    (folder / "train-labels.idx1-ubyte").write_bytes(idx_bytes(np.zeros((3, 2), np.uint8)))
    with pytest.raises(DataError, match="labels"):
        read_labelled_images(folder)
