"""Every program of models/ and guides/ runs as a newcomer would run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAMS = sorted([*ROOT.glob("models/*.py"), *ROOT.glob("guides/*.py")])
SAYS = {
    "multimodal_biomedical": r"outcome\.progression +[01]\.\d",
    "hierarchical_edge_prior": r"genes -> proteins +edge +\d+ +[01]\.\d+ +[01]\.\d",
    "expert_prior": r"habits.diet +blood.glucose +True( +[01]\.\d+){4}",
    "horseshoe_prior": r"horseshoe( +[01]\.\d+){5}",
    "custom_mechanism": r"DoseResponse +-?\d+\.\d+ +[01]\.\d",
    "custom_likelihood": r"spoilt +[01]\.\d+",
    "counts": r"negative binomial +[01]\.\d+ +-?[01]\.\d+",
    "correlated_guide": r"CorrelatedGuide: MCC [01]\.\d+, held-out ELBO -?\d",
    "human_phenotype": r"activity\.z1 +[01]\.\d",
    "variant_mnist": r"Latents found, mean correlation: [01]\.\d+",
    "amortized_guide": r"GuideWrittenOut: MCC [01]\.\d+, held-out ELBO -?\d",
}


def run(program: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error::UserWarning", str(program), "--quick"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_the_gallery_has_its_first_programs():
    assert {program.stem for program in PROGRAMS} >= SAYS.keys()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_program_runs_and_prints_a_result(program, tmp_path):
    done = run(program, tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(SAYS.get(program.stem, r"\d"), done.stdout), done.stdout
    assert "nan" not in done.stdout.lower().split()
    assert not any(tmp_path.iterdir()), "a program of the gallery writes no files"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_program_tells_what_it_is_and_stands_on_the_public_face(program):
    text = program.read_text(encoding="utf-8")
    for heading in ("System", "Equations", "Assumptions", "What to change", "Run"):
        assert re.search(rf"^{heading}\b", text, re.MULTILINE), heading
    imported = re.findall(r"^\s*(?:import|from) (pyrocrl[\w.]*)", text, re.MULTILINE)
    assert imported == ["pyrocrl"]
