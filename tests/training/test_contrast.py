"""The contrastive warm start rewards latents that modalities have in common."""

from __future__ import annotations

import torch

import pyrocrl as crl
from pyrocrl.guide import Encoding
from pyrocrl.training.contrast import Contrast


def test_it_finds_what_modalities_share(small_data: crl.MultimodalData) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = crl.MultimodalSCM(small_data, latents=2, chains=2)
        contrast = Contrast(model)
        z = torch.randn(2, 64, 4)
        z[0, :, 2:] = z[0, :, :2]  # the first chain's modalities agree, the second's do not
        encoding = Encoding(z, torch.ones_like(z), torch.zeros(64, 4, dtype=torch.bool), {})
        batch = small_data.batch(slice(0, 64))
        optimizer = torch.optim.Adam(contrast.parameters(), lr=1e-2)
        start = contrast(encoding, batch).detach()
        for _ in range(60):
            optimizer.zero_grad()
            contrast(encoding, batch).sum().backward()
            optimizer.step()
        z[1] = torch.randn(64, 4)
        end = contrast(encoding, batch).detach()
    assert end.shape == (2,)
    assert end[0] < 0.5 * start[0]
    assert end[1] > end[0] + 1
