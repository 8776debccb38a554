"""The page tells means, seeds, targets and failures, and hides no miss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from pyrocrl.benchmark import render
from pyrocrl.benchmark.summary import summarise
from pyrocrl.benchmark.targets import TARGETS, verdict

MadeUp = Callable[..., dict[str, Any]]


def row_of(page: str, start: str) -> dict[str, str]:
    """The first table row that begins so, by the table's headings."""
    lines = page.splitlines()
    number = next(n for n, line in enumerate(lines) if line.startswith(f"| {start} |"))
    head = number
    while not lines[head].startswith("| ---"):
        head -= 1
    cells = [
        [cell.strip() for cell in lines[n].strip("|").split(" | ")] for n in (head - 1, number)
    ]
    return dict(zip(*cells, strict=True))


def test_a_row_has_means_seeds_paper_and_target(frame: pd.DataFrame) -> None:
    row = row_of(render(frame), "case1-expand")

    assert row["seeds"] == "10"
    assert row["MCC"].startswith("0.995 ± 0.000")
    assert row["paper"] == "high"
    assert row["target"] == "MCC 0.99, R2 0.985, SHD 0 on every seed"
    assert row["target met"] == "yes"
    assert row["latents granted"] == "4 of 4"


def test_the_versions_that_made_a_row_are_told(frame: pd.DataFrame) -> None:
    assert row_of(render(frame), "case1-expand")["version"] == "0.1.0"
    frame.loc[(frame.setting == "case1-expand") & (frame.seed > 3), "pyrocrl"] = "0.2.0"
    assert row_of(render(frame), "case1-expand")["version"] == "0.1.0 (4), 0.2.0 (6)"


def test_a_missed_target_is_told(frame: pd.DataFrame) -> None:
    page = render(frame)

    assert row_of(page, "case1-square")["target met"] == "no: R2 0.905"
    assert row_of(page, "case1-expand-3000")["target met"] == "no: MCC 0.900"
    assert row_of(page, "counts-case1")["target met"] == "yes"
    assert row_of(page, "counts-case1")["right"] == "on 9 of 10"
    assert row_of(page, "counts-case1")["found"] == "m1:2 m2:2 (9); m1:2 m2:3 (1)"


def test_baselines_stand_beside_ours(frame: pd.DataFrame) -> None:
    page = render(frame)
    start = page.index("MCC of every method")

    row = row_of(page[start:], "case1-expand")
    assert row["cca"].startswith("0.895")
    assert row["mcl"] == "-"


def test_failures_and_what_was_not_run_are_listed(frame: pd.DataFrame) -> None:
    page = render(frame)
    methods = row_of(page[page.index("MCC of every method") :], "case1-square")

    assert methods["mcl"] == "- (0 seeds, 1 failed)"
    failed = page[page.index("## Failed") :]
    assert "| case1-square | mcl | 0 | ModelError: a pipe \\| in it |" in failed
    not_run = page[page.index("## Not run") :]
    whole = next(line for line in not_run.splitlines() if line.startswith("- all methods: "))
    assert "case3-square" in whole
    assert "case1-expand," not in whole
    missing = next(line for line in not_run.splitlines() if line.endswith(": case1-expand"))
    assert missing.startswith("- untrained, pca, cca-others")


def test_conditions_stand_on_the_page(frame: pd.DataFrame) -> None:
    page = render(frame)

    assert "a machine with 2 cores; processes at once: 2, threads of each: 1." in page
    assert "torch 2.13.0" in page
    command = "pyrocrl benchmark identification --group cases,sparsity,subjects,counts --seeds 0-9"
    assert command in page


def test_few_seeds_are_admitted(made_up: MadeUp) -> None:
    rows = [made_up("case1-expand", seed, mcc_granted=0.995) for seed in range(3)]
    assert verdict("case1-expand", summarise(pd.DataFrame(rows))) == "yes (3 of 10 seeds)"


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({"mcc_granted": 0.98}, "MCC 0.980"),
        ({"r2": 0.98}, "R2 0.980"),
        ({"r2": float("nan")}, "R2 nan"),
        ({"shd_between": 1}, "largest SHD 1"),
        ({"error": "ModelError: no"}, "1 failed"),
    ],
)
def test_one_seed_or_score_that_misses_is_enough(
    made_up: MadeUp, changes: dict[str, Any], missed: str
) -> None:
    good = {"mcc_granted": 1.0, "r2": 1.0}
    seeds = range(9) if "mcc_granted" not in changes and "r2" not in changes else ()
    rows = [made_up("case1-expand", seed, **good) for seed in seeds]
    rows.append(made_up("case1-expand", 9, **{**good, **changes}))

    said = verdict("case1-expand", summarise(pd.DataFrame(rows)))
    assert said.startswith(f"no: {missed}")


def test_inner_edges_must_beat_the_better_linear_method(made_up: MadeUp) -> None:
    def said(cca: float, others: float) -> str:
        own = [
            made_up("case1-expand-inner", s, m, mcc=mcc)
            for s in range(10)
            for m, mcc in (("pyrocrl", 0.99), ("cca", cca), ("cca-others", others))
        ]
        return verdict("case1-expand-inner", summarise(pd.DataFrame(own)))

    assert said(0.8, 0.84) == "yes"
    assert said(0.8, 0.9) == "no: MCC 0.090 above CCA"


def test_a_comparison_that_was_not_made_is_not_won(made_up: MadeUp) -> None:
    own = pd.DataFrame([made_up("case1-expand-inner", s) for s in range(10)])
    assert verdict("case1-expand-inner", summarise(own)).startswith("no: MCC nan above CCA")


def test_sparsity_compares_with_baselines_and_the_ratio_before(made_up: MadeUp) -> None:
    from pyrocrl.benchmark import METHODS

    def rows(setting: str, ours: float) -> list[dict[str, Any]]:
        return [
            made_up(setting, seed, method, mcc=ours if method == "pyrocrl" else 0.7)
            for seed in range(10)
            for method in METHODS
        ]

    rising = summarise(pd.DataFrame(rows("absent0-expand", 0.8) + rows("absent33-expand", 0.9)))
    assert verdict("absent0-expand", rising) == "yes"
    assert verdict("absent33-expand", rising) == "yes"
    falling = summarise(pd.DataFrame(rows("absent0-expand", 0.6) + rows("absent33-expand", 0.5)))
    assert verdict("absent0-expand", falling).startswith("no: below untrained")
    assert verdict("absent33-expand", falling).endswith("absent0-expand has 0.600")


def test_without_a_target_nothing_is_claimed(made_up: MadeUp) -> None:
    summary = summarise(pd.DataFrame([made_up("order1-expand", 0)]))

    assert verdict("order1-expand", summary) == "-"
    assert verdict("case1-expand-1000", summary) == "-"
    assert "order1-expand" not in TARGETS
