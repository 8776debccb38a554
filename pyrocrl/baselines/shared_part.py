"""Which coordinates of a code count as latents, for methods that cannot tell them from noise.

An autoencoder's code holds latents and noise in whatever coordinates it likes. Scores are kinder if
the code may hold both and the coordinates that look most like latents are picked afterwards, than
if the code is too small for what it must reconstruct. Latents are what modalities have to do with
each other, so the coordinates that the *other* modalities' measurements predict best are taken: by
the held-out R2 of a linear regression, without any look at the truth. The autoencoder and the
beta-VAE choose like that.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pyrocrl.baselines.face import Learned
from pyrocrl.baselines.problem import Problem
from pyrocrl.baselines.training import Encoders
from pyrocrl.data import Batch

__all__ = ["most_predictable", "shared_latents"]

_RIDGE = 1.0


def shared_latents(encoders: Encoders, problem: Problem) -> Learned:
    """The chosen coordinates of trained encoders as latents, the best predicted first.

    Args:
        encoders: one code per modality, with at least as many coordinates as it has latents.
        problem: the data, and how many latents each modality has.
    """
    everybody = problem.data.batch()
    with torch.no_grad():
        codes = [code.numpy() for code in encoders.means(everybody)]
    chosen = [
        most_predictable(code, _columns_of_others(everybody, name), problem.latents[name])
        for name, code in zip(problem.names, codes, strict=True)
    ]

    def encode(batch: Batch) -> Tensor:
        pairs = zip(encoders.means(batch), chosen, strict=True)
        return torch.cat([code[:, own] for code, own in pairs], 1)

    return Learned(encode)


def most_predictable(
    code: npt.NDArray[np.floating], others: npt.NDArray[np.floating], count: int
) -> npt.NDArray[np.intp]:
    """The coordinates that a linear regression on other measurements predicts best.

    Args:
        code: (subject, coordinate).
        others: (subject, column); without columns the first coordinates are taken.
        count: how many coordinates to take.

    Returns:
        (count,), best first; the regression is fitted on even rows and scored on odd ones.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> code = rng.normal(size=(100, 3))
        >>> most_predictable(code, code[:, [2]], count=1).tolist()
        [2]
    """
    if others.shape[1] == 0:
        return np.arange(count)
    from sklearn.linear_model import Ridge

    # Neighbouring pixels are nearly the same, too nearly for single precision.
    others, code = others.astype(np.float64), code.astype(np.float64)
    regression = Ridge(_RIDGE).fit(others[::2], code[::2])
    truth = code[1::2]
    error = ((truth - regression.predict(others[1::2]).reshape(truth.shape)) ** 2).mean(0)
    spread = truth.var(0)
    explained = 1 - error / np.where(spread > 0, spread, np.inf)
    # A constant coordinate is predicted without error, and holds nothing.
    explained[spread == 0] = -np.inf
    return np.argsort(-explained, kind="stable")[:count]


def _columns_of_others(batch: Batch, name: str) -> npt.NDArray[np.floating]:
    others = [batch[other].values.flatten(1).numpy() for other in batch if other != name]
    return np.hstack(others) if others else np.empty((batch.size, 0))
