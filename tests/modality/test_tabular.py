"""Tables: encoders are told what is missing, decoders give every cell its distribution."""

from __future__ import annotations

import pytest
import torch

from pyrocrl.data import Cells
from pyrocrl.modality import TabularDecoder, TabularEncoder


def test_encoder_can_hear_what_is_missing() -> None:
    encoder = TabularEncoder(2, columns=4, outputs=3)
    whole = Cells.of(torch.zeros(5, 4), torch.ones(5, 4, dtype=torch.bool))
    some = Cells.of(whole.values, torch.tensor([True, False, True, True]).expand(5, 4))
    # At the start a missing cell reads as an average one; what it means is learned.
    assert torch.equal(encoder(whole)[0], encoder(some)[0])
    encoder(some)[0].sum().backward()
    gradient = encoder.network.weights[0].grad
    assert gradient is not None
    assert (gradient[:, 5].abs().sum(1) > 0).all()
    assert (gradient[:, [4, 6, 7]] == 0).all()
    with torch.no_grad():
        encoder.network.weights[0][:, 5] = 1.0
    assert not torch.allclose(encoder(whole)[0], encoder(some)[0])


@pytest.mark.parametrize("size", [0.0, 1.0, 1e4])
def test_deviations_are_positive_and_bounded(size: float) -> None:
    encoder = TabularEncoder(2, columns=4, outputs=3)
    _, scale = encoder(Cells.of(size * torch.randn(50, 4), torch.ones(50, 4).bool()))
    assert (scale > 0).all()
    assert (scale < 8).all()


def test_decoder_gives_every_cell_a_normal() -> None:
    decoder = TabularDecoder(2, inputs=3, columns=6)
    y, eta = torch.randn(2, 9, 2), torch.randn(2, 9, 1)
    nothing = Cells.of(torch.zeros(9, 6), torch.zeros(9, 6).bool())
    cells = decoder(y, eta, nothing)
    assert cells.batch_shape == (2, 9, 6)
    assert (cells.stddev > 0).all()
    other = decoder(y, eta + 1, nothing)
    assert not torch.allclose(cells.mean, other.mean)


@pytest.mark.parametrize("log_excess", [-50.0, -2.0, 0.0, 1.0])
def test_measurement_noise_is_learned_above_its_floor(log_excess: float) -> None:
    decoder = TabularDecoder(2, inputs=3, columns=6, floor=0.4)
    with torch.no_grad():
        decoder.log_excess[1] = log_excess
    excess = torch.tensor(log_excess).exp()
    torch.testing.assert_close(decoder.scale()[1, 0], (0.16 + excess**2).sqrt().expand(6))
    assert (decoder.scale() >= 0.4).all()
    cells = Cells.of(torch.ones(5, 6), torch.ones(5, 6).bool())
    given = decoder(torch.zeros(2, 5, 2), torch.zeros(2, 5, 1), cells)
    given.log_prob(cells.values).sum().backward()
    gradient = decoder.log_excess.grad
    assert gradient is not None
    assert torch.isfinite(gradient).all()
