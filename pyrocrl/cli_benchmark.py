"""The command line's benchmarks: pyrocrl benchmark identification | exactness | ..."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pyrocrl.terminal import one_line_errors

# The commands import the rest themselves: --help must not wait for torch.
if TYPE_CHECKING:
    from pyrocrl.benchmark import Job, Setting

__all__ = ["benchmarks"]

benchmarks = typer.Typer(help="Measure how well known truth is recovered.", no_args_is_help=True)


_Seeds = Annotated[str, typer.Option(help="Data seeds, such as 0-9 or 3,5.")]
_Out = Annotated[Path, typer.Option(help="Folder of results.")]
_Render = Annotated[bool, typer.Option("--render", help="Run nothing; write the page.")]
_RESULTS = Path("benchmarks/results")


class Again(StrEnum):
    """Which rows of a benchmark are run though they stand there already."""

    none = "none"
    failed = "failed"
    older = "older"
    all = "all"


@benchmarks.command()
def identification(
    group: Annotated[
        list[str] | None,
        typer.Option(help="Groups of settings, commas between; all, unless told otherwise."),
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option(help="Settings of these groups; * stands for any text.")
    ] = None,
    seeds: _Seeds = "0-9",
    methods: Annotated[
        list[str] | None, typer.Option(help="Methods, commas between; all, unless told otherwise.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that work at once.")] = 1,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of each; 1 for several processes.")
    ] = None,
    again: Annotated[
        Again,
        typer.Option(
            help="Run rows that stand there: none, those that failed, fits that another version of "
            "pyrocrl made, or all."
        ),
    ] = Again.none,
    out: _Out = _RESULTS,
    show: Annotated[
        bool, typer.Option("--list", help="Only list the settings and what is left to run.")
    ] = False,
    render: Annotated[
        bool, typer.Option("--render", help="Run nothing; write table and figures.")
    ] = False,
) -> None:
    """Latents and edges found by pyrocrl and by other methods, on the same simulated data.

    Goes on where the file of results ends, then writes its table and figures.
    """
    with one_line_errors():
        import pyrocrl as crl
        from pyrocrl import benchmark

        settings = benchmark.choose_settings(group or ("all",), setting or ())
        chosen = benchmark.choose_methods(methods or ())
        numbers = benchmark.read_seeds(seeds)
        results = benchmark.Results(out / "identification.csv")
        version = crl.__version__ if again is Again.older else None
        done = results.keys(failed=again is not Again.failed, version=version)
        if again is Again.all:
            done = set()
        left = benchmark.pending(settings, numbers, chosen, done)
        if show:
            _list_settings(settings, left)
            return
        if not render:
            benchmark.run(left, results, workers=jobs, threads=threads, say=typer.echo)
        for file in benchmark.publish(results, out):
            typer.echo(f"Written: {file}")


@benchmarks.command()
def exactness(
    seeds: _Seeds = "0-4",
    out: _Out = _RESULTS,
    render: _Render = False,
) -> None:
    """Edge probabilities against a listing of all graphs, and Markov chains against exact sums.

    Goes on where exactness.csv ends, then writes exactness.md.
    """
    with one_line_errors():
        from pyrocrl import benchmark, trust

        numbers = benchmark.read_seeds(seeds)
        _written(trust.run_exactness(numbers, out, render=render, say=typer.echo))


@benchmarks.command()
def ranks(
    seeds: _Seeds = "0-249",
    out: _Out = _RESULTS,
    render: _Render = False,
) -> None:
    """Simulation-based calibration of edge rates and slopes, on data drawn from the prior.

    Goes on where ranks.csv ends, then writes ranks.md.
    """
    with one_line_errors():
        from pyrocrl import benchmark, trust

        numbers = benchmark.read_seeds(seeds)
        _written(trust.run_ranks(numbers, out, render=render, say=typer.echo))


@benchmarks.command()
def calibration(
    seeds: Annotated[str, typer.Option(help="Data sets, such as 0-199 or 3,5.")] = "0-199",
    methods: Annotated[
        list[str] | None,
        typer.Option(help="Methods, semicolons between; pyrocrl's own, unless told otherwise."),
    ] = None,
    dibs: Annotated[
        str | None, typer.Option(help="Interpreter of an environment with dibs-lib, to run DiBS.")
    ] = None,
    out: _Out = _RESULTS,
    render: _Render = False,
) -> None:
    """Edge probabilities and strengths of observed variables against simulated truth.

    Goes on where calibration.csv ends, then writes calibration.md.
    """
    with one_line_errors():
        from pyrocrl import benchmark, trust

        numbers = benchmark.read_seeds(seeds)
        chosen = trust.choose_methods(methods or (), dibs)
        _written(trust.run_calibration(numbers, chosen, out, render=render, say=typer.echo))


@benchmarks.command()
def sachs(
    data: Annotated[Path, typer.Option(help="Folder of sachs_2005.csv.gz and edges.csv.")],
    methods: Annotated[
        list[str] | None,
        typer.Option(help="Methods, semicolons between; all but other priors, otherwise."),
    ] = None,
    dibs: Annotated[
        str | None, typer.Option(help="Interpreter of an environment with dibs-lib, to run DiBS.")
    ] = None,
    out: _Out = _RESULTS,
) -> None:
    """Edge probabilities on the protein signalling data of Sachs et al. (2005).

    Goes on where sachs.csv ends, then writes sachs.md.
    """
    with one_line_errors():
        from pyrocrl import trust

        names = methods or [
            "pyrocrl",
            "pyrocrl, linear Gaussian",
            "pc",
            "ges",
            *(["dibs", "dibs+"] if dibs else []),
        ]
        _written(trust.run_sachs(data, trust.choose_methods(names, dibs), out, say=typer.echo))


@benchmarks.command()
def sharing(
    seeds: _Seeds = "0-9",
    setting: Annotated[
        list[str] | None, typer.Option(help="Settings; all, unless told otherwise.")
    ] = None,
    methods: Annotated[
        list[str] | None,
        typer.Option(help="Methods; all but the two whole fits, unless told otherwise."),
    ] = None,
    out: _Out = _RESULTS,
    render: _Render = False,
) -> None:
    """Which modalities share latents, and how near these are, against simulated truth.

    Goes on where sharing.csv ends, then writes sharing.md.
    """
    with one_line_errors():
        from pyrocrl import benchmark
        from pyrocrl.benchmark.sharing import run_sharing

        numbers = benchmark.read_seeds(seeds)
        _written(
            run_sharing(
                numbers,
                out,
                settings=setting or (),
                methods=methods or (),
                render=render,
                say=typer.echo,
            )
        )


@benchmarks.command()
def measurements(
    seeds: Annotated[str, typer.Option(help="Data seeds, such as 0-2 or 3,5.")] = "0-2",
    checks: Annotated[
        list[str] | None,
        typer.Option(help="likelihood, missing, or single cases; all, unless told otherwise."),
    ] = None,
    restarts: Annotated[int, typer.Option(min=1, help="Restarts of every fit.")] = 8,
    out: _Out = _RESULTS,
    render: _Render = False,
) -> None:
    """Latents behind every likelihood, and behind modalities that subjects lack.

    Goes on where measurements.csv ends, then writes measurements.md.
    """
    with one_line_errors():
        from pyrocrl import benchmark, measured

        numbers = benchmark.read_seeds(seeds)
        cases = measured.cases(checks or measured.CHECKS, numbers, restarts)
        _written(measured.run_measurements(cases, out, render=render, say=typer.echo))


@benchmarks.command()
def variant_mnist(
    data: Annotated[Path, typer.Option(help="Folder of mnist/ and fashion_mnist/, IDX files.")],
    setting: Annotated[
        list[str] | None,
        typer.Option(help="paper, granted, rotation, identity or paper-COLOUR; the first two."),
    ] = None,
    seeds: Annotated[str, typer.Option(help="Data seeds, such as 0-4 or 3,5.")] = "0-4",
    methods: Annotated[
        list[str] | None, typer.Option(help="Methods, commas between; all, unless told otherwise.")
    ] = None,
    out: _Out = _RESULTS,
    render: _Render = False,
) -> None:
    """Latents of images of digits and garments, and edges between them, against known truth.

    Goes on where variant_mnist.csv ends, then writes variant_mnist.md.
    """
    with one_line_errors():
        from pyrocrl import benchmark

        page = benchmark.run_variant_mnist(
            data,
            _split(setting) or ["paper", "granted"],
            benchmark.read_seeds(seeds),
            _split(methods) or benchmark.IMAGE_METHODS,
            out,
            render=render,
            say=typer.echo,
        )
        _written(page)


def _split(texts: Sequence[str] | None) -> list[str]:
    return [word.strip() for text in texts or () for word in text.split(",")]


def _written(page: Path | None) -> None:
    if page is not None:
        typer.echo(f"Written: {page}")


def _list_settings(settings: Sequence[Setting], left: Sequence[Job]) -> None:
    rows = Counter[str]()
    for job in left:
        rows[job.setting.name] += len(job.methods)
    for setting in settings:
        about = ", ".join(f"{name}={value}" for name, value in setting.keywords.items())
        typer.echo(f"{setting.name}: {rows[setting.name]} rows left. {setting.generator}({about})")
    typer.echo(f"{len(settings)} settings, {rows.total()} rows left")
