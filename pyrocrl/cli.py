"""The command line: pyrocrl demo | fit | report | simulate | benchmark."""

from __future__ import annotations

import os
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pyrocrl.cli_benchmark import benchmarks
from pyrocrl.errors import ConfigError
from pyrocrl.terminal import one_line_errors

# The commands import the rest themselves: --help must not wait for torch.
if TYPE_CHECKING:
    from pyrocrl.config import Output
    from pyrocrl.data import MultimodalData
    from pyrocrl.posterior import Posterior
    from pyrocrl.simulate import Truth

__all__ = ["app", "main"]

_EDGES_SHOWN = 12

app = typer.Typer(
    name="pyrocrl",
    help="Hidden causes behind several kinds of measurements, and how probable every edge is.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


app.add_typer(benchmarks, name="benchmark")


class Mixing(StrEnum):
    """How latents become measurements, see `simulate.numerical_case`."""

    expand = "expand"
    square = "square"


Seed = Annotated[int | None, typer.Option(min=0, help="Decides everything that is random.")]
Restarts = Annotated[
    int | None, typer.Option(min=1, help="Searches from different starts, at once.")
]
MaxEpochs = Annotated[int | None, typer.Option(min=1, help="Most passes over the data.")]
Device = Annotated[str | None, typer.Option(help="Where to fit: cpu, cuda, cuda:1.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars, no table.")]


def main() -> None:
    """Run the command line (the console script `pyrocrl`)."""
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        import pyrocrl as crl

        typer.echo(f"pyrocrl {crl.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the NHANES file; without it: 442 diabetes patients."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The report to write.")] = Path("report.html"),
    seed: Seed = None,
    restarts: Restarts = None,
    max_epochs: MaxEpochs = None,
    device: Device = None,
    quiet: Quiet = False,
) -> None:
    """Fit real measurements and write a report."""
    with one_line_errors():
        from pyrocrl import datasets
        from pyrocrl.config import Output

        output = Output(report=out)
        _prepare(output)
        example = datasets.diabetes() if data is None else datasets.nhanes(data)
        if not quiet:
            typer.echo(f"{example.name}. {example.description}")
        overrides = _given(seed=seed, restarts=restarts, max_epochs=max_epochs, device=device)
        _fit_and_write(example.data, example.fit_arguments | overrides, output, quiet)


@app.command()
def fit(
    config: Annotated[Path, typer.Argument(help="The run: a .yaml or .toml file.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for report, saved fit, CSV and GraphML; overrides `output`."),
    ] = None,
    seed: Seed = None,
    restarts: Restarts = None,
    max_epochs: MaxEpochs = None,
    device: Device = None,
    quiet: Quiet = False,
) -> None:
    """Fit the measurements that a configuration file names."""
    with one_line_errors():
        from pyrocrl.config import Output, read_config

        run = read_config(config)
        output = run.output if out is None else Output.all_in(out)
        _prepare(output)
        overrides = _given(seed=seed, restarts=restarts, max_epochs=max_epochs, device=device)
        _fit_and_write(run.load_data(), {**run.settings, **overrides}, output, quiet)


@app.command()
def report(
    fit_dir: Annotated[Path, typer.Argument(help="Folder of a saved fit.")],
    out: Annotated[Path, typer.Option(help="The report to write.")] = Path("report.html"),
) -> None:
    """Write the report of a saved fit."""
    with one_line_errors():
        import pyrocrl as crl
        from pyrocrl.config import Output

        output = Output(report=out)
        _prepare(output)
        _write(crl.load(fit_dir), output)


@app.command()
def simulate(
    case: Annotated[int, typer.Option(help="Numerical case of Sun et al. (2025): 1, 2 or 3.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Decides everything that is random.")] = 0,
    subjects: Annotated[int, typer.Option(min=1, help="Number of subjects.")] = 10_000,
    mixing: Annotated[
        Mixing, typer.Option(help="expand: nearly linear; square: far from linear.")
    ] = Mixing.expand,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("simulated"),
) -> None:
    """Write simulated measurements, the truth behind them, and a run that `pyrocrl fit` accepts."""
    with one_line_errors():
        from pyrocrl.simulate import numerical_case

        data, truth = numerical_case(case, seed=seed, n_subjects=subjects, mixing=mixing.value)
        out.mkdir(parents=True, exist_ok=True)
        _write_simulation(data, truth, out)
        typer.echo(f"Measurements, truth and run: {out}")
        typer.echo(f"Fit them: pyrocrl fit {out / 'fit.yaml'}")


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _prepare(output: Output) -> None:
    """Whatever keeps us from writing should be found before a long fit, not after it."""
    from pyrocrl.report.export import output_path

    for file in (output.report, output.csv, output.graphml):
        if file is not None and not os.access(output_path(file).parent, os.W_OK):
            raise ConfigError(f"{file.parent} may not be written to; name another place")
    if output.save is not None:
        output.save.mkdir(parents=True, exist_ok=True)


def _fit_and_write(
    data: MultimodalData, settings: dict[str, Any], output: Output, quiet: bool
) -> None:
    import pyrocrl as crl

    start = time.monotonic()
    posterior = crl.fit(data, progress=not quiet, **settings)
    if not quiet:
        typer.echo(f"Fitted {len(data):,} subjects in {time.monotonic() - start:.0f} s.")
        _print_edges(posterior)
    _write(posterior, output)


def _write(posterior: Posterior, output: Output) -> None:
    from pyrocrl.report import to_csv, to_graphml

    for path, write, what in (
        (output.report, posterior.report, "Report"),
        (output.save, posterior.save, "Saved fit"),
        (output.csv, lambda file: to_csv(posterior, file), "Edge table"),
        (output.graphml, lambda file: to_graphml(posterior, file), "Graph"),
    ):
        if path is not None:
            write(path)
            typer.echo(f"{what}: {path}")


def _print_edges(posterior: Posterior) -> None:
    from pyrocrl.report.wording import number, probability, signed

    console = Console(highlight=False)
    table = Table(title="The most probable edges", title_justify="left")
    for heading in ("cause", "effect"):
        table.add_column(heading, overflow="fold")
    for heading in ("probability", "strength", "slope"):
        table.add_column(heading, justify="right")
    for _, edge in posterior.edge_table().head(_EDGES_SHOWN).iterrows():
        table.add_row(
            escape(str(edge["parent"])),
            escape(str(edge["child"])),
            probability(edge["probability"]),
            number(edge["strength"]),
            signed(edge["effect"]),
        )
    console.print(table)
    console.print("strength: nats per subject; slope: sd of the effect per sd of the cause")
    for warning in posterior.warnings:
        console.print(f"[yellow]Warning:[/] {escape(warning)}")


def _write_simulation(data: MultimodalData, truth: Truth, folder: Path) -> None:
    import yaml

    modalities, latents, noise = {}, {}, {}
    for name in data.names:
        data.frame(name).to_csv(folder / f"{name}.csv", index_label="subject")
        modalities[name] = {"file": f"{name}.csv", "index": "subject"}
        latents[name] = sum(column.startswith(f"{name}.") for column in truth.latents.columns)
        noise[name] = sum(column.startswith(f"{name}.") for column in truth.noise.columns)
    truth.latents.to_csv(folder / "true_latents.csv", index_label="subject")
    truth.noise.to_csv(folder / "true_noise.csv", index_label="subject")
    truth.adjacency.to_csv(folder / "true_adjacency.csv", index_label="child")
    run = {
        "modalities": modalities,
        "latents": latents,
        "noise": noise,
        "edge_prior": {"kind": "spike_and_slab", "probability": 0.1},
        "output": {"report": "report.html", "save": "fit", "csv": "edges.csv"},
    }
    (folder / "fit.yaml").write_text(yaml.safe_dump(run, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()
