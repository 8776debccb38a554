"""Latents as the search left them, for restarts in which they are held there.

When the ELBO joins, its mechanisms and decoders have learned nothing, and pull at the latents until
they have. Until then these are held.

With few subjects the contrast comes to tell training subjects by heart. It is stopped in time, at
its best held-out score, but then nothing is left that would keep the latents: the ELBO cares most
for reconstruction, and takes them elsewhere. There they are held to the end, and so are those of
images, whose pixels are many.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pyrocrl.data import MultimodalData
from pyrocrl.guide import AmortizedGuide, Encoding
from pyrocrl.model import MultimodalSCM
from pyrocrl.training.encoded import encoded

__all__ = ["FoundLatents"]


@dataclass(frozen=True)
class FoundLatents:
    """What the search found.

    Attributes:
        z: (chain, subject, latent), latents of the training subjects, in standard deviations.
        unit: (chain, 1, latent), those deviations.
        where: (latent,), positions of the latents among the nodes.
        held: (chain,), 1 in restarts whose latents are held, 0 in those that are free.
    """

    z: Tensor
    unit: Tensor
    where: Tensor
    held: Tensor

    @classmethod
    @torch.no_grad()
    def of(
        cls, model: MultimodalSCM, guide: AmortizedGuide, subjects: MultimodalData, held: Tensor
    ) -> FoundLatents:
        """Note the latents of all training subjects.

        Args:
            model: the model.
            guide: its guide.
            subjects: training subjects.
            held: (chain,), which restarts' latents are held.
        """
        matrix = guide.unmixing.matrix()
        where = torch.tensor(model.nodes.is_latent, device=matrix.device).nonzero()[:, 0]
        z = torch.matmul(encoded(guide, [subjects]).loc, matrix)[..., where]
        unit = z.std(1, keepdim=True).clamp_min(1e-4)
        return cls(z / unit, unit, where, held)

    def distance(self, rows: Tensor, encoding: Encoding, unmixing: Tensor) -> Tensor:
        """How far held latents are from where they were: squared, mean over subjects, (chain,).

        Those of modalities that a subject lacks were not found, and are not held.

        Args:
            rows: (subject,), positions of the batch's subjects among the training subjects.
            encoding: what the encoders say about them now.
            unmixing: (chain, node, node), R.
        """
        now = torch.matmul(encoding.loc, unmixing)[..., self.where] / self.unit
        moved = now - self.z[:, rows]
        if encoding.absent is not None:
            moved = moved.masked_fill(encoding.absent[:, self.where], 0.0)
        return self.held * moved.square().mean(1).sum(1)
