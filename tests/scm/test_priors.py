"""Edge priors draw acyclic graphs inside the space, with the probabilities they declare."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyro
import pyro.distributions as dist
import pytest
import torch
from torch import Tensor

from pyrocrl.errors import PriorError
from pyrocrl.scm import (
    BackgroundKnowledge,
    EdgePrior,
    GraphSpace,
    LaplaceEdges,
    Nodes,
    SpikeAndSlab,
)
from pyrocrl.scm.priors import slab_of
from pyrocrl.scm.programs import adjacency_site, check_in_plate
from pyrocrl.structure.program_prior import independent_edge_mixture

NODES = Nodes(("a.z1", "a.z2", "b.z1", "b.z2"), ("a", "a", "b", "b"), (True,) * 4)
SPACE = BackgroundKnowledge(
    required=[("a.z1", "b.z1")],
    forbidden=[("a.z1", "a.z2")],
    probability={"a.z2": {"b.z2": 0.9}},
).graph_space(NODES)


def hierarchical(space: GraphSpace) -> Tensor:
    rate = pyro.sample("rate", dist.Beta(2.0, 6.0))
    adjacency: Tensor = pyro.sample("adjacency", space.edges(rate))
    return adjacency


def by_modality(space: GraphSpace) -> Tensor:
    """Every pair of modalities has a rate of its own."""
    rate = pyro.sample("rate", dist.Beta(2.0, 6.0).expand([2, 2]).to_event(2))
    groups = space.group_index
    adjacency: Tensor = pyro.sample("edges", space.edges(rate[..., groups, :][..., groups]))
    return adjacency


PRIORS: dict[str, tuple[EdgePrior, float]] = {
    # name: (prior, probability of an edge about which nothing is known)
    "spike and slab": (SpikeAndSlab(0.25), 0.25),
    "a probability for each edge": (SpikeAndSlab(np.full((4, 4), 0.25)), 0.25),
    "laplace": (LaplaceEdges(0.3), 1.0),
    "hierarchical": (hierarchical, 0.25),
    "by modality": (by_modality, 0.25),
}


@pytest.mark.parametrize("name", PRIORS)
def test_draws_are_acyclic_and_respect_knowledge(name: str) -> None:
    prior, expected = PRIORS[name]
    chains = 4000
    with torch.random.fork_rng():
        torch.manual_seed(0)
        with pyro.plate("chain", chains, dim=-2):
            drawn = SPACE.admit(prior(SPACE)).expand(chains, 1, 4, 4).squeeze(1)
    assert ((drawn == 0) | (drawn == 1)).all()
    assert (drawn.triu() == 0).all()
    assert (drawn[:, 2, 0] == 1).all()
    assert (drawn[:, 1, 0] == 0).all()
    assert float(drawn[:, 3, 0].mean()) == pytest.approx(expected, abs=0.04)
    if expected < 1:
        assert float(drawn[:, 3, 1].mean()) == pytest.approx(0.9, abs=0.04)


@pytest.mark.parametrize("name", PRIORS)
def test_the_collapsed_posterior_sees_the_same_prior(name: str) -> None:
    prior, expected = PRIORS[name]
    mixture = independent_edge_mixture(prior, SPACE, draws=2000)
    weights = np.exp(mixture.log_weights)
    assert weights.sum() == pytest.approx(1.0)
    mean = (weights[:, None, None] * mixture.probabilities).sum(0)
    assert mean[3, 0] == pytest.approx(expected, abs=0.02)
    assert mean[2, 0] == pytest.approx(1)
    assert mean[1, 0] == 0
    assert np.triu(mean).sum() == 0


def test_continuous_sites_make_edges_depend_on_one_another() -> None:
    mixture = independent_edge_mixture(hierarchical, SPACE, draws=500)
    rate = mixture.probabilities[:, 3, 0]
    assert rate.std() > 0.05
    np.testing.assert_allclose(mixture.probabilities[:, 3, 2], rate)


def test_mixtures_leave_the_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    one = independent_edge_mixture(hierarchical, SPACE, draws=20, seed=5)
    other = independent_edge_mixture(hierarchical, SPACE, draws=20, seed=5)
    check_in_plate(hierarchical, SPACE, taken=())
    assert torch.equal(before, torch.random.get_rng_state())
    np.testing.assert_array_equal(one.probabilities, other.probabilities)


@pytest.mark.parametrize("name", PRIORS)
def test_priors_run_in_the_plate_of_chains(name: str) -> None:
    check_in_plate(PRIORS[name][0], SPACE, taken=("z", "weight"))


def test_the_adjacency_is_found_by_its_site() -> None:
    assert adjacency_site(SpikeAndSlab(), SPACE)[0] == "adjacency"
    assert adjacency_site(by_modality, SPACE)[0] == "edges"
    assert adjacency_site(LaplaceEdges(), SPACE)[0] is None


def test_slabs() -> None:
    assert float(slab_of(SpikeAndSlab(slab=3.0)).scale) == 3.0
    assert isinstance(slab_of(LaplaceEdges(0.2)), dist.Laplace)
    assert float(slab_of(hierarchical).scale) == float(slab_of(SpikeAndSlab()).scale)


def with_slab(slab: Any) -> EdgePrior:
    def prior(space: GraphSpace) -> Tensor:
        return hierarchical(space)

    prior.slab = slab  # type: ignore[attr-defined]
    return prior


def two_sites(space: GraphSpace) -> Tensor:
    one: Tensor = pyro.sample("one", space.edges(0.5))
    other: Tensor = pyro.sample("other", space.edges(0.5))
    return one * other


BAD_PROGRAMS: dict[str, tuple[Any, str]] = {
    # what is wrong: (the program, what the message must say)
    "returns nothing": (lambda space: None, r"shape \(4, 4\).*NoneType"),
    "returns a number": (lambda space: torch.tensor(1.0), r"shape \(4, 4\)"),
    "another shape": (lambda space: torch.zeros(3, 3), r"shape \(4, 4\).*\(3, 3\)"),
    "fails": (lambda space: 1 / 0, "failed when it was called: division by zero"),
    "no argument": (lambda: None, "failed when it was called"),
    "probability above one": (
        lambda space: pyro.sample("adjacency", space.edges(2.0)),
        "failed when it was called",
    ),
    "continuous edges": (
        lambda space: pyro.sample("edges", dist.Normal(0.0, 1.0).expand([4, 4]).to_event(2)),
        "must draw its edges",
    ),
    "constant halves": (lambda space: torch.full((4, 4), 0.5), "must draw its edges"),
    "counts": (
        lambda space: pyro.sample("edges", dist.Poisson(1.0).expand([4, 4]).to_event(2)),
        "one Bernoulli site",
    ),
    "something else than what was drawn": (
        lambda space: 1 - pyro.sample("adjacency", space.edges(0.5)),
        "must be the value of one Bernoulli site",
    ),
    "two sites": (two_sites, "one Bernoulli site.*found: 'one', 'other'"),
    "no event dimensions": (
        lambda space: pyro.sample("adjacency", dist.Bernoulli(torch.full((4, 4), 0.1))),
        r"several chains at once.*to_event",
    ),
    "rates without event dimension": (
        lambda space: pyro.sample(
            "adjacency", space.edges(pyro.sample("rate", dist.Beta(1, 9).expand([4])).mean())
        ),
        r"site 'rate' has batch shape \(3, 4\) for 3 chains.*to_event",
    ),
    "a name that the model needs": (
        lambda space: pyro.sample("z", space.edges(0.1)),
        "site 'z' of its own.*another name",
    ),
}


@pytest.mark.parametrize("case", BAD_PROGRAMS)
def test_programs_that_are_no_prior(case: str) -> None:
    program, says = BAD_PROGRAMS[case]
    with pytest.raises(PriorError, match=says) as caught:
        check_in_plate(program, SPACE, taken=("z", "weight"))
    assert "edge prior <lambda>" in str(caught.value) or "edge prior two_sites" in str(caught.value)


BAD_NUMBERS: dict[str, tuple[Any, str]] = {
    "above one": (lambda: SpikeAndSlab(1.5), "probability must be between 0 and 1, not 1.5"),
    "negative": (lambda: SpikeAndSlab(-0.1), "probability must be between 0 and 1"),
    "not a number": (lambda: SpikeAndSlab(float("nan")), "between 0 and 1, not nan"),
    "word": (lambda: SpikeAndSlab("rare"), "probability must be.*'rare'"),
    "ragged": (lambda: SpikeAndSlab([[0.1], [0.2, 0.3]]), "matrix"),
    "vector": (lambda: SpikeAndSlab(np.array([0.1, 0.2])), r"of shape \(2,\)"),
    "slab zero": (lambda: SpikeAndSlab(slab=0.0), "slab must be positive, not 0"),
    "slab infinite": (lambda: SpikeAndSlab(slab=np.inf), "slab must be positive"),
    "slab word": (lambda: SpikeAndSlab(slab="wide"), "slab must be.*'wide'"),  # type: ignore[arg-type]
    "scale negative": (lambda: LaplaceEdges(-1.0), "LaplaceEdges: scale must be positive, not -1"),
    "scale word": (lambda: LaplaceEdges("x"), "LaplaceEdges: scale"),  # type: ignore[arg-type]
    "matrix of another size": (
        lambda: SpikeAndSlab(np.full((3, 3), 0.1))(SPACE),
        r"shape \(3, 3\), but there are 4 nodes",
    ),
    "slab no distribution": (lambda: slab_of(with_slab(3.0)), "slab must be a distribution"),
    "slab of many": (
        lambda: slab_of(with_slab(dist.Normal(torch.zeros(2), 1.0))),
        "distribution of one number",
    ),
}


@pytest.mark.parametrize("case", BAD_NUMBERS)
def test_numbers_that_are_no_prior(case: str) -> None:
    make, says = BAD_NUMBERS[case]
    with pytest.raises(PriorError, match=says):
        make()


def test_priors_take_arrays_and_tensors() -> None:
    matrix = np.full((4, 4), 0.3)
    for given in (matrix, torch.from_numpy(matrix)):
        assert SpikeAndSlab(given)(SPACE).shape == (4, 4)
