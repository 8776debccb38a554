"""Principal components of each modality by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyrocrl.baselines.face import Baseline, FloatArray, Learned
from pyrocrl.baselines.problem import Problem
from pyrocrl.data import Batch

__all__ = ["PCA"]


@dataclass(frozen=True)
class PCA(Baseline):
    """Principal components of each modality's standardised columns, by scikit-learn.

    The latents are the first components, in the order of their variance. A missing cell counts as
    its column's mean.
    """

    @property
    def name(self) -> str:
        """What tables of results call it."""
        return "pca"

    def learn(self, problem: Problem) -> Learned:
        """Fit one PCA per modality."""
        from sklearn.decomposition import PCA as Components

        components = {
            table.name: Components(problem.latents[table.name], svd_solver="full").fit(
                table.cells().values.double().numpy()
            )
            for table in problem.data
        }

        def encode(batch: Batch) -> FloatArray:
            parts = [
                own.transform(batch[name].values.double().numpy())
                for name, own in components.items()
            ]
            return np.hstack(parts)

        return Learned(encode)
