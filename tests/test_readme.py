"""The Python blocks of the README run as they stand, one after the other."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import pytest

README = Path(__file__).parents[1] / "README.md"


def python_blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", README.read_text(), flags=re.MULTILINE | re.DOTALL)


def test_readme_has_the_short_example() -> None:
    first = python_blocks()[0]

    assert "crl.fit(" in first
    assert len([line for line in first.splitlines() if line.strip()]) <= 15


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_python_blocks_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mpl.use("agg")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in python_blocks():
        exec(compile(block, "README.md", "exec"), names)

    assert (tmp_path / "report.html").is_file()
