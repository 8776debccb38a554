"""Observed variables with known causes: random graphs, straight or bent mechanisms, several noises.

The order of causes is uniform, and each pair of variables is linked with one probability. A child
is a sum of functions of its parents plus noise. In "linear" data they are straight lines; in
"nonlinear" data each is 1.2 tanh(1.5 v), sin(1.5 v) or v^2 / 2, of the parent's standardised value
v, or, one time in four, a straight line. Weights are between .5 and 1.5, signs random, noise has
deviation 1 and is Gaussian, Laplace, uniform or skewed (Gumbel). Variables are standardised at the
end.

The true strength of an edge is the information that the parent adds about the child to what the
other true parents tell, in nats per subject: half the log of the ratio of the child's residual
variances without and with the parent, each given the best additive predictor, in a large sample of
the same mechanisms. The strengths that our posterior reports are the same under Gaussian noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pyrocrl.errors import ModelError, listing

__all__ = ["KINDS", "NOISES", "Kind", "Noise", "Variables", "draw_variables"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], FloatArray]
Kind = Literal["linear", "nonlinear"]
Noise = Literal["gaussian", "laplace", "uniform", "gumbel"]

KINDS: tuple[Kind, ...] = ("linear", "nonlinear")
NOISES: dict[Noise, Draw] = {
    "gaussian": lambda rng, n: rng.standard_normal(n),
    "laplace": lambda rng, n: rng.laplace(size=n) / np.sqrt(2),
    "uniform": lambda rng, n: rng.uniform(-(3**0.5), 3**0.5, n),
    "gumbel": lambda rng, n: (rng.gumbel(size=n) - np.euler_gamma) / (np.pi / 6**0.5),
}

_SHAPES: tuple[Callable[[FloatArray], FloatArray], ...] = (
    lambda v: v,
    lambda v: 1.2 * np.tanh(1.5 * v),
    lambda v: np.sin(1.5 * v),
    lambda v: v**2 / 2,
)
_WEIGHTS = (0.5, 1.5)
_PARENTS_PER_NODE = 1.0
_LARGE_SAMPLE = 20_000
_DEGREE = 9


@dataclass(frozen=True, eq=False)
class Variables:
    """Simulated variables and their truth.

    Attributes:
        z: Standardised values, (subject, variable).
        adjacency: True edges, (child, parent).
        order: The variables, causes before effects.
        rate: Probability with which each pair was linked.
        linear: Whether all mechanisms are straight lines.
        strength: True strengths in nats per subject, (child, parent); 0 where there is no edge.
    """

    z: FloatArray
    adjacency: BoolArray
    order: npt.NDArray[np.int64]
    rate: float
    linear: bool
    strength: FloatArray

    @property
    def allowed(self) -> BoolArray:
        """Edges that agree with the order, (child, parent)."""
        place = np.argsort(self.order)
        return np.asarray(place[:, None] > place)


def draw_variables(
    seed: int, n_nodes: int, n_subjects: int, kind: Kind, noise: Noise, *, strengths: bool = False
) -> Variables:
    """Simulate one data set.

    On average a variable has one parent, half of all pairs being linked at most.

    Args:
        seed: Decides everything that is random.
        n_nodes: Number of variables.
        n_subjects: Number of subjects.
        kind: "linear" or "nonlinear".
        noise: Law of the noise.
        strengths: Whether to compute the true strengths, from 20,000 further subjects.

    Returns:
        Data and truth.

    Raises:
        ModelError: If `kind` or `noise` is unknown.

    Example:
        >>> data = draw_variables(200, 6, 100, "nonlinear", "laplace", strengths=True)
        >>> data.z.shape, bool((data.strength[data.adjacency] > 0).all())
        ((100, 6), True)
    """
    for name, value, known in (("kind", kind, KINDS), ("noise", noise, NOISES)):
        if value not in known:
            raise ModelError(f"{name} must be one of {listing(known)}, not {value!r}")
    rng = np.random.default_rng(seed)
    order = rng.permutation(n_nodes)
    rate = min(0.5, 2 * _PARENTS_PER_NODE / (n_nodes - 1))
    place = np.argsort(order)
    adjacency = (place[:, None] > place) & (rng.random((n_nodes, n_nodes)) < rate)
    weights = rng.uniform(*_WEIGHTS, (n_nodes, n_nodes)) * rng.choice([-1, 1], (n_nodes, n_nodes))
    bends = rng.integers(len(_SHAPES), size=(n_nodes, n_nodes))
    shapes = bends if kind == "nonlinear" else np.zeros_like(bends)

    # Effects act on standardised values, with moments of a large sample, else variances explode.
    large = np.zeros((_LARGE_SAMPLE + n_subjects, n_nodes))
    for child in order:
        large[:, child] = NOISES[noise](rng, len(large))
        for parent in np.flatnonzero(adjacency[child]):
            effect = _SHAPES[shapes[child, parent]](large[:, parent])
            large[:, child] += weights[child, parent] * effect
        large[:, child] -= large[:, child].mean()
        large[:, child] /= large[:, child].std()
    z = large[:n_subjects]
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    strength = np.zeros((n_nodes, n_nodes))
    if strengths:
        strength = _true_strengths(large[n_subjects:], adjacency)
    return Variables(z, adjacency, order, rate, kind == "linear", strength)


def _true_strengths(z: FloatArray, adjacency: BoolArray) -> FloatArray:
    strength = np.zeros(adjacency.shape)
    for child in range(len(adjacency)):
        parents = np.flatnonzero(adjacency[child])
        full = _residual_variance(z[:, child], z[:, parents])
        for parent in parents:
            others = z[:, parents[parents != parent]]
            without = _residual_variance(z[:, child], others)
            strength[child, parent] = 0.5 * np.log(without / full)
    return strength


def _residual_variance(y: FloatArray, x: FloatArray) -> float:
    """Of the best additive predictor, by polynomials of each column's ranks and values."""
    columns = [np.ones(len(y))]
    for value in x.T:
        rank = 2 * np.argsort(np.argsort(value)) / (len(value) - 1) - 1
        columns += [value, value**2, *np.polynomial.legendre.legvander(rank, _DEGREE).T[1:]]
    design = np.stack(columns, axis=1)
    weights = np.linalg.lstsq(design, y, rcond=None)[0]
    return float(((y - design @ weights) ** 2).mean())
