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
    said: tuple[Components, Components], known: tuple[Tensor, Tensor], place: tuple[int, int]
) -> float:
    """How much of a component known latents and earlier components of its set tell.

    Args:
        said: components of training subjects and of held-out ones.
        known: latents known already, (set, subject, latent), of both kinds of subjects.
        place: which component, and of which set.

    Returns:
        The share of the held-out variance, 0 where nothing is known.
    """
    d, v = place
    inputs = [
        torch.cat([latents[v], own.merged[:d, v].T], -1)
        for latents, own in zip(known, said, strict=True)
    ]
    if not inputs[0].shape[-1]:
        return 0.0
    return _share(inputs, [own.merged[place] for own in said])


def _share(inputs: Sequence[Tensor], values: Sequence[Tensor]) -> float:
    from sklearn.ensemble import HistGradientBoostingRegressor

    (x, new_x), (y, new_y) = ([part.cpu().numpy() for part in pair] for pair in (inputs, values))
    trees = HistGradientBoostingRegressor(max_iter=_TREES, random_state=0).fit(x, y)
    return max(0.0, float(trees.score(new_x, new_y)))
