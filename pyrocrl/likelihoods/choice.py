"""Which likelihood a column gets: what the user says, or else what its dtype says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import pandas as pd

from pyrocrl.errors import DataError, ModelError, SavedFitError, listing
from pyrocrl.likelihoods.base import Likelihood
from pyrocrl.likelihoods.continuous import Gaussian, LogNormal, StudentT
from pyrocrl.likelihoods.counts import NegativeBinomial, Poisson
from pyrocrl.likelihoods.discrete import Bernoulli, Categorical, Ordinal

__all__ = ["LIKELIHOODS", "Asked", "choose", "likelihood_from_json", "likelihood_named"]

LIKELIHOODS: dict[str, type[Likelihood]] = {
    kind.name: kind
    for kind in (
        Gaussian,
        StudentT,
        LogNormal,
        Bernoulli,
        Categorical,
        Ordinal,
        Poisson,
        NegativeBinomial,
    )
}

One: TypeAlias = str | Likelihood | type[Likelihood]
Asked: TypeAlias = One | Mapping[str, One] | None


def choose(name: str, frame: pd.DataFrame, asked: Asked) -> tuple[Likelihood, ...]:
    """The likelihood of every column, not fitted yet.

    Args:
        name: the modality, for error messages.
        frame: columns of numbers, bool or categories.
        asked: what the user says: one for all columns, or by column.

    Returns:
        One for each column: as asked; else Bernoulli for bool, ordinal for ordered and categorical
        for other categories, Gaussian for numbers.

    Raises:
        DataError: a column is named that is not there.
        ModelError: a likelihood is unknown.

    >>> frame = pd.DataFrame({"ill": [True, False], "age": [31.0, 60.0], "visits": [0, 4]})
    >>> [own.name for own in choose("person", frame, {"visits": "poisson"})]
    ['bernoulli', 'gaussian', 'poisson']
    """
    if asked is not None and not isinstance(asked, Mapping):
        return (likelihood_named(asked),) * len(frame.columns)
    named: dict[str, Any] = dict(asked or {})
    absent = [column for column in named if column not in frame]
    if absent:
        raise DataError(
            f"modality '{name}': likelihood names columns {listing(absent)} that are not there; "
            f"columns: {listing(frame.columns)}"
        )
    return tuple(
        likelihood_named(named[column]) if column in named else _of_dtype(frame[column].dtype)
        for column in frame
    )


def likelihood_named(asked: One) -> Likelihood:
    """A likelihood by its name, its class or itself.

    Raises:
        ModelError: there is none of that name.

    >>> likelihood_named("student t").name
    'student t'
    """
    if isinstance(asked, Likelihood):
        return asked
    if isinstance(asked, type) and issubclass(asked, Likelihood):
        return asked()
    if isinstance(asked, str) and asked in LIKELIHOODS:
        return LIKELIHOODS[asked]()
    raise ModelError(
        f"likelihood must be one of {listing(LIKELIHOODS, limit=len(LIKELIHOODS))} or a "
        f"pyrocrl.likelihoods.Likelihood, not {asked!r}"
    )


def likelihood_from_json(stored: Mapping[str, Any]) -> Likelihood:
    """The reverse of `Likelihood.to_json`.

    Raises:
        SavedFitError: the likelihood is of the user's own and not defined here.
    """
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()
    }
    name = values.pop("name")
    for kind in _below(Likelihood):
        if getattr(kind, "name", None) == name:
            found: Likelihood = kind(**values)
            return found
    raise SavedFitError(
        f"this fit used the likelihood {name!r}, which is code: define or import its class first"
    )


def _below(kind: type) -> Sequence[Any]:
    """All subclasses, those of the user's own too."""
    own: list[Any] = kind.__subclasses__()
    return [*own, *(below for one in own for below in _below(one))]


def _of_dtype(dtype: Any) -> Likelihood:
    if isinstance(dtype, pd.CategoricalDtype):
        return Ordinal() if dtype.ordered else Categorical()
    return Bernoulli() if pd.api.types.is_bool_dtype(dtype) else Gaussian()
