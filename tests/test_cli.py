"""The command line does the whole way, and says in one line what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner, Result

import pyrocrl as crl
from pyrocrl.cli import app
from pyrocrl.datasets import NHANES_FILE

TINY = ["--max-epochs", "1", "--restarts", "1"]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def assert_one_line_error(result: Result, *words: str) -> None:
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("Error:")
    for word in words:
        assert word in line


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    result = run("simulate", "--case", "1", "--seed", "3", "--subjects", "200", "--out", folder)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def fitted(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("fitted")
    return out, run("fit", simulated / "fit.yaml", "--out", out, "--seed", "0", *TINY)


def test_help_and_version_need_no_fit() -> None:
    assert run("--version").stdout.startswith("pyrocrl ")
    for command in ("demo", "fit", "report", "simulate"):
        assert command in run("--help").stdout
        assert run(command, "--help").exit_code == 0


def test_simulate_writes_the_measurements_and_the_truth(simulated: Path) -> None:
    data, truth = crl.simulate.numerical_case(1, seed=3, n_subjects=200)

    for name in data.names:
        table = pd.read_csv(simulated / f"{name}.csv", index_col="subject")
        np.testing.assert_allclose(table, data.frame(name), rtol=1e-5, atol=1e-6)
    adjacency = pd.read_csv(simulated / "true_adjacency.csv", index_col="child")
    assert list(adjacency.index) == list(adjacency.columns) == list(truth.latents.columns)
    np.testing.assert_array_equal(adjacency, truth.adjacency)
    latents = pd.read_csv(simulated / "true_latents.csv", index_col="subject")
    np.testing.assert_allclose(latents, truth.latents)


def test_simulated_run_is_complete(simulated: Path) -> None:
    run_file = yaml.safe_load((simulated / "fit.yaml").read_text())

    assert run_file["latents"] == {"m1": 2, "m2": 2}
    assert run_file["noise"] == {"m1": 1, "m2": 1}


def test_fit_writes_everything_into_one_folder(fitted: tuple[Path, Result]) -> None:
    out, result = fitted

    assert result.exit_code == 0, result.output
    assert "<html" in (out / "report.html").read_text()
    assert {"parent", "child", "probability"} <= set(pd.read_csv(out / "edges.csv").columns)
    assert (out / "graph.graphml").is_file()
    assert crl.load(out / "fit").nodes.names == ("m1.z1", "m1.z2", "m2.z1", "m2.z2")


def test_fit_ends_with_the_edges_and_the_report(fitted: tuple[Path, Result]) -> None:
    out, result = fitted

    assert "The most probable edges" in result.stdout
    assert "m1.z1" in result.stdout
    assert f"Report: {out / 'report.html'}" in result.stdout


def test_fit_without_out_follows_the_file(simulated: Path) -> None:
    result = run("fit", simulated / "fit.yaml", "--quiet", *TINY)

    assert result.exit_code == 0, result.output
    assert (simulated / "report.html").is_file()
    assert "The most probable edges" not in result.stdout


def test_report_of_a_saved_fit(fitted: tuple[Path, Result], tmp_path: Path) -> None:
    out, _ = fitted
    result = run("report", out / "fit", "--out", tmp_path / "again" / "report.html")

    assert result.exit_code == 0, result.output
    assert "<html" in (tmp_path / "again" / "report.html").read_text()


def test_demo_writes_a_report_on_real_data(tmp_path: Path) -> None:
    result = run("demo", "--out", tmp_path / "report.html", "--seed", "1", *TINY)

    assert result.exit_code == 0, result.output
    assert "442 diabetes patients" in result.stdout
    assert "serum.z1" in (tmp_path / "report.html").read_text()


def test_errors_are_one_line_without_traceback(tmp_path: Path) -> None:
    assert_one_line_error(run("demo", "--data", tmp_path / "nowhere"), "no folder")
    assert_one_line_error(run("demo", "--data", tmp_path), NHANES_FILE)
    assert_one_line_error(run("demo", "--out", tmp_path), str(tmp_path), "is a folder")
    assert_one_line_error(run("fit", tmp_path / "absent.yaml"), "absent.yaml")
    assert_one_line_error(run("report", tmp_path / "absent"), "absent")
    assert_one_line_error(run("simulate", "--case", "4", "--out", tmp_path), "case")
    file = tmp_path / "file"
    file.touch()
    assert_one_line_error(run("simulate", "--subjects", "50", "--out", file / "x"), str(file))


def test_mistakes_in_a_run_are_named(simulated: Path, tmp_path: Path) -> None:
    mistaken = simulated / "mistaken.yaml"
    mistaken.write_text((simulated / "fit.yaml").read_text() + "latent: 3\n")

    assert_one_line_error(run("fit", mistaken, "--out", tmp_path), "latent", "latents")


def test_markup_in_names_is_shown_as_it_is(tmp_path: Path) -> None:
    assert_one_line_error(run("fit", tmp_path / "[red]run.yaml"), "[red]run.yaml")


def test_interrupt_is_polite(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pyrocrl.fit", interrupted)
    result = run("demo", "--out", tmp_path / "report.html", *TINY)

    assert result.exit_code == 130
    assert "Stopped" in result.stderr
    assert "Traceback" not in result.output
