"""What every likelihood promises, the user's own too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyro.distributions as dist
import pytest
import torch
from torch import Tensor

from pyrocrl.errors import DataError, ModelError, SavedFitError
from pyrocrl.likelihoods import (
    LIKELIHOODS,
    Gaussian,
    Likelihood,
    Own,
    StudentT,
    likelihood_from_json,
    likelihood_named,
)

N = 400


@dataclass(frozen=True, kw_only=True)
class Laplace(Likelihood):
    """The shortest likelihood that a user may write."""

    name: ClassVar[str] = "laplace"

    def distribution(self, network: Tensor, own: Own) -> dist.TorchDistribution:
        return dist.Laplace(network[..., 0], own.floor)


ALL: dict[str, Likelihood] = {
    **{name: kind() for name, kind in LIKELIHOODS.items()},
    "varying": Gaussian(noise="varying"),
    "fixed": StudentT(noise=0.5),
    "own": Laplace(),
}


def column(likelihood: Likelihood, seed: int = 0) -> pd.Series:
    """Values that the likelihood may explain, one of them missing."""
    rng = np.random.default_rng(seed)
    makers: dict[str, Callable[[], Any]] = {
        "bernoulli": lambda: rng.random(N) < 0.3,
        "categorical": lambda: rng.integers(0, 4, N) * 1.5,
        "ordinal": lambda: rng.integers(0, 3, N),
        "poisson": lambda: rng.poisson(4.0, N),
        "negative binomial": lambda: rng.negative_binomial(2, 0.3, N),
        "log-normal": lambda: np.exp(rng.normal(3.0, 0.5, N)),
    }
    values = makers.get(likelihood.name, lambda: rng.normal(10.0, 3.0, N))()
    series = pd.Series(np.asarray(values, dtype=np.float64))
    series[7] = np.nan
    return series


def fitted(likelihood: Likelihood, values: pd.Series) -> Likelihood:
    known = likelihood.of(values, "column 'x'")
    numbers = known.numbers(values, "column 'x'")
    scaled = known.on_scale(numbers)
    return known.fitted(numbers, float(np.nanmean(scaled)), float(np.nanstd(scaled)))


def own_of(likelihood: Likelihood) -> Own:
    free = torch.tensor([[[likelihood.free]]], requires_grad=True)
    return Own(torch.tensor([likelihood.centre]), torch.tensor([likelihood.spread]), free, 0.3)


@pytest.mark.parametrize("name", ALL)
def test_cells_and_units_are_each_others_reverse(name: str) -> None:
    values = column(ALL[name])
    likelihood = fitted(ALL[name], values)
    cells = likelihood.cells(likelihood.numbers(values, "column 'x'"))
    np.testing.assert_allclose(likelihood.units(cells), values, rtol=1e-9)
    pd.testing.assert_series_equal(likelihood.column(cells), values, check_names=False)


@pytest.mark.parametrize("name", ALL)
def test_a_distribution_of_cells_that_can_be_learned(name: str) -> None:
    values = column(ALL[name])
    likelihood = fitted(ALL[name], values)
    cells = torch.tensor(likelihood.cells(likelihood.numbers(values.dropna(), "")))
    network = torch.zeros(2, len(cells), 1, likelihood.outputs, dtype=torch.float64)
    network.requires_grad_()
    own = own_of(likelihood)
    law = likelihood.distribution(network, own)
    assert law.batch_shape == (2, len(cells), 1)
    log_prob = law.log_prob(cells.unsqueeze(-1))
    assert bool(torch.isfinite(log_prob).all())
    log_prob.sum().backward()
    assert network.grad is not None
    assert bool((network.grad.flatten(0, 2).abs().sum(0) > 0).all())
    assert own.free.grad is None or bool((own.free.grad != 0).all())
    drawn = law.sample().double().numpy()
    likelihood.numbers(pd.Series(likelihood.units(drawn[0, :, 0])), "what was drawn")


@pytest.mark.parametrize("name", ALL)
def test_where_training_starts_fits_the_column(name: str) -> None:
    """Under a network that says nothing, draws have about the column's own mean."""
    values = column(ALL[name])
    likelihood = fitted(ALL[name], values)
    network = torch.zeros(1, 20_000, 1, likelihood.outputs)
    drawn = likelihood.distribution(network, own_of(likelihood)).sample()[0, :, 0]
    cells = likelihood.cells(likelihood.numbers(values.dropna(), ""))
    spread = cells.std()
    assert abs(drawn.median() - np.median(cells)) <= max(1.0, 0.4 * spread)


