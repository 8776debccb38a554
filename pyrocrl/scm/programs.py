"""Edge priors as programs: which site is the adjacency, and can the model run it?"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine

from pyrocrl.errors import PriorError
from pyrocrl.scm.graph_space import GraphSpace
from pyrocrl.scm.priors import EdgePrior, describe

__all__ = ["adjacency_site", "check_in_plate"]


def adjacency_site(prior: EdgePrior, space: GraphSpace) -> tuple[str | None, dict[str, Any]]:
    """The sample site that is the adjacency, and the trace of one run of the program.

    Returns:
        The name of the Bernoulli site whose value the program returns (None if it returns a
        constant adjacency and draws nothing), and the trace's sample sites.

    Raises:
        PriorError: if the program fails, returns no (D, D) adjacency, or its edges are not the
            value of one Bernoulli site of that shape.
    """
    name, size = describe(prior), len(space.nodes)
    with pyro.validation_enabled(False):
        try:
            trace = poutine.trace(prior).get_trace(space)
        except PriorError:
            raise
        except Exception as error:
            raise PriorError(
                f"edge prior {name} failed when it was called: {_first_line(error)}"
            ) from error
    returned = trace.nodes["_RETURN"]["value"]
    if not isinstance(returned, torch.Tensor) or returned.shape[-2:] != (size, size):
        shape = tuple(returned.shape) if isinstance(returned, torch.Tensor) else type(returned)
        raise PriorError(
            f"edge prior {name} must return an adjacency of shape ({size}, {size}), "
            f"rows children, columns parents, not {shape}"
        )
    sites = {
        site_name: site
        for site_name, site in trace.nodes.items()
        if site["type"] == "sample" and not type(site["fn"]).__name__.startswith("_")
    }
    discrete = [n for n, site in sites.items() if site["fn"].support.is_discrete]
    edges = space.admit(returned)
    if not discrete:
        if sites or not bool(((edges == 0) | (edges == 1)).all()):
            raise PriorError(
                f"edge prior {name} must draw its edges: return the value of "
                "pyro.sample('adjacency', space.edges(probability))"
            )
        return None, sites
    for site_name in discrete:
        site = sites[site_name]
        is_bernoulli = isinstance(getattr(site["fn"], "base_dist", site["fn"]), dist.Bernoulli)
        is_matrix = site["value"].shape[-2:] == (size, size)
        if not (is_bernoulli and is_matrix and len(discrete) == 1):
            continue
        if torch.equal(space.admit(site["value"]), edges):
            return site_name, sites
    raise PriorError(
        f"edge prior {name}: the adjacency must be the value of one Bernoulli site of shape "
        f"({size}, {size}), as in pyro.sample('adjacency', space.edges(probability)); "
        f"discrete sites found: {', '.join(discrete)}; put blocks of edges together as one matrix "
        "of probabilities, and draw that"
    )


def check_in_plate(prior: EdgePrior, space: GraphSpace, taken: Collection[str]) -> None:
    """Refuse a program that cannot run inside the plate of chains, as the model runs it.

    Args:
        prior: any edge prior.
        space: the possible graphs.
        taken: names of sites that the model needs for itself.

    Raises:
        PriorError: if the program is no edge prior, uses a name that is taken, or its shapes do not
            go with the plate.
    """
    name, chains, size = describe(prior), 3, len(space.nodes)
    with torch.random.fork_rng(devices=[]):
        _, sites = adjacency_site(prior, space)
        for site in sites:
            if site in taken:
                raise PriorError(
                    f"edge prior {name}: the model has a site {site!r} of its own; give the "
                    "prior's site another name"
                )
        try:
            with pyro.validation_enabled(True), pyro.plate("chain", chains, dim=-2):
                drawn = poutine.trace(prior).get_trace(space)
            drawn.compute_log_prob()
            space.admit(drawn.nodes["_RETURN"]["value"]).expand(chains, 1, size, size)
        except Exception as error:
            raise PriorError(
                f"edge prior {name} cannot run for several chains at once: {_first_line(error)}; "
                "inside the plate every draw has the leading shape (chain, 1), so index from the "
                "right, and what belongs together needs .to_event"
            ) from error
        for site in sites:
            shape = tuple(drawn.nodes[site]["fn"].batch_shape)
            if shape != (chains, 1):
                raise PriorError(
                    f"edge prior {name}: site {site!r} has batch shape {shape} for {chains} "
                    f"chains, not ({chains}, 1); what belongs together needs .to_event"
                )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
