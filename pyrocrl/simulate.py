"""Data with known truth: the numerical cases of Sun et al. (2025), appendix D.1.

The paper leaves the noise law, the mechanisms, their strengths and the conditioning of the mixing
open. Ours, stated once: root latents and noise are standard normal; a child is the sum of its
parents' effects, plus noise of standard deviation .5; an effect is a tanh, leaky-linear or sine
function with a strength of .8 to 1.6 and a random sign; latents are standardised; each modality
mixes its latents and its own noise by a three-layer leaky-ReLU network (slope .2). No effect is
linear: with Gaussian noise, two linear edges can be turned together without any change in the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.data import MultimodalData
from pyrocrl.errors import ModelError

__all__ = ["CASES", "Case", "Mixing", "Truth", "numerical_case"]

FloatArray = npt.NDArray[np.float64]
Mixing = Literal["expand", "square"]


@dataclass(frozen=True)
class Case:
    """Sizes of a numerical case: modalities, and the latents, noises and columns of each."""

    modalities: int
    latents: int
    noises: int
    columns: int


CASES = {1: Case(2, 2, 1, 15), 2: Case(2, 3, 1, 20), 3: Case(4, 2, 1, 30)}


@dataclass(frozen=True)
class Truth:
    """What generated a simulated data set.

    Attributes:
        latents: (subject, latent), standardised; columns named `m1.z1`, ...
        adjacency: `A[child, parent]`, 1 where an edge is; rows and columns named as the latents.
        noise: (subject, noise), each modality's own noise; columns named `m1.eta1`, ...
        groups: modality of each latent.
    """

    latents: pd.DataFrame
    adjacency: pd.DataFrame
    noise: pd.DataFrame
    groups: tuple[str, ...]


def numerical_case(
    case: int = 1, *, seed: int = 0, n_subjects: int = 10_000, mixing: Mixing = "expand"
) -> tuple[MultimodalData, Truth]:
    """A numerical case: case 1, 2 or 3 with sparse edges between modalities and none inside.

    Every latent of a later modality has one parent, a latent of an earlier modality, and no two
    latents of a modality share a parent in the same earlier modality.

    Args:
        case: 1 (two modalities, two latents each, 15 columns), 2 (two, three, 20) or 3 (four, two,
            30); each modality has one noise of its own.
        seed: decides everything.
        n_subjects: number of subjects.
        mixing: "expand" goes from the latents to the columns in the first layer and is nearly
            linear; "square" keeps the latents' dimension in every layer, then lifts orthonormally,
            and is far from linear.

    Returns:
        The data and the truth behind them.

    Raises:
        ModelError: if `case` or `mixing` is unknown or `n_subjects` is not positive.

    Source: Sun et al. (2025), section 6.1 and appendix D.1.

    Example:
        >>> data, truth = numerical_case(1, seed=0, n_subjects=200)
        >>> data.names, truth.latents.shape, int(truth.adjacency.to_numpy().sum())
        (('m1', 'm2'), (200, 4), 2)
    """
    if case not in CASES:
        raise ModelError(f"case must be one of {sorted(CASES)}, not {case!r}")
    if mixing not in _MIXINGS:
        raise ModelError(f"mixing must be one of {sorted(_MIXINGS)}, not {mixing!r}")
    if n_subjects < 1:
        raise ModelError(f"n_subjects must be at least 1, not {n_subjects}")
    size, rng = CASES[case], np.random.default_rng(seed)
    names = tuple(f"m{m + 1}" for m in range(size.modalities))
    adjacency = _sparse_edges_between(size, rng)
    z = _draw_latents(adjacency, n_subjects, rng)
    eta = rng.normal(size=(n_subjects, size.modalities * size.noises))
    tables = {}
    for m, name in enumerate(names):
        own_z = z[:, m * size.latents : (m + 1) * size.latents]
        own_eta = eta[:, m * size.noises : (m + 1) * size.noises]
        mix = _MIXINGS[mixing](size.latents + size.noises, size.columns, rng)
        columns = [f"x{k + 1}" for k in range(size.columns)]
        tables[name] = pd.DataFrame(mix(np.hstack([own_z, own_eta])), columns=columns)
    latent_names = [f"{name}.z{k + 1}" for name in names for k in range(size.latents)]
    noise_names = [f"{name}.eta{k + 1}" for name in names for k in range(size.noises)]
    truth = Truth(
        latents=pd.DataFrame(z, columns=latent_names),
        adjacency=pd.DataFrame(adjacency, index=latent_names, columns=latent_names),
        noise=pd.DataFrame(eta, columns=noise_names),
        groups=tuple(name for name in names for _ in range(size.latents)),
    )
    return MultimodalData(tables), truth


def _sparse_edges_between(size: Case, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    adjacency = np.zeros((size.modalities * size.latents,) * 2, dtype=np.int64)
    for m in range(1, size.modalities):
        parent_slots = rng.permutation(size.latents)
        for i in range(size.latents):
            source = rng.integers(0, m)
            adjacency[m * size.latents + i, source * size.latents + parent_slots[i]] = 1
    return adjacency


def _leaky(v: FloatArray) -> FloatArray:
    return np.where(v > 0, v, 0.2 * v)


_EFFECTS: tuple[Callable[[FloatArray], FloatArray], ...] = (
    lambda v: 1.2 * np.tanh(1.5 * v),
    _leaky,
    lambda v: v + 0.5 * np.sin(2 * v),
)


def _draw_latents(
    adjacency: npt.NDArray[np.int64], n_subjects: int, rng: np.random.Generator
) -> FloatArray:
    z = rng.normal(size=(n_subjects, len(adjacency)))
    for child in range(len(adjacency)):
        parents = np.flatnonzero(adjacency[child])
        if len(parents):
            z[:, child] *= 0.5
        for parent in parents:
            strength = rng.uniform(0.8, 1.6) * rng.choice([-1, 1])
            effect = _EFFECTS[rng.integers(len(_EFFECTS))]
            z[:, child] += strength * effect(z[:, parent])
    if n_subjects == 1:
        return z
    return np.asarray((z - z.mean(0)) / z.std(0))


def _expanding_mixing(
    inputs: int, outputs: int, rng: np.random.Generator
) -> Callable[[FloatArray], FloatArray]:
    first = _well_conditioned(inputs, outputs, rng)
    layers = [
        first,
        _well_conditioned(outputs, outputs, rng),
        _well_conditioned(outputs, outputs, rng),
    ]
    return lambda v: _leaky(_leaky(v @ layers[0]) @ layers[1]) @ layers[2]


def _square_mixing(
    inputs: int, outputs: int, rng: np.random.Generator
) -> Callable[[FloatArray], FloatArray]:
    layers = [_well_conditioned(inputs, inputs, rng) for _ in range(3)]
    lift = np.linalg.qr(rng.normal(size=(outputs, inputs)))[0].T
    return lambda v: _leaky(_leaky(_leaky(v @ layers[0]) @ layers[1]) @ layers[2]) @ lift


_MIXINGS: dict[str, Callable[..., Callable[[FloatArray], FloatArray]]] = {
    "expand": _expanding_mixing,
    "square": _square_mixing,
}


def _well_conditioned(inputs: int, outputs: int, rng: np.random.Generator) -> FloatArray:
    draws = rng.uniform(-1, 1, size=(50, inputs, outputs))
    draws /= np.linalg.norm(draws, axis=1, keepdims=True)
    return np.asarray(draws[np.argmin(np.linalg.cond(draws))])
