"""What is measured: which data, and what of it the fit sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyrocrl.errors import ConfigError, listing
from pyrocrl.simulate import MEASURED, Mixing

__all__ = ["CHECKS", "COLUMNS", "KEY", "LACKING", "Case", "Lacking", "cases"]

CHECKS = ("likelihood", "missing")
KEY = ("check", "case", "fitted", "seed", "restarts")
COLUMNS = (
    *KEY,
    *("mcc", "ceiling", "imputed_r2", "regression_r2", "coverage", "seconds", "cpu_seconds"),
    "version",
)

_FITTED = ("complete", "incomplete", "dropped")


@dataclass(frozen=True)
class Lacking:
    """Data in which 30 % of the subjects lack a modality.

    Attributes:
        number: numerical case of Sun et al. (2025).
        modality: what they lack.
        subjects: how many there are, those who lack nothing among them.
        mixing: see `pyrocrl.simulate`.
    """

    number: int
    modality: str
    subjects: int = 10_000
    mixing: Mixing = "expand"


# So many subjects leave nothing to be gained from those who lack something; so few do.
LACKING: Mapping[str, Lacking] = {
    "case 1 without m2": Lacking(1, "m2"),
    "case 1 without m1": Lacking(1, "m1"),
    "case 3 without m2": Lacking(3, "m2"),
    "500 subjects of case 3 square without m2": Lacking(3, "m2", 500, "square"),
}


@dataclass(frozen=True)
class Case:
    """One fit.

    Attributes:
        check: "likelihood" or "missing".
        case: the likelihood, or one of `LACKING`.
        fitted: what the fit sees; "complete" data, "incomplete" ones, or complete subjects alone,
            the others "dropped".
        seed: of the data and the fit.
        restarts: of the fit.
    """

    check: str
    case: str
    fitted: str
    seed: int
    restarts: int


def cases(checks: Sequence[str], seeds: Sequence[int], restarts: int = 8) -> list[Case]:
    """All that is measured, seed by seed.

    Args:
        checks: some of `CHECKS`, or single cases by name.
        seeds: of the data.
        restarts: of every fit.

    Raises:
        ConfigError: a check is unknown.

    Example:
        >>> len(cases(CHECKS, [0]))
        22
        >>> cases(["poisson"], [3])[0].fitted
        'complete'
    """
    named = [
        *(("likelihood", name, "complete") for name in MEASURED),
        *(("missing", name, what) for name in LACKING for what in _FITTED),
    ]
    unknown = [name for name in checks if not any(name in one[:2] for one in named)]
    if unknown:
        known = list(dict.fromkeys([*CHECKS, *(one[1] for one in named)]))
        raise ConfigError(f"unknown checks {listing(unknown)}; known: {listing(known, limit=30)}")
    return [
        Case(*one, seed, restarts)
        for seed in seeds
        for one in named
        if any(name in one[:2] for name in checks)
    ]
