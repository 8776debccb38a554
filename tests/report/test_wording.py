"""Numbers and sentences read as a person would write them."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrocrl.report import wording
from pyrocrl.report.story import edge_rows, findings, headline, latent_stories


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.02, "0.0200"),
        (-0.9996, "\u22121.00"),
        (123.456, "123"),
        (-31.84, "\u221231.8"),
        (1e-9, "1.00e\u221209"),
        (math.nan, "\u2013"),
        (math.inf, "\u2013"),
    ],
)
def test_number(value: float, text: str) -> None:
    assert wording.number(value) == text


@given(st.floats(1e-4, 1e7))
def test_a_number_is_right_to_its_digits(value: float) -> None:
    assert float(wording.number(value).replace(",", "")) == pytest.approx(value, rel=0.006)


@given(st.floats(0, 1))
def test_a_probability_is_never_certain(value: float) -> None:
    text = wording.probability(value)
    assert text not in ("0.00", "1.00", "0", "1")
    assert abs(float(text.strip("<> ")) - value) < 0.011


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0 %"), (0.0001, "< 0.1 %"), (0.0996, "10 %"), (1.0, "100 %"), (math.nan, "\u2013")],
)
def test_percent(value: float, text: str) -> None:
    assert wording.percent(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.7, "1 min 0 s"), (3599.8, "1 h 0 min"), (math.nan, "\u2013")],
)
def test_duration(seconds: float, text: str) -> None:
    assert wording.duration(seconds) == text


def test_an_interval_without_numbers_is_empty() -> None:
    nothing = wording.number(math.nan)
    assert wording.interval(nothing, nothing) == ""


def test_strength_translates_to_variance_and_back() -> None:
    for share in (0.01, 0.3, 0.9):
        assert wording.variance_share(-0.5 * math.log1p(-share)) == pytest.approx(share)


def test_the_headline_counts(make_small: Any) -> None:
    posterior = make_small()
    p = posterior.edge_table()["probability"]
    likely, sure = (p > 0.5).sum(), (p >= 0.95).sum()
    assert headline(posterior) == (
        f"Of {len(p)} possible edges, {likely} are more probable than not; "
        f"{sure} of these have a probability of at least 0.95."
    )
    assert "none is more probable" in headline(make_small(strongest=0.1))


def test_findings_are_probable_and_say_which_way(posterior: Any) -> None:
    table = posterior.edge_table().set_index(["parent", "child"])
    told = findings(posterior, top=4)
    assert len(told) == min(4, (table["probability"] > 0.5).sum())
    for row, sentence in told:
        effect = table.loc[(row.parent, row.child), "effect"]
        assert ("higher, other" if effect > 0 else "lower, other") in sentence
        assert f"{abs(effect):.2f} standard deviations" in sentence


def test_rows_keep_the_order_of_the_table(posterior: Any) -> None:
    p = [row.p for row in edge_rows(posterior)]
    assert p == sorted(p, reverse=True)
    assert len(p) == len(posterior.edge_table())


def test_a_latent_is_told_by_its_own_columns(make_large: Any) -> None:
    posterior = make_large()
    loadings = posterior.loadings()
    for story in latent_stories(posterior):
        own = loadings[(loadings["latent"] == story.name) & loadings["own"]]
        named = {column for column, _ in story.high_with + story.low_with}
        assert named <= set(own["column"])
        strongest = own.loc[own["correlation"].abs().idxmax(), "column"]
        assert strongest in story.sentence


def test_a_latent_that_follows_nothing_is_said_to(make_small: Any) -> None:
    faint: Any = SimpleNamespace(
        sharing=None,
        nodes=make_small().nodes,
        reliability=make_small().reliability,
        loadings=lambda: make_small().loadings().assign(correlation=0.1),
    )
    assert all("no measured column" in story.sentence for story in latent_stories(faint))
