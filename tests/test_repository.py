"""What a newcomer finds in the repository agrees with itself."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

import pyrocrl as crl

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project() -> dict[str, object]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert isinstance(project, dict)
    return project


def test_one_version_everywhere(project: dict[str, object]) -> None:
    assert crl.__version__ == project["version"]
    assert f"## [{crl.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_readme_commands_are_make_targets() -> None:
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))

    assert {"demo", "test", "lint", "benchmark", "clean"} <= targets
    named = set(re.findall(r"^ *make ([a-z]+)", readme, flags=re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_ci_runs_the_tests() -> None:
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111
    assert "make test" in script.read_text()


def test_license_is_the_whole_apache_text(project: dict[str, object]) -> None:
    text = (ROOT / "LICENSE").read_text()

    assert project["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_all_brings_every_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    (everything,) = extras["all"]
    named = re.fullmatch(r"pyrocrl\[(.*)\]", everything)

    assert named is not None
    assert set(named.group(1).split(",")) == set(extras) - {"all"}


def test_readme_names_only_files_that_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\((?!https?:)([^)#]+)", readme)

    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_generated_files_are_ignored() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()

    assert {".venv/", "/report.html", "__pycache__/"} <= set(ignored)


@pytest.mark.parametrize(
    "notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem
)
def test_notebooks_show_results_and_no_warnings(notebook: Path) -> None:
    cells = [c for c in json.loads(notebook.read_text())["cells"] if c["cell_type"] == "code"]
    outputs = [output for cell in cells for output in cell["outputs"]]

    assert all(cell["execution_count"] for cell in cells), "run it from top to bottom"
    assert not [o for o in outputs if o["output_type"] == "error"]
    text = json.dumps([o for o in outputs if o["output_type"] == "stream"])
    assert "Warning" not in text
    assert "site-packages" not in text
