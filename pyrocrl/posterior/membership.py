"""Which modality sees which latent, and how probably."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.data import MultimodalData
from pyrocrl.scm import Nodes

__all__ = ["draw_membership", "membership_of", "seen_by"]


def seen_by(nodes: Nodes, data: MultimodalData) -> dict[str, tuple[str, ...]]:
    """The modalities that see each node: a latent's own, or those that show a shared variable.

    Args:
        nodes: the nodes.
        data: measurements, or their template; says which modalities show variables.

    Returns:
        By name of the node; nodes that no modality sees are left out.
    """
    found = {}
    for name, group in zip(nodes.names, nodes.groups, strict=True):
        modality = data[group]
        members = modality.seen_by if modality.is_variables else (group,)
        if members:
            found[name] = tuple(members)
    return found


def membership_of(
    seen: Mapping[str, Sequence[str]], modalities: Sequence[str], sharing: pd.DataFrame | None
) -> pd.DataFrame:
    """P(a modality sees a latent), (latent, modality).

    Args:
        seen: see `seen_by`.
        modalities: names of the columns.
        sharing: the same of latents that were found to be shared; others are as given.

    Example:
        >>> membership_of({"eye.z1": ["eye"]}, ["eye", "heart"], None).to_numpy()
        array([[1., 0.]])
    """
    given = [[float(name in members) for name in modalities] for members in seen.values()]
    frame = pd.DataFrame(given, index=list(seen), columns=list(modalities), dtype=float)
    if sharing is not None:
        frame.loc[sharing.index, sharing.columns] = sharing
    return frame.rename_axis(index="latent", columns="modality")


def draw_membership(
    seen: Mapping[str, Sequence[str]],
    probability: pd.DataFrame,
    draws: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.int8]:
    """Draws of the membership, (draw, latent, modality).

    The first modality of a set always sees its latent; the others see it together or not, as what
    is not shared is a latent of each.

    Args:
        seen: modalities of each latent.
        probability: (latent, modality).
        draws: number of draws.
        rng: source of randomness.
    """
    modalities = list(probability.columns)
    drawn = np.zeros((draws, len(probability), len(modalities)), dtype=np.int8)
    for k, latent in enumerate(probability.index):
        first, *others = seen[latent]
        drawn[:, k, modalities.index(first)] = 1
        if others:
            together = rng.random(draws) < float(probability.loc[latent, others].min())
            for name in others:
                drawn[:, k, modalities.index(name)] = together
    return drawn
