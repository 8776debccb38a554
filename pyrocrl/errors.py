"""The errors that pyrocrl raises: each message names the culprit and says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

__all__ = [
    "ConfigError",
    "DataError",
    "KnowledgeError",
    "ModelError",
    "PriorError",
    "PriorWarning",
    "PyrocrlError",
    "SavedFitError",
    "listing",
    "plural",
]


class PyrocrlError(ValueError):
    """Something that pyrocrl was given cannot be used; the base of all its errors.

    >>> issubclass(DataError, PyrocrlError) and issubclass(PyrocrlError, ValueError)
    True
    """


class DataError(PyrocrlError):
    """The measurements, or their subjects, cannot be used as they are."""


class PriorError(PyrocrlError):
    """A prior is not a distribution over what it should be."""


class KnowledgeError(PyrocrlError):
    """Background knowledge contradicts itself, the order or the data."""


class ModelError(PyrocrlError):
    """The model, its guide or the settings of a fit do not go together."""


class ConfigError(PyrocrlError):
    """A configuration file cannot be read or says something unknown."""


class SavedFitError(PyrocrlError):
    """A saved fit is absent, damaged or of another version."""


class PriorWarning(UserWarning):
    """An answer about another prior that a new fit would give differently."""


def listing(items: Iterable[object], limit: int = 5) -> str:
    """The first few items in quotes, and how many more there are.

    Args:
        items: what to list; anything that is not a string is shown as Python would.
        limit: the most items to write out.

    Returns:
        Text for an error message.

    >>> listing(["age", "sex", 3], limit=2)
    "'age', 'sex' and 1 more"
    """
    remaining = iter(items)
    shown = ", ".join(repr(item) for item in islice(remaining, limit))
    more = sum(1 for _ in remaining)
    return f"{shown} and {more} more" if more else shown


def plural(value: int, noun: str, nouns: str | None = None) -> str:
    """A count and its noun, in the singular or the plural.

    >>> plural(1, "edge"), plural(3000, "edge"), plural(2, "history", "histories")
    ('1 edge', '3,000 edges', '2 histories')
    """
    return f"{value:,} {noun if value == 1 else nouns or noun + 's'}"
