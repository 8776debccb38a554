"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = [
    "count",
    "duration",
    "gap",
    "interval",
    "join",
    "number",
    "percent",
    "probability",
    "signed",
    "variance_share",
]

_NOTHING = "\u2013"
_MINUS = "\u2212"


def number(value: float, digits: int = 3) -> str:
    """A number to a few significant digits, with a real minus sign; a dash where there is none.

    >>> number(0.012345), number(1234.5)
    ('0.0123', '1,234')
    """
    if not math.isfinite(value):
        return _NOTHING
    if value == 0:
        return "0"
    # Rounding first settles the magnitude: 0.9996 has as many decimals as 1.
    value = float(f"{value:.{digits - 1}e}") if abs(value) < 10**digits else float(round(value))
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -5:
        return f"{value:.{digits - 1}e}".replace("-", _MINUS)
    decimals = max(0, digits - 1 - magnitude)
    return f"{value:,.{decimals}f}".replace("-", _MINUS)


def signed(value: float, decimals: int = 2) -> str:
    """A number with its sign and a fixed number of decimals.

    >>> signed(0.256), signed(-0.0001)
    ('+0.26', '0.00')
    """
    if not math.isfinite(value):
        return _NOTHING
    text = f"{value:+.{decimals}f}"
    return text[1:] if float(text) == 0 else text.replace("-", _MINUS)


def interval(low: str, high: str) -> str:
    """Two ends as text; nothing where there is no number.

    >>> interval(number(0.1), number(0.3))
    '0.100 to 0.300'
    """
    return "" if _NOTHING in (low, high) else f"{low} to {high}"


def probability(value: float) -> str:
    """A probability to two decimals that never claims certainty.

    >>> probability(0.5), probability(0.9996), probability(0.001)
    ('0.50', '> 0.99', '< 0.01')
    """
    if not math.isfinite(value):
        return _NOTHING
    if value >= 0.995:
        return "> 0.99"
    return "< 0.01" if value < 0.005 else f"{value:.2f}"


def gap(difference: float, error: float) -> str:
    """A difference and its standard error.

    >>> gap(0.061, 0.021)
    '+0.06 ± 0.02'
    """
    text = signed(difference)
    return f"{text} ± {error:.2f}" if math.isfinite(error) else text


def percent(share: float) -> str:
    """A share between 0 and 1 as a percentage.

    >>> percent(0.039), percent(0.42), percent(0.0002), percent(0)
    ('3.9 %', '42 %', '< 0.1 %', '0 %')
    """
    if not math.isfinite(share):
        return _NOTHING
    value = 100 * share
    if value == 0:
        return "0 %"
    if value < 0.1:
        return "< 0.1 %"
    return f"{value:.1f} %" if value < 9.95 else f"{value:.0f} %"


def count(value: int) -> str:
    """A whole number with its thousands marked.

    >>> count(10000)
    '10,000'
    """
    return f"{value:,}"


def join(words: Sequence[str]) -> str:
    """Words in a row as a sentence has them.

    >>> join(["bmi", "waist", "weight"])
    'bmi, waist and weight'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def duration(seconds: float) -> str:
    """A time span in seconds, minutes or hours.

    >>> duration(3.21), duration(75), duration(7300)
    ('3.2 s', '1 min 15 s', '2 h 1 min')
    """
    if not math.isfinite(seconds):
        return _NOTHING
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def variance_share(nats: float) -> float:
    """The share of remaining variance that a Gaussian cause of this strength would explain.

    A cause that brings ``s`` nats per subject explains ``1 - exp(-2 s)`` of the variance that the
    other causes leave, were the relation linear with Gaussian noise.

    Args:
        nats: strength in nats per subject.

    Returns:
        A share between 0 and 1.

    >>> round(variance_share(0.02), 3)
    0.039
    """
    return -math.expm1(-2 * nats)
