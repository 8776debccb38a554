"""The posterior as ArviZ InferenceData, with named dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import arviz

    from pyrocrl.posterior.posterior import Posterior

__all__ = ["import_arviz", "to_inference_data"]


def import_arviz() -> Any:
    """ArviZ, without the notice that its first import of a day prints.

    It is imported here and not at the top because it takes seconds.
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz
    return arviz


def to_inference_data(posterior: Posterior) -> arviz.InferenceData:
    """Draws of graphs, strengths and effects of the restarts that make up the answer.

    Args:
        posterior: a fitted posterior.

    Returns:
        Groups `posterior` (adjacency, strength, effect; chain, draw, child, parent),
        `sample_stats` (held_out_elbo and weight of each chain) and `constant_data` (allowed edges,
        modality of each node). Chains are the restarts that count, by their number.
    """
    az = import_arviz()
    names = list(posterior.nodes.names)
    kept = posterior.restarts[posterior.restarts.weight > 0]
    draws = posterior.draws
    edge = ["child", "parent"]
    per_draw = np.ones(draws.adjacency.shape[:2])
    return az.from_dict(
        posterior={
            "adjacency": draws.adjacency.astype(np.int8),
            "strength": draws.strength,
            "effect": draws.effect,
        },
        sample_stats={
            "held_out_elbo": kept.held_out_elbo.to_numpy()[:, None] * per_draw,
            "weight": kept.weight.to_numpy()[:, None] * per_draw,
        },
        constant_data={
            "allowed": posterior.allowed.astype(np.int8),
            "modality": np.array(posterior.nodes.groups),
        },
        coords={
            "chain": kept.restart.to_numpy(),
            "child": names,
            "parent": names,
            "node": names,
        },
        dims={
            "adjacency": edge,
            "strength": edge,
            "effect": edge,
            "allowed": edge,
            "modality": ["node"],
        },
        attrs={"rope": posterior.rope, "inference_library": "pyrocrl"},
    )
