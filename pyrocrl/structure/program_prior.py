"""Any edge prior, as the collapsed posterior needs it: a mixture of independent-edge priors."""

from __future__ import annotations

import numpy as np
import torch

from pyrocrl.errors import PriorError
from pyrocrl.scm.graph_space import GraphSpace
from pyrocrl.scm.priors import EdgePrior, describe
from pyrocrl.scm.programs import adjacency_site
from pyrocrl.structure._arrays import BoolArray
from pyrocrl.structure.edge_prior import EdgePriorMixture
from pyrocrl.structure.parent_sets import ParentSets
from pyrocrl.structure.program_run import run_program

__all__ = ["check_can_be_summed", "independent_edge_mixture"]


def independent_edge_mixture(
    prior: EdgePrior, space: GraphSpace, *, draws: int = 4000, seed: int = 0
) -> EdgePriorMixture:
    """An edge prior as a mixture of independent-edge priors, one for each draw of its other sites.

    Given its continuous sites the program's edges are independent Bernoulli draws; the mixture over
    draws of those sites is the prior itself. Without continuous sites one component is exact.

    Args:
        prior: any edge prior.
        space: the possible graphs.
        draws: components, where the prior has continuous sites.
        seed: of the draws; the caller's random state is left as it was.

    Returns:
        Edge probabilities of each component, (component, child, parent), equally weighted.

    Raises:
        PriorError: if the program is no edge prior (see `adjacency_site`).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _, sites = adjacency_site(prior, space)
        count = draws if len(sites) > 1 else 1
        run = run_program(prior, space, count)
    return EdgePriorMixture(run.probabilities, np.full(count, -np.log(count)))


def check_can_be_summed(prior: EdgePrior, space: GraphSpace) -> None:
    """Refuse a prior that makes more edges certain than the graphs that are summed over can hold.

    Acyclic graphs hold no two edges both ways. Sums over parent sets leave out the largest ones
    where a node has many possible parents. A prior under which only what is left out has positive
    probability cannot be summed over.

    Args:
        prior: any edge prior.
        space: the possible graphs.

    Raises:
        PriorError: names the nodes and what to do.
    """
    with torch.random.fork_rng(devices=[]):
        probability = run_program(prior, space, 1).probabilities[0]
    if space.rule == "learned":
        _check_no_certain_cycle(probability == 1, space, describe(prior))
    for child, name in enumerate(space.nodes.names):
        required = np.flatnonzero(space.required[child])
        candidates = np.flatnonzero(space.allowed[child] & (probability[child] > 0))
        sets = ParentSets.enumerate(len(space.nodes), candidates, required)
        certain = int((probability[child] == 1).sum())
        if certain > sets.max_parents:
            raise PriorError(
                f"edge prior {describe(prior)} makes all {certain} possible parents of {name} "
                f"certain, but sums over parent sets reach {sets.max_parents} of them; forbid "
                "edges by background knowledge, or use SpikeAndSlab"
            )


def _check_no_certain_cycle(certain: BoolArray, space: GraphSpace, name: str) -> None:
    itself = np.eye(len(certain), dtype=np.bool_)
    leads_to = np.linalg.matrix_power((certain | itself).astype(np.float64), len(certain)) > 0
    circles = np.argwhere(leads_to & leads_to.T & ~itself)
    if len(circles):
        one, other = (space.nodes.names[node] for node in circles[0])
        raise PriorError(
            f"edge prior {name} makes edges certain that lead from {one} to {other} and back, but "
            "with order='learned' no graph has a cycle; use SpikeAndSlab or another prior under "
            "which edges may be absent, or give the order"
        )
