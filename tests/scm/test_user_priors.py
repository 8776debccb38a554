"""Priors as a statistician would write them: each works, or an error names the site and the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyro
import pyro.distributions as dist
import pytest
import torch
from scipy import stats
from torch import Tensor

import pyrocrl as crl
from pyrocrl.posterior.collapse import collapse
from pyrocrl.scm import BackgroundKnowledge, Nodes
from pyrocrl.scm.priors import slab_of, slab_widths
from pyrocrl.scm.programs import check_in_plate

NODES = Nodes(("a.z1", "a.z2", "b.z1", "b.z2"), ("a", "a", "b", "b"), (True,) * 4)
SPACE = BackgroundKnowledge().graph_space(NODES)
MODEL_SITES = ("z", "weight")


def _edges(space: crl.GraphSpace, probability: float | Tensor) -> Tensor:
    adjacency: Tensor = pyro.sample("adjacency", space.edges(probability))
    return adjacency


def mixed_memberships(space: crl.GraphSpace) -> Tensor:
    """Every node belongs to two blocks in part; each pair of blocks has a rate."""
    shares = torch.full((len(space.nodes), 2), 0.5)
    block = pyro.sample("block", dist.Dirichlet(shares).to_event(1))
    rate = pyro.sample("rate", dist.Beta(1.0, 6.0).expand([2, 2]).to_event(2))
    return _edges(space, block @ rate @ block.mT)


def logistic(space: crl.GraphSpace) -> Tensor:
    """Log odds: a base rate, and a random effect of every cause."""
    base = pyro.sample("base", dist.Normal(-2.0, 1.0))[..., None]
    spread = pyro.sample("spread", dist.HalfNormal(1.0))[..., None]
    size = len(space.nodes)
    effect = pyro.sample(
        "effect", dist.Normal(0.0, spread).expand([*spread.shape[:-1], size]).to_event(1)
    )
    odds = (base + effect)[..., None, :].expand(*effect.shape[:-1], size, size)
    return _edges(space, odds.sigmoid())


def with_deterministic(space: crl.GraphSpace) -> Tensor:
    """A transformed site that is recorded."""
    log_odds = pyro.sample("log_odds", dist.Normal(-2.0, 1.0))
    return _edges(space, pyro.deterministic("rate", log_odds.sigmoid()))


def wide_slab(space: crl.GraphSpace) -> Tensor:
    """Slabs of unknown width."""
    return _edges(space, 0.2)


wide_slab.slab = crl.NormalScaleMixture.of(dist.LogNormal(0.0, 1.0))  # type: ignore[attr-defined]

WORK: dict[str, Any] = {
    "mixed memberships": mixed_memberships,
    "logistic": logistic,
    "deterministic": with_deterministic,
    "slab of unknown width": wide_slab,
}


@pytest.mark.parametrize("name", WORK)
def test_it_enters_the_collapsed_posterior(name: str) -> None:
    check_in_plate(WORK[name], SPACE, taken=MODEL_SITES)
    z = np.random.default_rng(202).normal(size=(1, 200, 4))
    z[..., 2] += 1.5 * z[..., 0]
    (posterior,) = collapse(z, SPACE, WORK[name], rope=0.02, nonlinear=False, seed=0).posteriors
    assert posterior is not None
    assert posterior.probability[2, 0] > 0.9
    assert posterior.probability[3, 1] < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("name", WORK)
def test_it_is_fitted(name: str, small_data: crl.MultimodalData) -> None:
    posterior = crl.fit(small_data, edge_prior=WORK[name], restarts=2, max_epochs=2, progress=False)
    table = posterior.edge_table()
    assert table.probability.between(0, 1).all()
    assert table.variational.between(0, 1).all()


def test_an_unknown_width_is_a_mixture_of_its_quantiles() -> None:
    widths = slab_widths(slab_of(wide_slab))
    assert len(widths) == 7
    assert np.median(widths) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("slab", "exact"),
    [
        (dist.Laplace(0.0, 0.5), stats.laplace(0.0, 0.5)),
        (dist.StudentT(4.0, 0.0, 0.5), stats.t(4.0, 0.0, 0.5)),
        (dist.Cauchy(0.0, 0.5), stats.cauchy(0.0, 0.5)),
    ],
    ids=["Laplace", "Student t", "Cauchy"],
)
def test_a_slab_is_close_to_the_normals_that_stand_for_it(
    slab: dist.TorchDistribution, exact: Any
) -> None:
    widths = np.array(slab_widths(slab))
    for quantile in (0.6, 0.75, 0.9):
        place = exact.ppf(quantile)
        assert stats.norm(0, widths).cdf(place).mean() == pytest.approx(quantile, abs=0.03)


def blocks(space: crl.GraphSpace) -> Tensor:
    """A stochastic block model."""
    block = pyro.sample("block", dist.Categorical(torch.ones(4, 2)).to_event(1))
    same = (block[..., :, None] == block[..., None, :]).float()
    return _edges(space, 0.05 + 0.3 * same)


def one_by_one(space: crl.GraphSpace) -> Tensor:
    """Edges in a loop."""
    size = len(space.nodes)
    adjacency = torch.zeros(size, size)
    for child in range(size):
        for parent in range(child):
            adjacency[child, parent] = pyro.sample(f"edge_{child}{parent}", dist.Bernoulli(0.2))
    return adjacency


def plates(space: crl.GraphSpace) -> Tensor:
    """Nested plates in place of event dimensions."""
    with pyro.plate("to", 2), pyro.plate("from", 2):
        rate = pyro.sample("rate", dist.Beta(1.0, 6.0))
    return _edges(space, rate.mean())


def drawn_width(space: crl.GraphSpace) -> Tensor:
    """The width of the slab as a site."""
    pyro.sample("slab_width", dist.LogNormal(0.0, 1.0))
    return _edges(space, 0.2)


class SlabOfADraw:
    """The width of the slab as a site, put where the slab is looked for."""

    def __call__(self, space: crl.GraphSpace) -> Tensor:
        width = pyro.sample("width", dist.LogNormal(0.0, 1.0))
        self.slab = dist.Normal(0.0, width)
        return _edges(space, 0.2)


def own_weights(space: crl.GraphSpace) -> Tensor:
    """Weights of the prior's own."""
    adjacency = _edges(space, 0.2)
    weight: Tensor = pyro.sample("strength", dist.Normal(0.0, 1.0).expand([4, 4]).to_event(2))
    return adjacency * weight


