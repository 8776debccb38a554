"""Is a component a latent of its own, or a function of latents that are known already?

Networks that look for agreement leave out what simple functions of known latents tell, but find
functions that are not simple, on which all modalities that see these latents agree. Boosted trees
find those too.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pyrocrl.sharing.agreement import Components

__all__ = ["told_by_known"]

_TREES = 200


def told_by_known(
    here: Components, there: Components, known: tuple[Tensor, Tensor], rooms: Sequence[int]
) -> Tensor:
    """How much of each component known latents and earlier components tell.

    Args:
        here: components of training subjects.
        there: those of held-out subjects.
        known: latents known already, (set, subject, latent), of training and held-out subjects.
        rooms: of each set, how many components may count; others are left out.

    Returns:
        (component, set), the share of the held-out variance, 0 where nothing is known.
    """
    told = torch.zeros(here.merged.shape[:2])
    for v, room in enumerate(rooms):
        for d in range(min(room, len(told))):
            inputs = [
                torch.cat([latents[v], said.merged[:d, v].T], -1)
                for latents, said in zip(known, (here, there), strict=True)
            ]
            if inputs[0].shape[-1]:
                told[d, v] = _share(inputs, [here.merged[d, v], there.merged[d, v]])
    return told


def _share(inputs: Sequence[Tensor], values: Sequence[Tensor]) -> float:
    from sklearn.ensemble import HistGradientBoostingRegressor

    (x, new_x), (y, new_y) = ([part.cpu().numpy() for part in pair] for pair in (inputs, values))
    trees = HistGradientBoostingRegressor(max_iter=_TREES, random_state=0).fit(x, y)
    return max(0.0, float(trees.score(new_x, new_y)))
