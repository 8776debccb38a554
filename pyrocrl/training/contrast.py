"""The contrastive warm start: latents of one modality should tell the subject in another.

Causes that reach across modalities are what two modalities have in common; a contrastive loss
between encoders finds that subspace within a few epochs, where the ELBO alone takes long.
"""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor, nn

from pyrocrl.data import Batch
from pyrocrl.guide import Encoding
from pyrocrl.modality import ChainMLP
from pyrocrl.model import MultimodalSCM

__all__ = ["Contrast"]

_FEATURES = 16


class Contrast(nn.Module):
    """Symmetric InfoNCE between the latents of every pair of modalities, through small critics.

    Args:
        model: the model whose modalities are compared.

    Source: van den Oord et al. (2018), Representation learning with contrastive predictive coding.
    """

    def __init__(self, model: MultimodalSCM) -> None:
        super().__init__()
        self.positions = model.positions
        self.critics = nn.ModuleDict(
            {
                name: ChainMLP(model.chains, [own.stop - own.start, 32, _FEATURES])
                for name, own in self.positions.items()
            }
        )

    def forward(self, encoding: Encoding, batch: Batch) -> Tensor:
        """Contrastive loss of every chain, (chain,), scaled to the number of modalities."""
        loc = encoding.loc
        loc = (loc - loc.mean(1, keepdim=True)) / (loc.std(1, keepdim=True) + 1e-4)
        features = {
            name: critic(loc[..., self.positions[name]]) for name, critic in self.critics.items()
        }
        total = loc.new_zeros(len(loc))
        for one, other in combinations(features.values(), 2):
            scores = torch.bmm(one, other.transpose(1, 2))
            total = total + 0.5 * (_wrong_partner(scores) + _wrong_partner(scores.mT))
        return total * 2 / len(features)


def _wrong_partner(scores: Tensor) -> Tensor:
    hit = scores.log_softmax(-1).diagonal(dim1=1, dim2=2)
    return -hit.mean(1)
