"""What a posterior says, in sentences and rows that a report prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pyrocrl.errors import plural
from pyrocrl.report.style import shorten
from pyrocrl.report.tables import rows
from pyrocrl.report.wording import (
    interval,
    join,
    number,
    percent,
    probability,
    signed,
    variance_share,
)

if TYPE_CHECKING:
    from pyrocrl.posterior import Posterior

__all__ = [
    "EdgeRow",
    "LatentStory",
    "edge_rows",
    "findings",
    "headline",
    "latent_stories",
    "sharing_of",
]

_TELLING = 0.3  # correlations nearer to zero than this are not put into words


@dataclass(frozen=True)
class EdgeRow:
    """A row of the edge table, its numbers as text; ``p`` is the probability itself."""

    parent: str
    child: str
    p: float
    probability: str
    strength: str
    strength_interval: str
    variance: str
    effect: str
    effect_interval: str
    direction: str
    variational: str


@dataclass(frozen=True)
class LatentStory:
    """What a latent follows.

    Attributes:
        high_with: its own columns that rise with it, with their correlations, strongest first.
        low_with: those that fall as it rises.
        elsewhere: columns of other modalities that it goes along with.
        seen_by: of a latent that several modalities share, who they are and how sure that is.
        reliability: share of its variance that the measurements determine, 0 to 1; NaN if unknown.
    """

    name: str
    modality: str
    sentence: str
    high_with: tuple[tuple[str, str], ...]
    low_with: tuple[tuple[str, str], ...]
    elsewhere: tuple[tuple[str, str], ...]
    reliability: float
    reliability_text: str
    seen_by: str = ""


def edge_rows(posterior: Posterior) -> list[EdgeRow]:
    """The edge table as text, most probable edges first."""
    return [
        EdgeRow(
            parent=str(row.parent),
            child=str(row.child),
            p=float(np.clip(row.probability, 0, 1)),
            probability=probability(float(row.probability)),
            strength=number(row.strength, 2),
            strength_interval=interval(number(row.hdi_low, 2), number(row.hdi_high, 2)),
            variance=percent(variance_share(row.strength)),
            effect=signed(row.effect),
            effect_interval=interval(signed(row.effect_low), signed(row.effect_high)),
            direction=str(row.direction),
            variational=probability(float(row.variational)),
        )
        for row in rows(posterior.edge_table())
    ]


def headline(posterior: Posterior) -> str:
    """How many edges there are, in a sentence."""
    p = posterior.edge_table()["probability"]
    considered = plural(len(p), "possible edge")
    likely, sure = int((p > 0.5).sum()), int((p >= 0.95).sum())
    if not likely:
        return f"Of {considered}, none is more probable than not."
    if likely == 1:
        p_of_one = probability(float(p.max()))
        return f"Of {considered}, one is more probable than not (probability {p_of_one})."
    of_these = "all" if sure == likely else str(sure) if sure else "none"
    have = "has" if sure == 1 else "have"
    return (
        f"Of {considered}, {likely} are more probable than not; "
        f"{of_these} of these {have} a probability of at least 0.95."
    )


def findings(posterior: Posterior, top: int = 6) -> list[tuple[EdgeRow, str]]:
    """The most probable edges, each with what it says in words.

    Args:
        posterior: what to read.
        top: how many edges at most; only those more probable than not count.
    """
    meaning = {story.name: story for story in latent_stories(posterior)}
    table = posterior.edge_table()
    told: list[tuple[EdgeRow, str]] = []
    for row, values in zip(edge_rows(posterior), rows(table), strict=True):
        if row.p <= 0.5 or len(told) == top:
            break
        cause, effect = (_named(name, meaning) for name in (row.parent, row.child))
        share = f"as strong as one that explains {row.variance} of the variance"
        if not np.isfinite(values.effect):
            told.append(
                (row, f"The influence of {cause} on {effect} is {share} that other causes leave.")
            )
            continue
        way = "higher" if values.effect > 0 else "lower"
        told.append(
            (
                row,
                f"With {cause} one standard deviation higher, {effect} is on average "
                f"{abs(values.effect):.2f} standard deviations {way}, other causes held "
                f"equal. The influence is {share} that other causes leave.",
            )
        )
    return told


def _named(name: str, meaning: dict[str, LatentStory]) -> str:
    """A node, and for a latent the columns that it follows."""
    if name not in meaning:
        return name
    story = meaning[name]
    along = [column for column, _ in story.high_with[:2]]
    against = [f"low {column}" for column, _ in story.low_with[: 2 - len(along)]]
    return f"{name} ({join(along + against)})" if along or against else name


def latent_stories(posterior: Posterior, most: int = 5) -> list[LatentStory]:
    """What each latent follows, from its correlations with the measured columns.

    Args:
        posterior: what to read.
        most: how many columns to name at most.
    """
    loadings = posterior.loadings().dropna(subset=["correlation"])
    strongest = loadings["correlation"].abs().sort_values(ascending=False, kind="stable").index
    loadings = loadings.reindex(strongest)
    loadings = loadings[loadings["correlation"].abs() >= _TELLING]
    reliability = posterior.reliability()
    nodes = posterior.nodes
    stories = []
    for name, group, latent in zip(nodes.names, nodes.groups, nodes.is_latent, strict=True):
        if not latent:
            continue
        mine = loadings[loadings["latent"] == name]
        own = mine[mine["own"].astype(bool)].head(most)
        other = mine[~mine["own"].astype(bool)].head(3)
        members, shared = sharing_of(posterior, name)
        if shared:
            own = own.assign(column=own["modality"] + "." + own["column"])
        high = _pairs(own[own["correlation"] > 0])
        low = _pairs(own[own["correlation"] < 0])
        share = float(reliability.get(name, np.nan))
        stories.append(
            LatentStory(
                name=name,
                modality=group,
                sentence=_sentence([c for c, _ in high], [c for c, _ in low]),
                high_with=high,
                low_with=low,
                elsewhere=tuple(
                    (f"{row.modality}.{row.column}", signed(row.correlation)) for row in rows(other)
                ),
                reliability=share,
                reliability_text=percent(share),
                seen_by=f"{members}, with probability {shared}" if shared else "",
            )
        )
    return stories


def sharing_of(posterior: Posterior, latent: str) -> tuple[str, str]:
    """Which modalities share a latent, and how probably; both empty for one that is not shared.

    Args:
        posterior: what to read.
        latent: its name.
    """
    if posterior.sharing is None or latent not in posterior.sharing.index:
        return "", ""
    group = posterior.nodes.groups[posterior.nodes.names.index(latent)]
    members = list(posterior.template[group].seen_by)
    return join(members), probability(float(posterior.sharing.loc[latent, members].min()))


def _pairs(table: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    return tuple((str(row.column), signed(row.correlation)) for row in rows(table))


def _sentence(high: list[str], low: list[str]) -> str:
    high, low = ([shorten(column, 40) for column in columns[:3]] for columns in (high, low))
    if high and low:
        return f"High where {join(high)} {_are(high)} high and {join(low)} {_are(low)} low."
    if high:
        return f"High where {join(high)} {_are(high)} high."
    if low:
        return f"High where {join(low)} {_are(low)} low."
    return f"Follows no measured column closely (no correlation reaches {_TELLING})."


def _are(columns: list[str]) -> str:
    return "is" if len(columns) == 1 else "are"
