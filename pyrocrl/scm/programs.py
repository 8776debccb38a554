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

__all__ = ["adjacency_site", "check_in_plate"]


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
                f"edge prior {name} failed when it was called: {_first_line(error)}"
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
        f"discrete sites found: {listing(discrete)}; {_advice(discrete, matrices)}"
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
    name, chains, size = describe(prior), 3, len(space.nodes)
    with torch.random.fork_rng(devices=[]):
        own, sites = adjacency_site(prior, space)
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
        if _drawn_sites(drawn, name).keys() != sites.keys():
            raise PriorError(
                f"edge prior {name} draws {listing(sites)} in one run and "
                f"{listing(_drawn_sites(drawn, name))} in another; draw the same sites always"
            )
        for site in sites:
            shape = tuple(drawn.nodes[site]["fn"].batch_shape)
            if shape != (chains, 1):
                raise PriorError(
                    f"edge prior {name}: site {site!r} has batch shape {shape} for {chains} "
                    f"chains, not ({chains}, 1); what belongs together needs .to_event, in place "
                    "of a plate of the prior's own"
                )
        with pyro.plate("chain", chains, dim=-2):
            _check_use(prior, space, {n: drawn.nodes[n] for n in sites}, own)
    slab_of(prior)


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


def _advice(discrete: list[str], matrices: list[str]) -> str:
    """What to do about a program whose discrete sites are not just the adjacency."""
    if len(matrices) != 1:
        return "put all edges together as one matrix of probabilities, and draw that"
    others = [site for site in discrete if site not in matrices]
    if others:
        return (
            f"beside {matrices[0]!r} only continuous sites may be, so make {listing(others)} "
            "continuous: Dirichlet memberships in place of Categorical ones, a Beta weight in "
            "place of a switch"
        )
    return (
        f"return the value of {matrices[0]!r} as it is; the model draws the weights of edges "
        "itself, from the prior's slab"
    )


def _is_edge_matrix(site: dict[str, Any], size: int) -> bool:
    is_bernoulli = isinstance(getattr(site["fn"], "base_dist", site["fn"]), dist.Bernoulli)
    return is_bernoulli and bool(site["value"].shape[-2:] == (size, size))


def _check_use(prior: EdgePrior, space: GraphSpace, drawn: dict[str, Any], own: str | None) -> None:
    """Refuse a program that returns something else than its edges, or draws what moves none."""
    name = describe(prior)
    leaves = {n: s["value"].detach().clone().requires_grad_() for n, s in drawn.items() if n != own}
    fixed = dict(leaves)
    if own is not None:
        fixed[own] = torch.ones_like(drawn[own]["value"])
    with pyro.validation_enabled(False):
        trace = poutine.trace(poutine.condition(prior, fixed)).get_trace(space)
    edges = space.admit(trace.nodes["_RETURN"]["value"])
    if own is not None and not torch.equal(edges, space.admit(fixed[own]).expand_as(edges)):
        raise PriorError(f"edge prior {name}: {_advice([own], [own])}")
    for site in fixed:
        if _moves(trace.nodes[site]["fn"].support):
            raise PriorError(
                f"edge prior {name}: other sites move the bounds of site {site!r}; draw it between "
                "fixed bounds, and scale it"
            )
    # With its own value detached, a site's density hears of the other sites alone.
    heard = [trace.nodes[n]["fn"].log_prob(v.detach()).sum() for n, v in fixed.items()]
    total = sum(heard, torch.zeros((), requires_grad=True))
    for site, value in leaves.items():
        (moved,) = torch.autograd.grad(total, [value], allow_unused=True, retain_graph=True)
        if moved is None:
            raise PriorError(
                f"edge prior {name}: site {site!r} moves no edge; leave it out. The width of a "
                "slab is not drawn: give the slab itself, such as "
                "prior.slab = NormalScaleMixture.of(dist.LogNormal(0.0, 1.0))"
            )


def _moves(support: Any) -> bool:
    """Whether the bounds of a support depend on what was drawn."""
    bounds = vars(getattr(support, "base_constraint", support)).values()
    return any(isinstance(bound, torch.Tensor) and bound.requires_grad for bound in bounds)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
