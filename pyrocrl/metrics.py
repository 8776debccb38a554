"""Scores of an estimate against the truth: are latents, their subspaces and edges found?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.errors import ModelError

if TYPE_CHECKING:
    import sklearn.pipeline

__all__ = [
    "Calibration",
    "absolute_correlations",
    "calibration",
    "correlations",
    "cubic_ridge",
    "match_within_groups",
    "mcc",
    "r2",
    "shd",
]

_FEWEST_ROWS = 10

Kind = Literal["pearson", "spearman"]
FloatArray = npt.NDArray[np.float64]


def mcc(
    true: npt.ArrayLike,
    estimated: npt.ArrayLike,
    groups: Sequence[str] | None = None,
    kind: Kind = "pearson",
) -> float:
    """Mean correlation coefficient of the true latents with the estimated ones matched to them.

    Every true latent is matched to one estimated latent so that the mean absolute correlation
    is largest; 1 means that each latent is found, up to order and a monotone (Spearman) or affine
    (Pearson) map.

    Args:
        true: (subject, latent).
        estimated: (subject, latent), as many columns as `true`.
        groups: modality of each column, the same for both; latents are then matched only within
            their modality. None matches over all latents.
        kind: "pearson" or "spearman".

    Returns:
        A number between 0 and 1.

    Raises:
        ModelError: if shapes differ or `kind` is unknown.

    Source: Sun et al. (2025), section 6, "Mean Correlation Coefficient".

    Example:
        >>> import numpy as np
        >>> z = np.random.default_rng(0).normal(size=(100, 2))
        >>> round(mcc(z, -3 * z[:, ::-1] + 1), 6)
        1.0
    """
    strength = absolute_correlations(true, estimated, kind)
    match = match_within_groups(strength, groups)
    return float(strength[np.arange(len(match)), match].mean())


def absolute_correlations(
    true: npt.ArrayLike, estimated: npt.ArrayLike, kind: Kind = "pearson"
) -> FloatArray:
    """Absolute correlation of every column of `true` with every column of `estimated`.

    Args:
        true: (subject, p).
        estimated: (subject, q).
        kind: "pearson" or "spearman".

    Returns:
        (p, q), between 0 and 1; 0 where a column is constant.

    Raises:
        ModelError: if the subjects differ in number or `kind` is unknown.

    Example:
        >>> absolute_correlations([[0.0], [1.0], [2.0]], [[5.0], [3.0], [1.0]]).round(3)
        array([[1.]])
    """
    return np.abs(correlations(true, estimated, kind))


def correlations(
    true: npt.ArrayLike, estimated: npt.ArrayLike, kind: Kind = "pearson"
) -> FloatArray:
    """Correlation of every column of `true` with every column of `estimated`.

    Args:
        true: (subject, p).
        estimated: (subject, q).
        kind: "pearson" or "spearman".

    Returns:
        (p, q), between -1 and 1; 0 where a column is constant.

    Raises:
        ModelError: if the subjects differ in number or `kind` is unknown.

    Example:
        >>> correlations([[0.0], [1.0], [2.0]], [[5.0], [3.0], [1.0]]).round(3)
        array([[-1.]])
    """
    a, b = _columns(true, "true"), _columns(estimated, "estimated")
    if len(a) != len(b):
        raise ModelError(f"true has {len(a)} subjects, estimated has {len(b)}; they must agree")
    if kind == "spearman":
        a, b = _ranks(a), _ranks(b)
    elif kind != "pearson":
        raise ModelError(f"kind must be 'pearson' or 'spearman', not {kind!r}")
    a, b = _unit_columns(a), _unit_columns(b)
    return np.asarray(a.T @ b)


def match_within_groups(
    strength: FloatArray, groups: Sequence[str] | None = None
) -> npt.NDArray[np.intp]:
    """Estimated column matched to each true column, one to one, so that total strength is largest.

    Args:
        strength: (true, estimated), square.
        groups: modality of each row and column; columns are matched within their modality only.

    Returns:
        (true,), the index of the estimated column that goes with each true one.

    Raises:
        ModelError: if `strength` is not square or `groups` has another length.

    Example:
        >>> match_within_groups(np.array([[0.1, 0.9], [0.8, 0.2]])).tolist()
        [1, 0]
    """
    from scipy.optimize import linear_sum_assignment

    if strength.ndim != 2 or strength.shape[0] != strength.shape[1]:
        raise ModelError(f"true and estimated must have equally many latents, not {strength.shape}")
    labels = _labels(groups, len(strength))
    match = np.empty(len(strength), dtype=np.intp)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        rows, columns = linear_sum_assignment(-strength[np.ix_(members, members)])
        match[members[rows]] = members[columns]
    return match


def cubic_ridge() -> sklearn.pipeline.Pipeline:
    """The regression of `r2`: cubic polynomials of standardised columns, with a slight ridge."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    return make_pipeline(
        StandardScaler(), PolynomialFeatures(3, include_bias=False), StandardScaler(), Ridge(1e-3)
    )


