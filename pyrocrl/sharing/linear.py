"""Generalised canonical correlation: what linear functions of the modalities agree on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.data import MultimodalData

__all__ = ["generalised_cca"]

FloatArray = npt.NDArray[np.float64]

_RIDGE = 1e-6


def generalised_cca(
    data: MultimodalData, latents: Mapping[str, int], threshold: float = 0.9
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Linear components that several modalities share, and which share them.

    Components are the leading eigenvectors of the sum of the modalities' projections (MAXVAR); with
    two modalities they are the canonical variates of linear CCA. A modality sees a component if
    its columns explain more than `threshold` of the component's variance.

    Args:
        data: the measurements; missing cells count as the mean.
        latents: largest number of latents of each modality.
        threshold: explained variance from which a modality sees a component.

    Returns:
        Components, (subject, component), and their membership, (component, modality); those that
        fewer than two modalities see, or for which a modality has no room left, are left out.

    Source: Kettenring (1971), Canonical analysis of several sets of variables.

    Example:
        >>> from pyrocrl.simulate import shared_case
        >>> data, _ = shared_case("a", n_subjects=2000)
        >>> _, membership = generalised_cca(data, {"m1": 3, "m2": 3})
        >>> membership.to_numpy().all(axis=1).any()
        np.True_
    """
    batch = data.batch()
    bases = [_orthonormal(batch[name].values.double().numpy()) for name in data.names]
    together = np.hstack(bases)
    _, values, turned = np.linalg.svd(together, full_matrices=False)
    components = together @ (turned / np.maximum(values, 1e-9)[:, None]).T
    seen, kept = [], []
    room = dict(latents)
    for k in range(components.shape[1]):
        explained = [float(((basis.T @ components[:, k]) ** 2).sum()) for basis in bases]
        own = [name for name, share in zip(data.names, explained, strict=True) if share > threshold]
        own = [name for name in own if room[name] > 0]
        if len(own) > 1:
            kept.append(k)
            seen.append([name in own for name in data.names])
            for name in own:
                room[name] -= 1
    names = [f"component{k + 1}" for k in range(len(kept))]
    frame = pd.DataFrame(
        components[:, kept] * np.sqrt(data.n_subjects), index=data.subjects, columns=names
    )
    return frame, pd.DataFrame(seen, index=names, columns=list(data.names), dtype=bool)


def _orthonormal(columns: FloatArray) -> FloatArray:
    """An orthonormal basis of what the columns span, directions next to nothing left out."""
    left, values, _ = np.linalg.svd(columns - columns.mean(0), full_matrices=False)
    return np.asarray(left[:, values > _RIDGE * values[0]])
