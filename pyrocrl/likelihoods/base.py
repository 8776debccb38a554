"""What every likelihood of a column says: how it is read, what the encoder is told, its law."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyro.distributions import TorchDistribution
from torch import Tensor

from pyrocrl.errors import DataError

__all__ = ["FloatArray", "Likelihood", "Own"]

FloatArray = npt.NDArray[np.float64]
Self = TypeVar("Self", bound="Likelihood")


@dataclass(frozen=True, eq=False)
class Own:
    """What columns of one likelihood have of their own.

    Args:
        centre: (column,), mean of each column on the likelihood's scale.
        spread: (column,), standard deviation of each column there.
        free: (chain, 1, column, number), numbers that training finds, from `Likelihood.start` on.
        floor: smallest standard deviation of a measurement given latents and noise, as a share of
            the column's spread.
    """

    centre: Tensor
    spread: Tensor
    free: Tensor
    floor: float


@dataclass(frozen=True, kw_only=True)
class Likelihood(ABC):
    """How one column was measured. Columns of like likelihoods are computed together.

    A likelihood of your own names `outputs` and `distribution`, and overrides what else differs
    from numbers that are standardised; see models/custom_likelihood.py.

    Args:
        centre: mean of the column on the likelihood's scale; taken from the data.
        spread: its standard deviation there; taken from the data.
        free: where training starts with the column's own numbers; taken from the data.
    """

    name: ClassVar[str]
    features: ClassVar[int] = 1
    centre: float = 0.0
    spread: float = 1.0
    free: tuple[float, ...] = ()

    @property
    def outputs(self) -> int:
        """Numbers that the decoder's network gives for a column."""
        return 1

    @property
    def alike(self) -> Hashable:
        """Equal for columns whose distributions can be computed together."""
        return replace(self, centre=0.0, spread=1.0, free=()), len(self.free)

    @abstractmethod
    def distribution(self, network: Tensor, own: Own) -> TorchDistribution:
        """Distribution of cells, batch shape (chain, subject, column).

        Args:
            network: (chain, subject, column, output).
            own: what the columns have of their own.
        """

    def told(self, cells: Tensor, own: Own) -> Tensor:
        """What the encoder is told of cells, (subject, column) -> (subject, column, feature)."""
        return cells.unsqueeze(-1)

    def of(self: Self, column: pd.Series, where: str) -> Self:
        """The same, knowing the column's levels if it has any.

        Args:
            column: as it was read.
            where: modality and column, for error messages.
        """
        return self

    def numbers(self, column: pd.Series, where: str) -> FloatArray:
        """A column as numbers, NaN where missing.

        Raises:
            DataError: the column is not what the likelihood takes.
        """
        if isinstance(column.dtype, pd.CategoricalDtype):
            raise DataError(
                f"{where} holds categories, which the {self.name} likelihood does not take; "
                "leave the likelihood to the dtype, or encode the column as numbers"
            )
        numbers: FloatArray = column.to_numpy(dtype=np.float64)
        self.check(numbers, where)
        return numbers

    def check(self, numbers: FloatArray, where: str) -> None:  # noqa: B027
        """Refuse numbers that the likelihood cannot explain; all are fine unless overridden.

        Raises:
            DataError: names the column and what to do.
        """

    def on_scale(self, numbers: FloatArray) -> FloatArray:
        """Numbers on the scale on which mean and standard deviation are taken, such as logarithms.

        Nothing here is missing that is not missing in `numbers`.
        """
        return numbers

    def moments(self, scaled: FloatArray, mean: float, std: float) -> tuple[float, float]:
        """Centre and spread of a column that has this mean and standard deviation.

        Args:
            scaled: (subject,), observed numbers on the likelihood's scale.
            mean: their mean.
            std: their standard deviation.
        """
        return mean, std

    def start(self, numbers: FloatArray) -> tuple[float, ...]:
        """Where training starts with the numbers that a column has of its own.

        Args:
            numbers: (subject,), observed numbers of the column.
        """
        return ()

    def fitted(self: Self, numbers: FloatArray, mean: float, std: float) -> Self:
        """The same with the column's own centre, spread and start.

        Args:
            numbers: (subject,), NaN where missing.
            mean: of the observed numbers on the likelihood's scale.
            std: their standard deviation.
        """
        seen = numbers[~np.isnan(numbers)]
        centre, spread = self.moments(self.on_scale(seen), mean, std)
        return replace(self, centre=float(centre), spread=float(spread), free=self.start(seen))

    def cells(self, numbers: FloatArray) -> FloatArray:
        """Numbers as the distribution takes them: standardised on the likelihood's scale."""
        return (self.on_scale(numbers) - self.centre) / self.spread

    def units(self, cells: FloatArray) -> FloatArray:
        """The reverse of `cells`, in the units of the data."""
        return cells * self.spread + self.centre

    def column(self, cells: FloatArray) -> pd.Series:
        """Cells as a column like the one that was read, NaN where missing."""
        return pd.Series(self.units(cells))

    def shown(self, column: str, cells: FloatArray) -> dict[str, FloatArray]:
        """What a reader holds latents against: named numbers, of standard deviation about 1."""
        return {column: cells}

    def to_json(self) -> dict[str, Any]:
        """The likelihood as JSON values, its name first."""
        return {"name": self.name, **asdict(self)}
