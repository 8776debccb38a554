"""Edge probabilities of any method's latents: the posterior that our own fits report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.benchmark.settings import Order
from pyrocrl.errors import ModelError
from pyrocrl.posterior.collapse import collapse
from pyrocrl.scm import BackgroundKnowledge, Nodes
from pyrocrl.settings import FitSettings

__all__ = ["SHOWN", "edge_probabilities", "edges_from_text", "edges_to_text"]

FloatArray = npt.NDArray[np.float64]

SHOWN = 0.001

_CONSTANT = 1e-8


def edge_probabilities(z: npt.ArrayLike, groups: Sequence[str], order: Order) -> FloatArray:
    """P(edge) given latents, under the default edge prior and rope of `pyrocrl.fit`.

    Args:
        z: (subject, latent). With `order="modality"`, modalities that cause others stand before
            them.
        groups: modality of each latent.
        order: what is known of the order of causes, see `pyrocrl.fit`.

    Returns:
        (child, parent). A constant latent has no edges.

    Raises:
        ModelError: if a latent is not finite.

    Example:
        >>> cause, noise = np.random.default_rng(0).normal(size=(2, 500))
        >>> z = np.stack([cause, np.tanh(cause) + 0.3 * noise], axis=1)
        >>> edge_probabilities(z, ["a", "b"], "modality").round(2)
        array([[0., 0.],
               [1., 0.]])
    """
    values = np.asarray(z, dtype=float)
    if not np.isfinite(values).all():
        raise ModelError("the latents hold NaN or infinity")
    moving = np.flatnonzero(values.std(axis=0) > _CONSTANT)
    probability = np.zeros((values.shape[1],) * 2)
    if not len(moving):
        return probability
    nodes = Nodes(
        tuple(f"z{k}" for k in moving),
        tuple(groups[int(k)] for k in moving),
        (True,) * len(moving),
    )
    defaults = FitSettings()
    collapsed = collapse(
        values[None, :, moving],
        BackgroundKnowledge().graph_space(nodes, order),
        defaults.prior,
        rope=defaults.rope,
        nonlinear=True,
        seed=0,
    )
    posterior = collapsed.posteriors[0]
    assert posterior is not None
    probability[np.ix_(moving, moving)] = posterior.probability
    return probability


def edges_to_text(adjacency: pd.DataFrame) -> str:
    """Edges as text for a cell of a table, those below .001 left out.

    Args:
        adjacency: probabilities, or 0 and 1; rows named by children, columns by parents.

    Example:
        >>> names = ["a.z1", "b.z1"]
        >>> edges_to_text(pd.DataFrame([[0, 0], [0.987, 0]], index=names, columns=names))
        'a.z1>b.z1:0.99'
    """
    shown = [
        f"{parent}>{child}:{float(adjacency.loc[child, parent]):.2g}"
        for child in adjacency.index
        for parent in adjacency.columns
        if adjacency.loc[child, parent] >= SHOWN
    ]
    return " ".join(shown)


def edges_from_text(text: str) -> dict[tuple[str, str], float]:
    """The probability of every (parent, child) of such a text.

    Example:
        >>> edges_from_text("a.z1>b.z1:0.99 a.z1>b.z2:1")
        {('a.z1', 'b.z1'): 0.99, ('a.z1', 'b.z2'): 1.0}
    """
    edges = {}
    for word in text.split():
        names, _, probability = word.rpartition(":")
        parent, _, child = names.partition(">")
        edges[parent, child] = float(probability)
    return edges
