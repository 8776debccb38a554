"""How much of the true latents a code tells: held-out R2 of a nonlinear regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pyrocrl.errors import ModelError
from pyrocrl.metrics import cubic_ridge

__all__ = ["held_out_r2"]

FloatArray = npt.NDArray[np.float64]

_FEWEST_SUBJECTS = 60


def held_out_r2(true: npt.ArrayLike, estimated: npt.ArrayLike, groups: Sequence[str]) -> float:
    """Held-out R2 of the true latents, predicted from the estimated ones of the same modality.

    The prediction is the cubic polynomial ridge regression of `pyrocrl.metrics.r2` plus boosted
    trees on what it leaves. The polynomial alone is enough for a code that is near the truth, and
    understates one that is bent, such as that of an untrained encoder; trees alone are coarse,
    which costs a good code most where subjects are few.

    Args:
        true: (subject, latent).
        estimated: (subject, latent).
        groups: modality of each column, the same for both.

    Returns:
        R2, fitted on even rows and scored on odd rows, averaged over the true latents.

    Raises:
        ModelError: if shapes differ or there are fewer than 60 subjects.

    Example:
        >>> z = np.random.default_rng(0).normal(size=(2000, 2))
        >>> held_out_r2(np.sign(z), z, ["a", "b"]) > 0.9
        True
    """
    z, code = np.asarray(true, dtype=float), np.asarray(estimated, dtype=float)
    if z.shape != code.shape or z.ndim != 2 or len(groups) != z.shape[1]:
        raise ModelError(
            f"true and estimated must be (subject, latent) and groups name every latent, not "
            f"{z.shape}, {code.shape} and {len(groups)} names"
        )
    if len(z) < _FEWEST_SUBJECTS:
        raise ModelError(f"held-out R2 needs at least {_FEWEST_SUBJECTS} subjects, not {len(z)}")
    labels = np.asarray(groups)
    scores = []
    for latent, group in enumerate(groups):
        own = code[:, labels == group]
        missed = z[1::2, latent] - _predicted(own[::2], z[::2, latent], own[1::2])
        scores.append(1 - (missed**2).mean() / z[1::2, latent].var())
    return float(np.mean(scores))


def _predicted(known: FloatArray, target: FloatArray, new: FloatArray) -> FloatArray:
    from sklearn.ensemble import HistGradientBoostingRegressor

    smooth = cubic_ridge().fit(known, target)
    # Early stopping holds out some of the even rows: the odd ones stay unseen.
    trees = HistGradientBoostingRegressor(learning_rate=0.05, early_stopping=True, random_state=0)
    trees.fit(known, target - smooth.predict(known))
    return np.asarray(smooth.predict(new) + trees.predict(new))