def r2(true: npt.ArrayLike, estimated: npt.ArrayLike, groups: Sequence[str] | None = None) -> float:
    """Held-out R2 of the true latents predicted from the estimated ones of the same modality.

    Measures whether a modality's *subspace* is found, whatever its components. The prediction is a
    cubic polynomial ridge regression, fitted on even rows and scored on odd rows.

    Args:
        true: (subject, latent).
        estimated: (subject, latent).
        groups: modality of each column; None takes all latents as one modality.

    Returns:
        R2 on the odd rows, averaged over the true latents.

    Raises:
        ModelError: if shapes differ, a true latent is constant or subjects are too few.

    Example:
        >>> z = np.random.default_rng(0).normal(size=(400, 2))
        >>> r2(z, z @ np.array([[1.0, 1.0], [-1.0, 1.0]])) > 0.999
        True
    """
    a, b = _columns(true, "true"), _columns(estimated, "estimated")
    if a.shape != b.shape:
        raise ModelError(f"true and estimated differ in shape: {a.shape} and {b.shape}")
    if len(a) < _FEWEST_ROWS:
        raise ModelError(f"r2 needs at least {_FEWEST_ROWS} subjects, not {len(a)}")
    for column in np.flatnonzero(np.ptp(a[1::2], axis=0) == 0):
        raise ModelError(f"latent {column + 1} of true is constant; it has no variance to explain")
    labels = _labels(groups, a.shape[1])
    scores = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        regression = cubic_ridge()
        regression.fit(b[::2][:, members], a[::2][:, members])
        prediction = regression.predict(b[1::2][:, members]).reshape(-1, len(members))
        truth = a[1::2][:, members]
        error = ((truth - prediction) ** 2).mean(0)
        scores.extend(1 - error / truth.var(0))
    return float(np.mean(scores))


def shd(
    true: npt.ArrayLike,
    estimated: npt.ArrayLike,
    groups: Sequence[str] | None = None,
) -> int:
    """Structural Hamming distance of two graphs; a reversed edge counts once.

    Args:
        true: adjacency `A[child, parent]`, nonzero where there is an edge.
        estimated: the same; nodes in the same order.
        groups: modality of each node; if given, only edges between modalities count.

    Returns:
        Number of edges to add, remove or reverse.

    Raises:
        ModelError: if shapes differ or are not square.

    Source: Sun et al. (2025), section 6, "Structural Hamming Distance".

    Example:
        >>> shd([[0, 0], [1, 0]], [[0, 1], [0, 0]])
        1
    """
    a, b = np.asarray(true) != 0, np.asarray(estimated) != 0
    if a.shape != b.shape or a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise ModelError(f"two square adjacencies are needed, not {a.shape} and {b.shape}")
    different = a != b
    if groups is not None:
        labels = _labels(groups, len(a))
        different &= labels[:, None] != labels[None, :]
    reversed_pairs = np.triu(different & different.T & (a != a.T) & (b != b.T), 1)
    return int(different.sum() - reversed_pairs.sum())


