"""Likelihoods of levels: Bernoulli, categorical, ordinal."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeAlias

import numpy as np
import pandas as pd
import pyro.distributions as dist
import torch
from torch import Tensor

from pyrocrl.errors import DataError, listing
from pyrocrl.likelihoods.base import FloatArray, Likelihood, Own

__all__ = ["Bernoulli", "Categorical", "Ordinal"]

Level: TypeAlias = str | float | int | bool

_MOST_LEVELS = 50
_NARROWEST = 0.05


@dataclass(frozen=True, kw_only=True)
class Bernoulli(Likelihood):
    """Yes or no: True or False, 1 or 0. The network gives the log odds."""

    name: ClassVar[str] = "bernoulli"

    def check(self, numbers: FloatArray, where: str) -> None:
        """See `Likelihood.check`."""
        other = numbers[~np.isnan(numbers) & ~np.isin(numbers, (0, 1))]
        if other.size:
            raise DataError(
                f"{where} holds {listing(np.unique(other).tolist())}, and a Bernoulli likelihood "
                "takes 0 and 1 only; use 'categorical', or recode it"
            )

    def start(self, numbers: FloatArray) -> tuple[float, ...]:
        """The column's own log odds."""
        return (float(_logit(numbers.mean(), numbers.size)),)

    def distribution(self, network: Tensor, own: Own) -> dist.TorchDistribution:
        """See `Likelihood.distribution`."""
        return dist.Bernoulli(logits=network[..., 0] + own.free[..., 0])

    def told(self, cells: Tensor, own: Own) -> Tensor:
        """1 or -1."""
        return (2 * cells - 1).unsqueeze(-1)

    def cells(self, numbers: FloatArray) -> FloatArray:
        """0 and 1 as they are."""
        return numbers

    def units(self, cells: FloatArray) -> FloatArray:
        """0 and 1 as they are."""
        return cells

    def shown(self, column: str, cells: FloatArray) -> dict[str, FloatArray]:
        """Standardised."""
        return {column: (cells - self.centre) / self.spread}


@dataclass(frozen=True, kw_only=True)
class _Levels(Likelihood):
    """Cells are positions in a list of levels.

    Args:
        levels: all levels, in order; taken from the data.
        labelled: whether the column held categories, not numbers; taken from the data.
    """

    levels: tuple[Level, ...] = ()
    labelled: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(self.levels))

    @property
    def alike(self) -> Hashable:
        """See `Likelihood.alike`."""
        return type(self), len(self.levels)

    def of(self, column: pd.Series, where: str) -> _Levels:
        """The same, with the levels that the column holds."""
        labelled = isinstance(column.dtype, pd.CategoricalDtype)
        levels = _levels_of(column) if labelled else np.unique(column.dropna()).tolist()
        if len(levels) > _MOST_LEVELS:
            raise DataError(
                f"{where} has {len(levels)} levels, more than {_MOST_LEVELS}; join rare ones, or "
                "treat it as a number"
            )
        return replace(self, levels=tuple(levels), labelled=labelled)

    def numbers(self, column: pd.Series, where: str) -> FloatArray:
        """Positions of the levels."""
        if isinstance(column.dtype, pd.CategoricalDtype):
            said = [_plain(label) for label in column.cat.categories]
            codes = column.cat.codes.to_numpy()
        else:
            codes, unique = pd.factorize(column, use_na_sentinel=True)
            said = [_plain(value) for value in unique]
        known = {level: number for number, level in enumerate(self.levels)}
        new = [said[code] for code in np.unique(codes[codes >= 0]) if said[code] not in known]
        if new:
            raise DataError(
                f"{where} holds levels {listing(new)} that the earlier data had not; use NaN where "
                "these mean missing, or fit with data that has them"
            )
        position = np.array([known.get(level, -1) for level in said] + [np.nan])
        return np.asarray(position[codes], dtype=np.float64)

    def cells(self, numbers: FloatArray) -> FloatArray:
        """Positions as they are."""
        return numbers

    def units(self, cells: FloatArray) -> FloatArray:
        """The numbers that are levels; positions of levels that are no numbers."""
        if self.labelled:
            return cells
        codes = np.where(np.isnan(cells), len(self.levels), cells).astype(np.intp)
        numbers = [float(level) for level in self.levels]
        return np.asarray(np.array([*numbers, np.nan])[codes])

    def column(self, cells: FloatArray) -> pd.Series:
        """See `Likelihood.column`."""
        if not self.labelled:
            return super().column(cells)
        codes = np.where(np.isnan(cells), -1, cells).astype(np.intp)
        ordered = isinstance(self, Ordinal)
        return pd.Series(pd.Categorical.from_codes(codes, list(self.levels), ordered=ordered))


