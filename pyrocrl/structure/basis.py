"""What a parent may do to its child: a straight line plus a few smooth bends, per node.

The posterior over graphs needs the node values only through the products of these features, so
they are summed once and every score is computed from the sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from pyrocrl.errors import ModelError
from pyrocrl.structure._arrays import BoolArray, FloatArray, RealArray

__all__ = ["NodeBasis", "SufficientStatistics", "sufficient_statistics"]

N_SMOOTH = 5
_N_KNOTS = 12
_ROWS_PER_BLOCK = 32_768
_ROWS_KEPT = 2_000
# Kernel directions and features below these shares are rounding errors, not functions.
_SMALLEST_EIGENVALUE = 1e-8
_SMALLEST_VARIANCE = 1e-8


@dataclass(frozen=True, eq=False)
class NodeBasis:
    """Features of one node: its standardised value and smooth functions of it.

    The smooth features are the leading Nystroem features of a Gaussian kernel whose length is one
    standard deviation, with their mean and their linear trend taken out. They are scaled so that
    weights of unit variance give a function of unit variance. A node with few distinct values
    supports fewer of them (a binary node none); the others are zero everywhere.

    Source: Williams and Seeger (2001), Using the Nystroem method to speed up kernel machines.

    Attributes:
        mean: Mean of the node's values, in its own units.
        std: Standard deviation of the node's values, in its own units.
        knots: Centres of the kernel, shape (knot,), in standard deviations.
        weights: From kernel columns to smooth features, shape (knot, smooth).
        trend: Intercept and slope to take out of each smooth feature, shape (2, smooth).
        active: Which features vary, shape (1 + smooth,).
    """

    mean: float
    std: float
    knots: FloatArray
    weights: FloatArray
    trend: FloatArray
    active: BoolArray

    @classmethod
    def fit(cls, values: RealArray, n_smooth: int = N_SMOOTH) -> NodeBasis:
        """Choose the features from the values of one node.

        Args:
            values: Values of the node, shape (subject,), in its own units.
            n_smooth: Number of smooth features; 0 leaves the straight line alone.

        Returns:
            The basis of this node.

        Raises:
            ModelError: If the values do not vary.

        Example:
            >>> rng = np.random.default_rng(0)
            >>> int(NodeBasis.fit(rng.normal(size=200)).active.sum())
            6
            >>> int(NodeBasis.fit(rng.integers(2, size=200).astype(float)).active.sum())
            1
        """
        mean, std = float(values.mean()), float(values.std())
        if std <= 1e-10 * float(np.abs(values).max()):
            raise ModelError("the values are constant")
        x = (values - mean) / std
        knots = np.unique(np.quantile(x, np.linspace(0.01, 0.99, _N_KNOTS)))
        weights = np.zeros((len(knots), n_smooth))
        trend = np.zeros((2, n_smooth))
        active = np.zeros(1 + n_smooth, dtype=np.bool_)
        active[0] = True
        basis = cls(mean, std, knots, weights, trend, active)
        if n_smooth == 0:
            return basis

        eigenvalues, eigenvectors = eigh(_kernel(knots, knots))
        kept = eigenvalues > _SMALLEST_EIGENVALUE * eigenvalues[-1]
        whitening = eigenvectors[:, kept] / np.sqrt(eigenvalues[kept])
        features = _kernel(x, knots) @ whitening
        line = np.stack([np.ones_like(x), x])
        features_trend = line @ features / len(x)
        features -= line.T @ features_trend
        variances, rotation = eigh(features.T @ features / len(x))
        variances, rotation = variances[::-1][:n_smooth], rotation[:, ::-1][:, :n_smooth]
        total = float(variances.clip(min=0).sum())
        if total <= _SMALLEST_VARIANCE:
            return basis

        n_kept = int((variances > _SMALLEST_VARIANCE * total).sum())
        scaled = rotation[:, :n_kept] / np.sqrt(total)
        weights[:, :n_kept] = whitening @ scaled
        trend[:, :n_kept] = features_trend @ scaled
        active[1 : 1 + n_kept] = True
        return basis

    def transform(self, values: RealArray) -> FloatArray:
        """Evaluate the features.

        Args:
            values: Values of the node, shape (subject,), in its own units.

        Returns:
            Features, shape (subject, 1 + smooth): the standardised value, then the smooth ones.
        """
        x = (values - self.mean) / self.std
        features = np.empty((len(x), len(self.active)))
        features[:, 0] = x
        features[:, 1:] = _kernel(x, self.knots) @ self.weights
        features[:, 1:] -= self.trend[0] + np.outer(x, self.trend[1])
        return features

    def slopes(self, values: RealArray) -> FloatArray:
        """Differentiate the features by the standardised value.

        Args:
            values: Values of the node, shape (subject,), in its own units.

        Returns:
            Derivatives, shape (subject, 1 + smooth), in the order of the features.
        """
        x = (values - self.mean) / self.std
        slopes = np.ones((len(x), len(self.active)))
        steepness = (self.knots - x[:, None]) * _kernel(x, self.knots)
        slopes[:, 1:] = steepness @ self.weights - self.trend[1]
        return slopes


@dataclass(frozen=True, eq=False)
class SufficientStatistics:
    """All that the graph posterior needs to know of the node values.

    Attributes:
        gram: Sums of products of every two features, shape (node * width, node * width). The
            features of node ``i`` stand in columns ``i * width`` to ``(i + 1) * width``, the
            standardised value first.
        active: Which features vary, shape (node, width). An inactive one is zero everywhere, so
            it leaves every evidence as it is and lets all parent sets of a size share one shape.
        n_subjects: Number of subjects.
        features: Features of some evenly spread subjects, shape (subject, node * width): enough
            of them to tell how unevenly subjects add to the sums.
    """

    gram: FloatArray
    active: BoolArray
    n_subjects: int
    features: FloatArray

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return int(self.active.shape[0])

    @property
    def width(self) -> int:
        """Number of features of a node, inactive ones included."""
        return int(self.active.shape[1])


def sufficient_statistics(z: RealArray, n_smooth: int = N_SMOOTH) -> SufficientStatistics:
    """Sum the products of the features of all nodes over the subjects.

    Args:
        z: Node values, shape (subject, node), in any units.
        n_smooth: Number of smooth features of a node; 0 for linear mechanisms.

    Returns:
        The sums, which are all that the scores use.

    Raises:
        ModelError: If `z` is not a finite matrix, holds fewer than two subjects, or a node of it
            is constant.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> sufficient_statistics(rng.normal(size=(50, 3)), n_smooth=0).gram.shape
        (3, 3)
    """
    z = np.asarray(z, dtype=np.float64)
    if z.ndim != 2 or z.shape[1] == 0:
        raise ModelError(f"z must have shape (subject, node), but has shape {z.shape}")
    if z.shape[0] < 2:
        raise ModelError(f"z needs at least two subjects, but has {z.shape[0]}")
    broken = np.flatnonzero(~np.isfinite(z).all(axis=0))
    if broken.size:
        raise ModelError(
            f"z must be finite, but node {broken[0]} (counted from 0) holds NaN or infinity"
        )
    bases = []
    for node in range(z.shape[1]):
        try:
            bases.append(NodeBasis.fit(z[:, node], n_smooth))
        except ModelError as error:
            raise ModelError(
                f"node {node} (counted from 0) has the same value for every subject; leave it out"
            ) from error

    def transform(rows: RealArray) -> FloatArray:
        columns = [basis.transform(rows[:, node]) for node, basis in enumerate(bases)]
        return np.concatenate(columns, axis=1)

    width = 1 + n_smooth
    gram = np.zeros((len(bases) * width, len(bases) * width))
    for start in range(0, len(z), _ROWS_PER_BLOCK):
        features = transform(z[start : start + _ROWS_PER_BLOCK])
        gram += features.T @ features
    spread = np.linspace(0, len(z) - 1, min(len(z), _ROWS_KEPT)).astype(np.int64)
    active = np.stack([basis.active for basis in bases])
    return SufficientStatistics(gram, active, len(z), transform(z[spread]))


def _kernel(x: RealArray, knots: FloatArray) -> FloatArray:
    kernel: FloatArray = np.exp(-0.5 * (x[:, None] - knots) ** 2)
    return kernel
