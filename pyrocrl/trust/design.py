"""Which data set a seed stands for in the benchmark of calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyrocrl.trust.simulated import KINDS, NOISES, Kind, Noise, Variables, draw_variables

__all__ = ["Design", "design", "known_order"]

_NODES = (5, 20)
_SUBJECTS = (100, 1000)


@dataclass(frozen=True)
class Design:
    """What is drawn for one seed.

    Attributes:
        seed: The seed.
        nodes: Number of variables, 5 to 20.
        subjects: Number of subjects, 100 to 1,000, uniform on a log scale.
        kind: "linear" for even seeds, "nonlinear" for odd ones.
        noise: Gaussian for half the data sets, else Laplace, uniform or Gumbel.
    """

    seed: int
    nodes: int
    subjects: int
    kind: Kind
    noise: Noise

    def draw(self) -> Variables:
        """Simulate, true strengths included."""
        return draw_variables(
            self.seed, self.nodes, self.subjects, self.kind, self.noise, strengths=True
        )


def design(seed: int) -> Design:
    """The data set of a seed.

    Example:
        >>> (design(1000).kind, design(1001).kind)
        ('linear', 'nonlinear')
    """
    # A stream of its own, so that sizes and data are independent.
    rng = np.random.default_rng([seed, 1])
    gaussian, *others = NOISES
    return Design(
        seed,
        nodes=int(rng.integers(_NODES[0], _NODES[1] + 1)),
        subjects=round(float(np.exp(rng.uniform(*np.log(_SUBJECTS))))),
        kind=KINDS[seed % 2],
        noise=gaussian if rng.random() < 0.5 else others[int(rng.integers(len(others)))],
    )


def known_order(seed: int, nodes: int) -> npt.NDArray[np.int64]:
    """The order of causes of a data set, causes before effects, without drawing the rest.

    Example:
        >>> bool((known_order(1000, design(1000).nodes) == design(1000).draw().order).all())
        True
    """
    # The order is the first thing that a seed draws.
    return np.random.default_rng(seed).permutation(nodes)