@dataclass(frozen=True, eq=False)
class Calibration:
    """How well edge probabilities agree with which edges there are.

    Attributes:
        ece: expected calibration error, the mean gap between a bin's probability and its share of
            true edges.
        brier: mean squared difference of probability and truth.
        auroc: area under the receiver operating characteristic; NaN without both kinds of edges.
        auprc: area under the precision-recall curve (average precision); NaN without true edges.
        curve: the reliability curve, one row per bin that is not empty: probability (mean), share
            (of true edges), edges (number).
    """

    ece: float
    brier: float
    auroc: float
    auprc: float
    curve: pd.DataFrame


def calibration(true: npt.ArrayLike, probability: npt.ArrayLike, bins: int = 10) -> Calibration:
    """Compare edge probabilities with the truth, over as many graphs as are given.

    Args:
        true: whether each edge is there, any shape; pass allowed edges only.
        probability: the probability of each, the same shape.
        bins: number of equal bins of probability.

    Returns:
        The scores and the reliability curve.

    Raises:
        ModelError: if shapes differ, there is no edge, a probability is not between 0 and 1, or
            `bins` is less than 1.

    Example:
        >>> scores = calibration([0, 0, 1, 1], [0.1, 0.3, 0.8, 0.9])
        >>> round(scores.brier, 4), scores.auroc
        (0.0375, 1.0)
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    truth = np.asarray(true).ravel() != 0
    p = np.asarray(probability, dtype=float).ravel()
    if np.shape(true) != np.shape(probability) or not len(p):
        raise ModelError(
            "true and probability must agree in shape and hold at least one edge, not "
            f"{np.shape(true)} and {np.shape(probability)}"
        )
    if not ((p >= 0) & (p <= 1)).all():
        raise ModelError("probability must lie between 0 and 1 everywhere")
    if bins < 1:
        raise ModelError(f"bins must be at least 1, not {bins}")
    number = np.minimum((p * bins).astype(int), bins - 1)
    table = pd.DataFrame({"bin": number, "probability": p, "share": truth, "edges": 1})
    curve = table.groupby("bin").agg({"probability": "mean", "share": "mean", "edges": "sum"})
    gap = (curve.probability - curve.share).abs()
    both = truth.any() and not truth.all()
    return Calibration(
        ece=float((gap * curve.edges).sum() / len(p)),
        brier=float(((p - truth) ** 2).mean()),
        auroc=float(roc_auc_score(truth, p)) if both else np.nan,
        auprc=float(average_precision_score(truth, p)) if truth.any() else np.nan,
        curve=curve.reset_index(drop=True),
    )


def _columns(values: npt.ArrayLike, name: str) -> FloatArray:
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ModelError(f"{name} must hold numbers, (subject, latent)") from None
    if array.ndim != 2:
        raise ModelError(f"{name} must be (subject, latent), not {array.ndim}-dimensional")
    if not np.isfinite(array).all():
        raise ModelError(f"{name} holds NaN or infinity; leave these subjects out")
    return array


def _labels(groups: Sequence[str] | None, count: int) -> npt.NDArray[Any]:
    labels = np.zeros(count, dtype=int) if groups is None else np.asarray(groups)
    if len(labels) != count:
        raise ModelError(f"groups has {len(labels)} names for {count} latents; they must agree")
    return labels


def _ranks(values: FloatArray) -> FloatArray:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, axis=0), dtype=float)


def _unit_columns(values: FloatArray) -> FloatArray:
    centred = values - values.mean(0)
    length = np.linalg.norm(centred, axis=0)
    unit: FloatArray = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    return unit
