"""Pixels are hidden from encoders while these look for latents, and from nothing else."""

from __future__ import annotations

import torch

from pyrocrl.data import Batch, Cells
from pyrocrl.training.hiding import with_pixels_hidden


def cells(*shape: int) -> Cells:
    values = torch.randn(*shape)
    return Cells.of(values, torch.ones(*shape).bool())


def test_a_share_of_the_pixels_is_hidden_in_all_channels_and_differs_between_images() -> None:
    torch.manual_seed(0)
    image = cells(200, 3, 12, 12)
    seen = with_pixels_hidden(Batch({"retina": image}, 200))["retina"]

    shown = seen.values != 0
    torch.testing.assert_close(seen.values[shown], image.values[shown])
    assert bool((shown.all(1) == shown.any(1)).all())
    shares = 1 - shown[:, 0].float().mean((1, 2))
    assert float(shares.min()) < 0.05
    assert 0.5 < float(shares.max()) < 0.75


def test_tables_and_series_are_left_alone() -> None:
    batch = Batch({"labs": cells(20, 4), "sleep": cells(20, 9, 2)}, 20)
    seen = with_pixels_hidden(batch)
    for name in batch:
        assert seen[name].values.equal(batch[name].values)