@dataclass(frozen=True, kw_only=True)
class Categorical(_Levels):
    """Levels without an order; the network gives the log odds of each.

    >>> stage = pd.Series(pd.Categorical(["b", "a", None, "b"]))
    >>> Categorical().of(stage, "column 'stage'").numbers(stage, "column 'stage'").tolist()
    [1.0, 0.0, nan, 1.0]
    """

    name: ClassVar[str] = "categorical"

    @property
    def outputs(self) -> int:
        """The levels."""
        return len(self.levels)

    def start(self, numbers: FloatArray) -> tuple[float, ...]:
        """The column's own log odds of each level."""
        return tuple(float(v) for v in np.log(_shares(numbers, len(self.levels))))

    def distribution(self, network: Tensor, own: Own) -> dist.TorchDistribution:
        """See `Likelihood.distribution`."""
        return dist.Categorical(logits=network + own.free)

    def told(self, cells: Tensor, own: Own) -> Tensor:
        """One number a level, 1 for the level that it is."""
        one_hot = torch.nn.functional.one_hot(cells.long(), len(self.levels))
        return one_hot.to(cells.dtype)

    @property
    def features(self) -> int:  # type: ignore[override]
        """The levels."""
        return len(self.levels)

    def shown(self, column: str, cells: FloatArray) -> dict[str, FloatArray]:
        """1 where it is a level, 0 elsewhere; one for each level."""
        return {
            f"{column}={level}": (cells == code).astype(np.float64)
            for code, level in enumerate(self.levels)
        }


@dataclass(frozen=True, kw_only=True)
class Ordinal(_Levels):
    """Levels in an order: cut points along a line, on which the network gives the place."""

    name: ClassVar[str] = "ordinal"

    def start(self, numbers: FloatArray) -> tuple[float, ...]:
        """The first cut point, and logarithms of the steps to the next ones."""
        below = np.cumsum(_shares(numbers, len(self.levels)))[:-1]
        cuts = _logit(below, numbers.size)
        steps = np.log(np.maximum(np.diff(cuts), _NARROWEST))
        return tuple(float(v) for v in (cuts[0], *steps))

    def distribution(self, network: Tensor, own: Own) -> dist.TorchDistribution:
        """See `Likelihood.distribution`."""
        first, steps = own.free[..., :1], own.free[..., 1:].exp()
        cuts = torch.cat([first, first + steps.cumsum(-1)], -1)
        # P(above each cut), and from these the probability of each level.
        above = torch.sigmoid(network - cuts)
        ends = torch.ones_like(above[..., :1])
        share = torch.cat([ends, above], -1) - torch.cat([above, torch.zeros_like(ends)], -1)
        return dist.Categorical(logits=share.clamp_min(1e-7).log())

    def told(self, cells: Tensor, own: Own) -> Tensor:
        """The position, standardised."""
        return ((cells - own.centre) / own.spread).unsqueeze(-1)

    def shown(self, column: str, cells: FloatArray) -> dict[str, FloatArray]:
        """The position, standardised."""
        return {column: (cells - self.centre) / self.spread}


def _levels_of(column: pd.Series) -> list[Level]:
    return [_plain(label) for label in column.cat.remove_unused_categories().cat.categories]


def _plain(label: Any) -> Level:
    """A label as JSON knows it; an interval, say, becomes its text."""
    label = label.item() if isinstance(label, np.generic) else label
    return label if isinstance(label, str | float | int | bool) else str(label)


def _shares(codes: FloatArray, levels: int) -> FloatArray:
    counts = np.bincount(codes.astype(np.intp), minlength=levels) + 0.5
    return np.asarray(counts / counts.sum())


def _logit(share: Any, count: int) -> Any:
    bounded = np.clip(share, 0.5 / count, 1 - 0.5 / count)
    return np.log(bounded / (1 - bounded))