@pytest.mark.parametrize("name", ["bernoulli", "categorical", "ordinal", "poisson"])
def test_probabilities_of_all_values_add_up(name: str) -> None:
    likelihood = fitted(ALL[name], column(ALL[name]))
    network = torch.linspace(-1, 1, likelihood.outputs).reshape(1, 1, 1, -1)
    law = likelihood.distribution(network, own_of(likelihood))
    levels = {"bernoulli": 2, "categorical": 4, "ordinal": 3, "poisson": 60}[name]
    total = sum(law.log_prob(torch.tensor([float(k)])).exp().item() for k in range(levels))
    assert total == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_json_keeps_it(name: str) -> None:
    likelihood = fitted(ALL[name], column(ALL[name]))
    assert likelihood_from_json(likelihood.to_json()) == likelihood


def test_a_likelihood_that_is_not_defined_here_cannot_be_read() -> None:
    with pytest.raises(SavedFitError, match="'weibull', which is code"):
        likelihood_from_json({"name": "weibull", "centre": 0.0})


@pytest.mark.parametrize("name", ALL)
def test_the_encoder_is_told_as_many_numbers_as_announced(name: str) -> None:
    values = column(ALL[name])
    likelihood = fitted(ALL[name], values)
    cells = torch.tensor(likelihood.cells(likelihood.numbers(values.dropna(), ""))).float()
    told = likelihood.told(cells.unsqueeze(-1), own_of(likelihood))
    assert told.shape == (len(cells), 1, likelihood.features)
    assert float(told.abs().max()) < 12


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("poisson", [0.0, 2.0, -1.0], "-1, a negative number"),
        ("negative binomial", [0.0, 2.5], "2.5, not a whole number"),
        ("log-normal", [1.0, 0.0], "holds 0, and a log-normal"),
        ("bernoulli", [0.0, 1.0, 2.0], "holds 2.0, and a Bernoulli"),
    ],
)
def test_values_that_cannot_be_explained(name: str, values: list[float], says: str) -> None:
    with pytest.raises(DataError, match=f"'labs'.*'x'.*{says}"):
        LIKELIHOODS[name]().numbers(pd.Series(values), "modality 'labs': column 'x'")


@pytest.mark.parametrize("name", ["gaussian", "poisson", "bernoulli"])
def test_categories_are_no_numbers(name: str) -> None:
    with pytest.raises(DataError, match="holds categories"):
        LIKELIHOODS[name]().numbers(pd.Series(["a", "b"], dtype="category"), "column 'x'")


@pytest.mark.parametrize("name", ["categorical", "ordinal"])
def test_levels_that_are_new(name: str) -> None:
    known = LIKELIHOODS[name]().of(pd.Series(["a", "b"], dtype="category"), "column 'x'")
    other_order = pd.Series(pd.Categorical(["b", "a", None], categories=["b", "a", "z"]))
    np.testing.assert_array_equal(known.numbers(other_order, "column 'x'"), [1, 0, np.nan])
    with pytest.raises(DataError, match="column 'x' holds levels 'c' that the earlier"):
        known.numbers(pd.Series(["a", "c"], dtype="category"), "column 'x'")


def test_too_many_levels() -> None:
    with pytest.raises(DataError, match="column 'x' has 60 levels"):
        LIKELIHOODS["categorical"]().of(pd.Series(np.arange(60.0)), "column 'x'")


@pytest.mark.parametrize("noise", ["fixed", 0, -1.0, np.inf, True])
def test_noise_that_is_none(noise: float | str) -> None:
    with pytest.raises(ModelError, match="noise must be"):
        Gaussian(noise=noise)


def test_known_noise_is_in_the_units_of_the_data() -> None:
    likelihood = fitted(Gaussian(noise=1.5), column(Gaussian()))
    law = likelihood.distribution(torch.zeros(1, 4, 1, 1), own_of(likelihood))
    assert law.stddev.mean().item() * likelihood.spread == pytest.approx(1.5)


def test_varying_noise_differs_between_subjects() -> None:
    likelihood = fitted(Gaussian(noise="varying"), column(Gaussian()))
    network = torch.tensor([[[[0.0, -1.0]], [[0.0, 1.0]]]])
    deviation = likelihood.distribution(network, own_of(likelihood)).stddev[0, :, 0]
    assert deviation[0] >= 0.3
    assert deviation[1] > 1.5 * deviation[0]


def test_gross_errors_do_not_move_the_unit_of_student_t() -> None:
    rng = np.random.default_rng(0)
    clean = rng.normal(10.0, 3.0, N)
    spoilt = np.where(np.arange(N) % 20 == 0, 1e6, clean)
    likelihood = fitted(StudentT(), pd.Series(spoilt))
    assert likelihood.centre == pytest.approx(10.0, abs=0.6)
    assert likelihood.spread == pytest.approx(3.0, abs=0.6)


@pytest.mark.parametrize("asked", ["normal", 3, int, None])
def test_unknown_likelihood(asked: object) -> None:
    with pytest.raises(ModelError, match="'gaussian', 'student t'.*'negative binomial'"):
        likelihood_named(asked)  # type: ignore[arg-type]
