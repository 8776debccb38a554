"""Rows survive an interruption."""

from __future__ import annotations

from pathlib import Path

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
