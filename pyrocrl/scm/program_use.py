"""Edge priors as programs: what they return is what they drew, and all that they draw tells."""

from __future__ import annotations

from typing import Any

import pyro
import torch
from pyro import poutine
from torch import Tensor

from pyrocrl.errors import PriorError, listing
from pyrocrl.scm.graph_space import GraphSpace
from pyrocrl.scm.priors import EdgePrior, describe

__all__ = ["advice", "check_use", "first_line"]


def advice(discrete: list[str], matrices: list[str]) -> str:
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


def check_use(prior: EdgePrior, space: GraphSpace, drawn: dict[str, Any], own: str | None) -> None:
    """Run a program with its sites fixed, and look at what hears of them.

    Args:
        prior: the program.
        space: the possible graphs.
        drawn: its sites, as a trace holds them.
        own: the site that is the adjacency; None if it draws none.

    Raises:
        PriorError: if it returns something else than the adjacency's value, fails where gradients
            are taken, or draws a site whose bounds other sites move, or on which nothing depends.
    """
    name = describe(prior)
    leaves = {n: s["value"].detach().clone().requires_grad_() for n, s in drawn.items() if n != own}
    fixed = dict(leaves)
    if own is not None:
        fixed[own] = torch.ones_like(drawn[own]["value"])
    try:
        with pyro.validation_enabled(False):
            trace = poutine.trace(poutine.condition(prior, fixed)).get_trace(space)
    except Exception as error:
        raise PriorError(
            f"edge prior {name} failed where gradients are taken: {first_line(error)}; compute "
            "with torch alone from what was drawn"
        ) from error
    edges = space.admit(trace.nodes["_RETURN"]["value"])
    if own is not None and not torch.equal(edges, space.admit(fixed[own]).expand_as(edges)):
        raise PriorError(f"edge prior {name}: {advice([own], [own])}")
    for site in leaves:
        if _moves(trace.nodes[site]["fn"].support):
            raise PriorError(
                f"edge prior {name}: other sites move the bounds of site {site!r}; draw it between "
                "fixed bounds, and scale it"
            )
    for site in _unheard(trace, fixed, leaves):
        raise PriorError(
            f"edge prior {name}: site {site!r} moves no edge; leave it out. The width of a slab is "
            "not drawn: give the slab itself, such as "
            "prior.slab = NormalScaleMixture.of(dist.LogNormal(0.0, 1.0))"
        )


def _unheard(
    trace: poutine.Trace, fixed: dict[str, Tensor], leaves: dict[str, Tensor]
) -> list[str]:
    """Sites on whose values the density of no other site depends."""
    # With its own value detached, a site's density hears of the other sites alone.
    heard = [trace.nodes[n]["fn"].log_prob(v.detach()).sum() for n, v in fixed.items()]
    total = sum(heard, torch.zeros((), requires_grad=True))
    return [
        site
        for site, value in leaves.items()
        if torch.autograd.grad(total, value, allow_unused=True, retain_graph=True)[0] is None
    ]


def _moves(support: Any) -> bool:
    """Whether the bounds of a support depend on what was drawn."""
    bounds = vars(getattr(support, "base_constraint", support)).values()
    return any(isinstance(bound, torch.Tensor) and bound.requires_grad for bound in bounds)


def first_line(error: Exception) -> str:
    """The first line of an error's message, or its kind where it has none."""
    return next(iter(str(error).splitlines()), type(error).__name__)
