"""Edge priors as programs: which site is the adjacency, and can the model run it?"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine

from pyrocrl.errors import PriorError, listing
from pyrocrl.scm.graph_space import GraphSpace
from pyrocrl.scm.priors import EdgePrior, describe, slab_of
from pyrocrl.scm.program_use import advice, check_use, first_line

__all__ = ["adjacency_site", "check_in_plate"]

_CHAINS = 3


def adjacency_site(prior: EdgePrior, space: GraphSpace) -> tuple[str | None, dict[str, Any]]:
    """The sample site that is the adjacency, and the trace of one run of the program.

    Returns:
        The name of the Bernoulli site whose value the program returns (None if it returns a
        constant adjacency and draws nothing), and the trace's sample sites.

    Raises:
        PriorError: if the program fails, returns no (D, D) adjacency, has a factor, or its edges
            are not the value of one Bernoulli site of that shape, its only discrete one.
    """
    name, size = describe(prior), len(space.nodes)
    with pyro.validation_enabled(False):
        try:
            trace = poutine.trace(prior).get_trace(space)
        except PriorError:
            raise
        except Exception as error:
            raise PriorError(
                f"edge prior {name} failed when it was called: {first_line(error)}"
            ) from error
    returned = trace.nodes["_RETURN"]["value"]
    if not isinstance(returned, torch.Tensor) or returned.shape[-2:] != (size, size):
        shape = tuple(returned.shape) if isinstance(returned, torch.Tensor) else type(returned)
        raise PriorError(
            f"edge prior {name} must return an adjacency of shape ({size}, {size}), "
            f"rows children, columns parents, not {shape}"
        )
    sites = _drawn_sites(trace, name)
    discrete = [n for n, site in sites.items() if site["fn"].support.is_discrete]
    edges = space.admit(returned)
    if not discrete:
        if sites or not bool(((edges == 0) | (edges == 1)).all()):
            raise PriorError(
                f"edge prior {name} must draw its edges: return the value of "
                "pyro.sample('adjacency', space.edges(probability))"
            )
        return None, sites
    matrices = [n for n in discrete if _is_edge_matrix(sites[n], size)]
    if len(matrices) == len(discrete) == 1 and torch.equal(
        space.admit(sites[matrices[0]]["value"]), edges
    ):
        return matrices[0], sites
    raise PriorError(
        f"edge prior {name}: the adjacency must be the value of one Bernoulli site of shape "
        f"({size}, {size}), as in pyro.sample('adjacency', space.edges(probability)); "
        f"discrete sites found: {listing(discrete)}; {advice(discrete, matrices)}"
    )


def check_in_plate(prior: EdgePrior, space: GraphSpace, taken: Collection[str]) -> None:
    """Refuse a program that cannot run inside the plate of chains, as the model runs it.

    Args:
        prior: any edge prior.
        space: the possible graphs.
        taken: names of sites that the model needs for itself.

    Raises:
        PriorError: if the program is no edge prior, uses a name that is taken, draws what moves no
            edge, its slab is no distribution of one number, or its shapes do not go with the plate.
    """
    name = describe(prior)
    with torch.random.fork_rng(devices=[]):
        own, sites = adjacency_site(prior, space)
        for site in sites:
            if site in taken:
                raise PriorError(
                    f"edge prior {name}: the model has a site {site!r} of its own; give the "
                    "prior's site another name"
                )
        drawn = _run_for_chains(prior, space, name)
        if drawn.keys() != sites.keys():
            raise PriorError(
                f"edge prior {name} draws {listing(sites)} in one run and {listing(drawn)} in "
                "another; draw the same sites always"
            )
        with pyro.plate("chain", _CHAINS, dim=-2):
            check_use(prior, space, drawn, own)
    slab_of(prior)


def _run_for_chains(prior: EdgePrior, space: GraphSpace, name: str) -> dict[str, Any]:
    """The sites of a run in the plate of chains, each with the plate's shape."""
    size = len(space.nodes)
    try:
        with pyro.validation_enabled(True), pyro.plate("chain", _CHAINS, dim=-2):
            trace = poutine.trace(prior).get_trace(space)
        trace.compute_log_prob()
        space.admit(trace.nodes["_RETURN"]["value"]).expand(_CHAINS, 1, size, size)
    except Exception as error:
        raise PriorError(
            f"edge prior {name} cannot run for several chains at once: {first_line(error)}; "
            "inside the plate every draw has the leading shape (chain, 1), so index from the "
            "right, and what belongs together needs .to_event"
        ) from error
    drawn = _drawn_sites(trace, name)
    for site_name, site in drawn.items():
        shape = tuple(site["fn"].batch_shape)
        if shape != (_CHAINS, 1):
            raise PriorError(
                f"edge prior {name}: site {site_name!r} has batch shape {shape} for {_CHAINS} "
                f"chains, not ({_CHAINS}, 1); what belongs together needs .to_event, in place "
                "of a plate of the prior's own"
            )
    return drawn


def _drawn_sites(trace: poutine.Trace, name: str) -> dict[str, Any]:
    """The sites that a program draws; none of them may be observed."""
    sites = {}
    for site_name, site in trace.nodes.items():
        is_plate = type(site["fn"]).__name__.startswith("_") if "fn" in site else True
        if site["type"] != "sample" or is_plate or site["infer"].get("_deterministic"):
            continue
        if site["is_observed"]:
            raise PriorError(
                f"edge prior {name}: {site_name!r} is a factor or observed, which sums over graphs "
                "cannot take; state the prior by the edges' probabilities, given sites that are "
                "drawn"
            )
        sites[site_name] = site
    return sites


def _is_edge_matrix(site: dict[str, Any], size: int) -> bool:
    is_bernoulli = isinstance(getattr(site["fn"], "base_dist", site["fn"]), dist.Bernoulli)
    return is_bernoulli and bool(site["value"].shape[-2:] == (size, size))
