"""What a reader of the result should know before believing it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.posterior.collapse import Collapsed
from pyrocrl.posterior.reliability import reliability_of
from pyrocrl.posterior.restarts import best_restart
from pyrocrl.scm import Nodes
from pyrocrl.structure.noise_laws import shape_tells
from pyrocrl.training import History

__all__ = ["directions_of_few_values", "warnings_of"]

_SAME_LATENTS = 0.9
_RELIABLE = 0.8
_FEW_SUBJECTS = 1000
_FEW_COMPONENTS = 50.0


def warnings_of(
    restarts: pd.DataFrame,
    values: pd.DataFrame,
    deviations: pd.DataFrame,
    history: History,
    collapsed: Collapsed,
    nodes: Nodes,
    complete: npt.NDArray[np.bool_],
) -> tuple[str, ...]:
    """Plain sentences about what limits the result; none where nothing does."""
    said = []
    if history.interrupted:
        said.append(
            "The fit was interrupted before it was done; it may not have found the latents."
        )
    said += _about_restarts(restarts)
    said += _about_latents(values, deviations)
    if len(complete) < _FEW_SUBJECTS:
        said.append(
            f"There are only {len(complete)} subjects; latents of nonlinear measurements are found "
            "reliably from a few thousand on."
        )
    if not complete.all():
        said.append(
            f"Edge probabilities rest on the {int(complete.sum())} of {len(complete)} subjects "
            "for whom every variable and some of every table is measured."
        )
    if len(collapsed.mixture.log_weights) > 1 and collapsed.prior_ess < _FEW_COMPONENTS:
        said.append(
            f"The edge prior's continuous sites are represented by {collapsed.prior_ess:.0f} "
            "effective draws; edge probabilities near one half are approximate."
        )
    capped = {c for p in collapsed.posteriors if p is not None for c in p.capped}
    if capped:
        names = ", ".join(nodes.names[child] for child in sorted(capped))
        said.append(
            f"Parent sets were limited in size for nodes with many possible parents: {names}."
        )
    return tuple(said)


def directions_of_few_values(
    z: npt.NDArray[np.float64], nodes: Nodes, allowed: npt.NDArray[np.bool_]
) -> list[str]:
    """A sentence about variables of few values whose edges may run either way; none without.

    Args:
        z: (subject, node), node values.
        nodes: the nodes.
        allowed: (child, parent), edges that may be.
    """
    either_way = (allowed & allowed.T).any(axis=1) & ~np.array(nodes.is_latent)
    few = [nodes.names[i] for i in np.flatnonzero(either_way) if not shape_tells(z[:, i])]
    if not few:
        return []
    return [
        f"These take few values, so that the data hardly tell which way their edges run: "
        f"{', '.join(few)}. If that is known, say so (BackgroundKnowledge, or the order of the "
        "modalities)."
    ]


def _about_restarts(restarts: pd.DataFrame) -> list[str]:
    if len(restarts) == 1:
        return ["There was only one restart, so that nothing tells whether it can be reproduced."]
    said = []
    failed = int(restarts.held_out_elbo.isna().sum())
    if failed:
        said.append(
            f"Training diverged in {failed} of {len(restarts)} restarts; they do not count."
        )
    others = restarts[restarts.restart != best_restart(restarts)]
    if not (others.agreement > _SAME_LATENTS).any():
        said.append(
            "No other restart found the same latents as the best one; more restarts or more "
            "subjects may change the result."
        )
    elif (restarts[restarts.weight > 0].agreement < _SAME_LATENTS).any():
        said.append(
            "Restarts that explain the data equally well disagree about the latents; the edge "
            "probabilities average over them."
        )
    return said


def _about_latents(values: pd.DataFrame, deviations: pd.DataFrame) -> list[str]:
    reliability = reliability_of(values, deviations)
    weak = reliability[reliability < _RELIABLE]
    if weak.empty:
        return []
    listed = ", ".join(f"{name} ({share:.2f})" for name, share in weak.items())
    return [
        f"The measurements determine these latents only in part (reliability): {listed}. Their "
        "edges are less certain than their probabilities say."
    ]
