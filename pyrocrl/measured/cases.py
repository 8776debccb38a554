"""What is measured: which data, and what of it the fit sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyrocrl.errors import ConfigError, listing
from pyrocrl.simulate import MEASURED

__all__ = ["CHECKS", "COLUMNS", "KEY", "Case", "cases"]

CHECKS = ("likelihood", "missing")
KEY = ("check", "case", "fitted", "seed", "restarts")
COLUMNS = (
    *KEY,
    *("mcc", "ceiling", "imputed_r2", "regression_r2", "coverage", "seconds", "cpu_seconds"),
    "version",
)

# Case of Sun et al. (2025), and the modality that 30 % of the subjects lack.
_LACKED = ((1, "m2"), (1, "m1"), (3, "m2"))
_FITTED = ("complete", "incomplete", "dropped")


@dataclass(frozen=True)
class Case:
    """One fit.

    Attributes:
        check: "likelihood" or "missing".
        case: the likelihood, or the numerical case and the modality that is lacked.
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
        19
        >>> cases(["poisson"], [3])[0].fitted
        'complete'
    """
    named = [
        *(("likelihood", name, "complete") for name in MEASURED),
        *(("missing", f"case {n} without {m}", what) for n, m in _LACKED for what in _FITTED),
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
