"""Networks of images and series: shapes, what is missing, what they can learn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import pyrocrl as crl
from pyrocrl.data import Cells, Modality
from pyrocrl.modality import decoder_for, encoder_for
from pyrocrl.modality.image import SmallImageEncoder
from pyrocrl.modality.series import told_of_series

RNG = np.random.default_rng(200)
COUNT = 24


def own_networks(width: int) -> crl.Networks:
    return crl.Networks(
        encoder=lambda outputs: nn.Sequential(nn.Flatten(), nn.Linear(width, outputs)),
        decoder=lambda inputs: nn.Sequential(
            nn.Linear(inputs, width), nn.Unflatten(1, (1, 28, width // 28))
        ),
    )


def only(source: Any) -> Modality:
    return next(iter(crl.MultimodalData({"it": source})))


def image(*shape: int) -> Modality:
    return only(RNG.integers(0, 256, (COUNT, *shape)).astype(np.uint8))


def series(length: int, channels: int) -> Modality:
    values = RNG.normal(size=(COUNT, length, channels))
    values[RNG.random(values.shape) < 0.1] = np.nan
    return only(crl.Series(values))


KINDS: dict[str, Callable[[], tuple[Modality, str | crl.Networks]]] = {
    "small": lambda: (image(3, 28, 28), "small"),
    "small, oblong": lambda: (image(1, 40, 25), "small"),
    "small, 128 pixels": lambda: (image(1, 128, 128), "small"),
    "residual": lambda: (image(1, 28, 28), "residual"),
    "residual, 64 pixels": lambda: (image(1, 64, 64), "residual"),
    "convolutional": lambda: (series(9, 2), "convolutional"),
    "convolutional, long": lambda: (series(84, 1), "convolutional"),
    "recurrent": lambda: (series(9, 2), "recurrent"),
    "recurrent, one step": lambda: (series(1, 3), "recurrent"),
    "the user's own": lambda: (image(1, 28, 14), own_networks(28 * 14)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_encoders_and_decoders_keep_the_contract(kind: str) -> None:
    modality, networks = KINDS[kind]()
    cells = modality.cells()
    encoder = encoder_for(modality, 2, 3, networks=networks)
    decoder = decoder_for(modality, 2, 3, networks=networks)

    loc, scale = encoder(cells)
    measured = decoder(loc[..., :2], loc[..., 2:], cells)

    assert loc.shape == scale.shape == (2, COUNT, 3)
    assert (scale > 0).all()
    assert measured.batch_shape == (2, COUNT, *modality.shape)
    measured.mask(cells.observed).log_prob(cells.values).sum().backward()
    for network in (encoder, decoder):
        for parameter in network.parameters():
            assert parameter.grad is not None
            assert len(parameter) == 2
            assert torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize("kind", ["convolutional", "recurrent"])
def test_what_follows_the_end_of_a_series_does_not_matter(kind: str) -> None:
    short = only(crl.Series([RNG.normal(size=(RNG.integers(2, 6), 2)) for _ in range(COUNT)]))
    encoder, cells = encoder_for(short, 2, 3, networks=kind), short.cells()

    def padded(values: Tensor, fill: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.cat([values, fill(values[:, -1:]).expand(-1, 4, *values.shape[2:])], 1)

    longer = Cells(
        padded(cells.values, torch.zeros_like),
        padded(cells.observed, torch.zeros_like),
        padded(cells.given, lambda last: last),
    )
    torch.testing.assert_close(encoder(longer)[0], encoder(cells)[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["convolutional", "recurrent"])
def test_encoders_of_series_know_the_times(kind: str) -> None:
    modality = series(9, 2)
    encoder, cells = encoder_for(modality, 1, 3, networks=kind), modality.cells()
    later = Cells(cells.values, cells.observed, cells.given**3)

    assert told_of_series(cells).shape == (COUNT, 9, 6)
    assert not torch.allclose(encoder(later)[0], encoder(cells)[0])


@pytest.mark.parametrize("kind", ["convolutional", "recurrent"])
def test_decoders_of_series_draw_curves_over_the_times(kind: str) -> None:
    torch.manual_seed(0)
    level = torch.randn(1, 200, 1)
    times = torch.linspace(-1, 1, 12).expand(200, -1)
    curve = (level[0] * torch.sin(3 * times))[..., None]
    modality = only(crl.Series(curve.numpy()))
    decoder = decoder_for(modality, 1, 1, networks=kind)
    cells = Cells(modality.cells().values, torch.ones(200, 12, 1).bool(), times)
    optimizer = torch.optim.Adam(decoder.parameters(), 0.03)

    for _ in range(120):
        measured = decoder(level, level[..., :0], cells)
        optimizer.zero_grad()
        (-measured.log_prob(cells.values).mean()).backward()
        optimizer.step()

    left = (measured.mean[0] - cells.values).pow(2).mean() / cells.values.pow(2).mean()
    assert left < 0.1


def test_encoders_of_images_find_where_something_is(mnist_folder: Path) -> None:
    torch.manual_seed(0)
    images, truth = crl.simulate.variant_mnist_images(mnist_folder, n_subjects=300, seed=200)
    modality = only(images["garment"])
    cells = modality.cells()
    x = torch.cat([cells.values, torch.zeros_like(cells.values[:, :1])], 1)
    wanted = torch.tensor(truth.latents["garment.z1"].to_numpy(), dtype=torch.float32)
    network = SmallImageEncoder((1, 28, 28), 1, width=8)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)

    for _ in range(50):
        loss = (network(x[:200])[:, 0] - wanted[:200]).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    left = (network(x[200:])[:, 0] - wanted[200:]).pow(2).mean() / wanted[200:].var()
    assert left < 0.1


def test_networks_are_refused_by_name() -> None:
    data = {"scan": RNG.random((COUNT, 1, 28, 28)), "labs": RNG.random((COUNT, 3))}

    def fit(**networks: Any) -> None:
        crl.fit(data, latents=1, networks=networks, max_epochs=1, progress=False)

    with pytest.raises(crl.ModelError, match="there is no modality 'eye'"):
        fit(eye="small")
    with pytest.raises(crl.ModelError, match="'scan' must be 'small', 'residual' or crl.Networks"):
        fit(scan="recurrent")
    with pytest.raises(crl.ModelError, match=r"the encoder must return \(subject, outputs\)"):
        fit(scan=crl.Networks(lambda outputs: nn.Linear(28, outputs), own_networks(784).decoder))
    with pytest.raises(crl.ModelError, match="callable that makes a new network"):
        crl.Networks(nn.Linear(3, 2), nn.Linear(2, 3))


def test_a_decoder_of_the_wrong_shape_is_refused() -> None:
    modality = image(1, 28, 28)
    decoder = decoder_for(modality, 2, 2, networks=own_networks(28 * 14))
    with pytest.raises(crl.ModelError, match=r"\(subject, 1, 28, 28\), not \(24, 1, 28, 14\)"):
        decoder(torch.zeros(2, COUNT, 1), torch.zeros(2, COUNT, 1), modality.cells())
