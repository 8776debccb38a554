"""What every baseline is given: tables, sizes, and labels where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from pyrocrl.data import MultimodalData
from pyrocrl.errors import ModelError, listing
from pyrocrl.model import sizes_per_modality
from pyrocrl.scm import Nodes

__all__ = ["Problem", "Supervision"]

Supervision: TypeAlias = pd.DataFrame | npt.ArrayLike

_FEWEST_COMPLETE = 20


@dataclass(frozen=True, eq=False)
class Problem:
    """The measurements and how many latents and noises each modality is to have.

    Attributes:
        data: the measurements, on the CPU, tables only.
        latents: number of latents of each modality.
        noise: number of noises of each modality.
        nodes: the latents by name.
        labels: true values of the latents, standardised, (subject, latent); None without.
    """

    data: MultimodalData
    latents: dict[str, int]
    noise: dict[str, int]
    nodes: Nodes
    labels: Tensor | None

    @classmethod
    def of(
        cls,
        data: MultimodalData | Mapping[str, Any],
        latents: int | Mapping[str, int],
        noise: int | Mapping[str, int],
        supervision: Supervision | None,
    ) -> Problem:
        """Check the arguments of a fit.

        Args:
            data: the measurements; a mapping of tables becomes a `MultimodalData`.
            latents: latents of each modality, one number or one per modality.
            noise: noises of each modality, likewise.
            supervision: true latents, (subject, latent), or None.

        Raises:
            DataError: if the data cannot be used.
            ModelError: if there are `Variables`, or a number or the supervision does not fit.
        """
        if not isinstance(data, MultimodalData):
            data = MultimodalData(data)
        variables = [modality.name for modality in data if modality.is_variables]
        if variables:
            raise ModelError(
                f"baselines know tables only, and {listing(variables)} holds Variables; leave "
                "it out or give it as a table"
            )
        latents = sizes_per_modality(latents, list(data), "latents", at_least=1)
        noise = sizes_per_modality(noise, list(data), "noise", at_least=0)
        for name, count in latents.items():
            if count > data.n_subjects:
                raise ModelError(
                    f"latents of modality {name!r} are {count}, for {data.n_subjects} subjects; "
                    "ask for fewer"
                )
        nodes = Nodes.of_data(data, latents)
        labels = None if supervision is None else _labels(supervision, data, nodes)
        return cls(data.to("cpu"), latents, noise, nodes, labels)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the modalities."""
        return self.data.names

    @property
    def code_sizes(self) -> list[int]:
        """Latents and noises together, of each modality."""
        return [self.latents[name] + self.noise[name] for name in self.names]

    @property
    def labelled(self) -> Tensor:
        """The labels of a method that cannot do without.

        Raises:
            ModelError: if there are none.
        """
        if self.labels is None:
            raise ModelError(
                "this baseline learns from the true latents: give them as supervision="
            )
        return self.labels

    def complete(self) -> MultimodalData:
        """The subjects with some cell of every modality measured.

        Raises:
            ModelError: if there are too few.
        """
        rows = torch.stack([table.present for table in self.data]).all(0)
        count = int(rows.sum())
        if count < _FEWEST_COMPLETE:
            raise ModelError(
                f"only {count} subjects have all modalities measured ({', '.join(self.names)}); "
                f"this baseline needs {_FEWEST_COMPLETE}"
            )
        return self.data.select(rows)


def _labels(supervision: Supervision, data: MultimodalData, nodes: Nodes) -> Tensor:
    if isinstance(supervision, pd.DataFrame):
        absent = [name for name in nodes.names if name not in supervision.columns]
        if absent:
            raise ModelError(f"supervision lacks the latents {listing(absent)}")
        supervision = supervision.reindex(data.subjects)[list(nodes.names)]
    values = np.asarray(supervision, dtype=np.float64)
    wanted = (data.n_subjects, len(nodes))
    if values.shape != wanted:
        raise ModelError(f"supervision must be (subject, latent) {wanted}, not {values.shape}")
    if not np.isfinite(values).all():
        raise ModelError("supervision must hold a number for every subject and latent")
    spread = values.std(0)
    if (spread == 0).any():
        flat = [name for name, one in zip(nodes.names, spread, strict=True) if one == 0]
        raise ModelError(f"supervision is constant in {listing(flat)}")
    return torch.from_numpy((values - values.mean(0)) / spread).float()
