"""A prior program run many times at once, its continuous sites in unconstrained space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyro
import torch
from pyro import poutine
from pyro.poutine.messenger import Messenger
from torch import Tensor
from torch.distributions import biject_to

from pyrocrl.scm.graph_space import GraphSpace
from pyrocrl.scm.priors import EdgePrior
from pyrocrl.scm.programs import adjacency_site
from pyrocrl.structure._arrays import FloatArray

__all__ = ["ProgramRun", "run_program"]


@dataclass(frozen=True, eq=False)
class ProgramRun:
    """Draws of a prior program.

    Attributes:
        probabilities: Of the edges given the continuous sites, (draw, child, parent).
        places: The continuous sites in unconstrained space, (draw, dimension).
        log_density: Prior log density of these places, (draw,).
        shapes: Shape of each continuous site in unconstrained space, of one draw.
    """

    probabilities: FloatArray
    places: FloatArray
    log_density: FloatArray
    shapes: dict[str, torch.Size]

    def split(self, places: FloatArray) -> dict[str, Tensor]:
        """Places, (draw, dimension), as values of the sites in unconstrained space."""
        parts, first = {}, 0
        for name, shape in self.shapes.items():
            own = places[:, first : first + shape.numel()]
            tensor = torch.as_tensor(own, dtype=torch.get_default_dtype())
            parts[name] = tensor.reshape(len(places), 1, *shape)
            first += shape.numel()
        return parts


def run_program(
    prior: EdgePrior, space: GraphSpace, count: int, given: Mapping[str, Tensor] | None = None
) -> ProgramRun:
    """Run a prior program in a plate, as the model does.

    Args:
        prior: Any edge prior.
        space: The possible graphs.
        count: Number of draws.
        given: Values of its continuous sites in unconstrained space, (draw, 1, ...) each; without
            them they are drawn.

    Returns:
        The draws.

    Raises:
        PriorError: If the program is no edge prior (see `adjacency_site`).
    """
    name, sites = adjacency_site(prior, space)
    size = len(space.nodes)
    plate, placed = pyro.plate("chain", count, dim=-2), _Placed(given or {})
    with torch.no_grad(), pyro.validation_enabled(False), plate, placed:
        trace = poutine.trace(prior).get_trace(space)
    if name is None:
        edges = trace.nodes["_RETURN"]["value"]
    else:
        distribution = trace.nodes[name]["fn"]
        edges = getattr(distribution, "base_dist", distribution).probs
    probabilities = space.admit(edges).expand(count, 1, size, size).reshape(count, size, size)

    places, shapes = [], {}
    log_density = torch.zeros(count, dtype=torch.float64)
    for site_name in (own for own in sites if own != name):
        site, value = trace.nodes[site_name], trace.nodes[site_name]["value"]
        transform = biject_to(site["fn"].support)
        # The way back would round, and a value at the edge of the support has no way back.
        place = placed.given.get(site_name, transform.inv(value))
        log_prob = site["fn"].log_prob(value) + transform.log_abs_det_jacobian(place, value)
        log_density += log_prob.double().reshape(count, -1).sum(1)
        places.append(place.double().reshape(count, -1))
        shapes[site_name] = place.shape[2:]
    return ProgramRun(
        probabilities.double().numpy(),
        torch.cat(places, 1).numpy() if places else np.zeros((count, 0)),
        log_density.numpy(),
        shapes,
    )


class _Placed(Messenger):
    """Sets sites to values that are given in unconstrained space."""

    def __init__(self, given: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.given = given

    def _pyro_sample(self, msg: Any) -> None:
        if msg["name"] in self.given:
            msg["value"] = biject_to(msg["fn"].support)(self.given[msg["name"]])
            msg["done"] = True
