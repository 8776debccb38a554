"""The fitted encoders applied to subjects, and what they say in the units of the answer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from pyrocrl.data import MultimodalData, TableModality
from pyrocrl.guide import AmortizedGuide
from pyrocrl.model import MultimodalSCM
from pyrocrl.posterior.alignment import Alignment
from pyrocrl.scm import Nodes

__all__ = ["aligned_latents", "complete_subjects", "encode_nodes"]

FloatArray = npt.NDArray[np.float64]


@torch.no_grad()
def encode_nodes(
    model: MultimodalSCM, guide: AmortizedGuide, data: MultimodalData, size: int = 8192
) -> tuple[FloatArray, FloatArray]:
    """Posterior means and standard deviations of all nodes, every chain in its own order.

    Args:
        model: the model.
        guide: its guide.
        data: any subjects, standardised as the fitted ones.
        size: subjects at a time.

    Returns:
        Both (chain, subject, node).
    """
    means, deviations = [], []
    matrix = model.unmixing.matrix()
    for encoding in guide.encode_in_parts(data, size):
        scale = encoding.scale.masked_fill(encoding.known, 0.0)
        means.append(torch.matmul(encoding.loc, matrix))
        deviations.append(torch.matmul(scale**2, matrix**2).sqrt())
    mean, deviation = torch.cat(means, 1), torch.cat(deviations, 1)
    return mean.double().cpu().numpy(), deviation.double().cpu().numpy()


def aligned_latents(
    mean: FloatArray,
    deviation: FloatArray,
    alignment: Alignment,
    chain: int,
    nodes: Nodes,
    data: MultimodalData,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A chain's latents by name, in the reference's order, sign and units.

    Args:
        mean: (subject, node), what `encode_nodes` says of the chain.
        deviation: the same, standard deviations.
        alignment: of the chains.
        chain: which chain.
        nodes: the nodes.
        data: the subjects.

    Returns:
        Posterior means and standard deviations, both (subject, latent).
    """
    latent = np.array(nodes.is_latent)
    names = [name for name, keep in zip(nodes.names, latent, strict=True) if keep]
    spread = deviation[:, alignment.permutation[chain]] / alignment.unit[chain]
    return (
        pd.DataFrame(alignment.values(mean, chain)[:, latent], data.subjects, names),
        pd.DataFrame(spread[:, latent], data.subjects, names),
    )


def complete_subjects(data: MultimodalData) -> npt.NDArray[np.bool_]:
    """Subjects with every variable and at least one cell of every other modality measured."""
    complete = np.ones(data.n_subjects, dtype=bool)
    for modality in data:
        if isinstance(modality, TableModality) and modality.is_variables:
            complete &= modality.observed.all(1).cpu().numpy()
        else:
            complete &= modality.present.cpu().numpy()
    return complete