def penalised(space: crl.GraphSpace) -> Tensor:
    """A Gibbs prior: a penalty on the number of edges."""
    adjacency = _edges(space, 0.5)
    pyro.factor("sparsity", -2.0 * adjacency.sum((-2, -1)))
    return adjacency


def another_every_time(space: crl.GraphSpace) -> Tensor:
    """Sites that depend on what was drawn before."""
    number = int(torch.randint(10**9, ()))
    return _edges(space, pyro.sample(f"rate_{number}", dist.Beta(1.0, 6.0)))


def moving_bounds(space: crl.GraphSpace) -> Tensor:
    """A rate below another."""
    highest = pyro.sample("highest", dist.Beta(1.0, 1.0))
    return _edges(space, pyro.sample("rate", dist.Uniform(0.0, highest)))


def by_numpy(space: crl.GraphSpace) -> Tensor:
    """Computed outside torch."""
    log_odds = pyro.sample("log_odds", dist.Normal(-2.0, 1.0))
    return _edges(space, torch.as_tensor(1 / (1 + np.exp(-log_odds.numpy()))))


REFUSED: dict[str, tuple[Any, str]] = {
    "discrete blocks": (blocks, "make 'block' continuous: Dirichlet memberships"),
    "edge by edge": (one_by_one, "found: 'edge_10'.*one matrix of probabilities, and draw that"),
    "plates": (plates, r"site 'rate'.*needs \.to_event, in place of a plate of the prior's own"),
    "drawn width": (drawn_width, "site 'slab_width' moves no edge.*NormalScaleMixture.of"),
    "slab of a draw": (SlabOfADraw(), "site 'width' moves no edge.*NormalScaleMixture.of"),
    "own weights": (own_weights, "return the value of 'adjacency' as it is.*from the prior's slab"),
    "other sites": (another_every_time, "in one run and.*draw the same sites always"),
    "moving bounds": (moving_bounds, "move the bounds of site 'rate'.*and scale it"),
    "numpy": (by_numpy, "failed where gradients are taken.*compute with torch alone"),
    "factor": (penalised, "'sparsity' is a factor or observed.*by the edges' probabilities"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_handled_says_what_to_do(case: str) -> None:
    program, says = REFUSED[case]
    with pytest.raises(crl.PriorError, match=says):
        check_in_plate(program, SPACE, taken=MODEL_SITES)
