"""Linear canonical correlation analysis of two or more modalities.

Both methods are closed forms; a library for them (cca-zoo) would bring a dependency and ask for
newer versions of ours. With two modalities they are one and the same, the textbook's CCA. With more
neither is the better one throughout, so tables should show both: a modality's part in the leading
components of all may be small, and its own components with all others may be turned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from pyrocrl.baselines.face import Baseline, FloatArray, Learned
from pyrocrl.baselines.problem import Problem
from pyrocrl.data import Batch
from pyrocrl.errors import ModelError

__all__ = ["CCA", "CCAWithOthers", "canonical_weights"]


@dataclass(frozen=True)
class CCA(Baseline):
    """Multiset CCA of all modalities at once: maximum-variance generalised CCA.

    The latents are each modality's variates of the leading common components. Subjects without any
    cell of some modality are left out; other missing cells count as their column's mean.

    Args:
        ridge: added to every variance, in squared standard deviations of a column, so that columns
            may depend on each other.

    Raises:
        ModelError: if the ridge is not positive.

    Source: Kettenring (1971), "Canonical analysis of several sets of variables", MAXVAR.
    """

    ridge: float = 1e-3

    def __post_init__(self) -> None:
        _check_ridge(self.ridge)

    @property
    def name(self) -> str:
        """What tables of results call it."""
        return "cca"

    def learn(self, problem: Problem) -> Learned:
        """Solve for all modalities together."""
        tables = _several(problem)
        counts = list(problem.latents.values())
        weights = canonical_weights(tables, max(counts), self.ridge)
        return _linear([own[:, :count] for own, count in zip(weights, counts, strict=True)])


@dataclass(frozen=True)
class CCAWithOthers(Baseline):
    """CCA of each modality with the columns of all others side by side.

    A modality's leading common components may be none of its own business when there are many
    modalities; here every modality has its own. Missing cells as in `CCA`.

    Args:
        ridge: see `CCA`.

    Raises:
        ModelError: if the ridge is not positive.

    Source: Hotelling (1936), "Relations between two sets of variates".
    """

    ridge: float = 1e-3

    def __post_init__(self) -> None:
        _check_ridge(self.ridge)

    @property
    def name(self) -> str:
        """What tables of results call it."""
        return "cca-others"

    def learn(self, problem: Problem) -> Learned:
        """Solve for each modality in turn."""
        tables = _several(problem)
        weights = []
        for position, count in enumerate(problem.latents.values()):
            others = np.hstack(tables[:position] + tables[position + 1 :])
            weights.append(canonical_weights([tables[position], others], count, self.ridge)[0])
        return _linear(weights)


def canonical_weights(
    tables: Sequence[FloatArray], count: int, ridge: float = 1e-3
) -> list[FloatArray]:
    """Weights of maximum-variance generalised CCA.

    Whiten every table, put all side by side, and take the principal components: these are the
    variables with the largest sum of squared multiple correlations with all tables, and a table's
    part of a component is its canonical variate. With two tables this is CCA.

    Args:
        tables: (subject, column) each, the same subjects.
        count: number of components; what a table cannot fill is zero.
        ridge: added to every variance.

    Returns:
        For each table (column, component), components with the largest sum first.

    Source: Kettenring (1971), "Canonical analysis of several sets of variables", MAXVAR.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> a, b = rng.normal(size=(2, 200, 3))
        >>> b[:, 0] = a[:, 1]
        >>> weights, _ = canonical_weights([a, b], count=1)
        >>> int(np.abs(weights[:, 0]).argmax())
        1
    """
    centred = [table - table.mean(0) for table in tables]
    whitening = [_inverse_root(table, ridge) for table in centred]
    white = np.hstack([table @ root for table, root in zip(centred, whitening, strict=True)])
    total = white.shape[1]
    kept = min(count, total)
    _, components = scipy.linalg.eigh(
        white.T @ white / len(white), subset_by_index=[total - kept, total - 1]
    )
    leading = np.pad(components[:, ::-1], ((0, 0), (0, count - kept)))
    ends = np.cumsum([root.shape[1] for root in whitening])[:-1]
    parts = np.split(leading, ends)
    return [root @ part for root, part in zip(whitening, parts, strict=True)]


def _inverse_root(centred: FloatArray, ridge: float) -> FloatArray:
    variances, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    return np.asarray(axes / np.sqrt(variances.clip(min=0.0) + ridge))


def _several(problem: Problem) -> list[FloatArray]:
    if len(problem.names) < 2:
        raise ModelError(
            f"CCA compares modalities, and there is only {problem.names[0]!r}; give at least two"
        )
    return [table.cells().values.double().numpy() for table in problem.complete()]


def _linear(weights: list[FloatArray]) -> Learned:
    def encode(batch: Batch) -> FloatArray:
        tables = [batch[name].values.double().numpy() for name in batch]
        return np.hstack([table @ own for table, own in zip(tables, weights, strict=True)])

    return Learned(encode)


def _check_ridge(ridge: float) -> None:
    if not ridge > 0:
        raise ModelError(f"ridge must be positive, not {ridge}")
