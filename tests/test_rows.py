"""Rows survive an interruption."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyrocrl.errors import ConfigError
from pyrocrl.rows import RowFile


def test_a_torn_line_is_dropped_and_the_latest_row_counts(tmp_path: Path):
    rows = RowFile(tmp_path / "rows.csv", ("seed", "value"), ("seed",))
    rows.add([{"seed": 1, "value": 0.5}, {"seed": 2, "value": float("nan")}])
    rows.add([{"seed": 1, "value": 0.25}])
    with open(rows.path, "a") as file:
        file.write("3,0.")
    assert rows.keys() == {("1",), ("2",)}
    frame = rows.frame().set_index("seed")
    assert frame.value[1] == 0.25
    assert frame.value.isna()[2]
    assert rows.path.read_text().splitlines() == ["seed,value", "2,", "1,0.25"]


def test_columns_that_came_later_are_empty_in_earlier_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    RowFile(path, ("seed", "value"), ("seed",)).add([{"seed": 1, "value": 0.5}])
    rows = RowFile(path, ("seed", "value", "note"), ("seed",))
    assert rows.keys() == {("1",)}
    rows.add([{"seed": 2, "value": 0.1, "note": "x"}])
    assert rows.frame().note.fillna("").tolist() == ["", "x"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "lacks seed"),
        ("seed,value\n1,2\n1,2,3\n", "no table of results"),
        ("seed,value,more\n1,2,3\n", "other columns"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        RowFile(path, ("seed", "value"), ("seed",)).frame()
    assert path.read_text() == text
