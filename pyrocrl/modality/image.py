"""Networks for images: convolutional encoders, small and residual, and a transposed decoder.

Encoders read from each filter how much it found and where, rather than the whole map: positions are
what many latents of images are, and far fewer weights learn no image by heart. They read the image
itself in the same way: what is plain in its pixels, a brightness say, is blurred in later layers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pyrocrl.data import Cells

__all__ = [
    "ImageDecoder",
    "ResidualImageEncoder",
    "SmallImageEncoder",
    "WhereAndHowMuch",
    "told_of_image",
]

_PIXELS_AFTER_STEM = 32
# Flat shares would hide at first where a filter answers.
_LOG_SHARPNESS = 1.5


def told_of_image(cells: Cells) -> Tensor:
    """What encoders are given of images, (subject, channel + 1, height, width).

    Args:
        cells: values (subject, channel, height, width).
    """
    missing = (~cells.observed).to(cells.values.dtype).mean(1, keepdim=True)
    height, width = cells.values.shape[2:]
    return torch.cat([cells.values, missing.expand(-1, 1, height, width)], 1)


class WhereAndHowMuch(nn.Module):
    """Of every filter: where it answers, across and down, its mean answer and its strongest.

    Args:
        filters: number of filters.

    Source: Finn et al. (2016), Deep spatial autoencoders, for the place of a filter's answer.

    Example:
        >>> image = torch.zeros(1, 1, 5, 5)
        >>> image[0, 0, 2, 4] = 50.0
        >>> [round(value, 2) for value in WhereAndHowMuch(1)(image)[0].tolist()]
        [1.0, 0.0, 2.0, 50.0]
    """

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.log_sharpness = nn.Parameter(torch.full((filters,), _LOG_SHARPNESS))

    def forward(self, x: Tensor) -> Tensor:
        """(subject, filter, height, width) -> (subject, 4 * filter)."""
        answers = x.flatten(2)
        share = (answers * self.log_sharpness.exp()[:, None]).softmax(-1)
        place = torch.matmul(share, _places(x))
        strongest = torch.linalg.vecdot(share, answers)
        return torch.cat([*place.unbind(-1), answers.mean(-1), strongest], -1)


class _ImageAndFilters(nn.Module):
    """Where and how much, of the channels of an image and of the filters of a network's last layer.

    Args:
        shape: of the image, (channel, height, width).
        network: told images -> (subject, filter, height, width).
        filters: how many.
    """

    def __init__(self, shape: tuple[int, int, int], network: nn.Module, filters: int) -> None:
        super().__init__()
        channels = shape[0] + 1
        self.size = 4 * (channels + filters)
        self.network = network
        self.of_image, self.of_filters = WhereAndHowMuch(channels), WhereAndHowMuch(filters)

    def forward(self, x: Tensor) -> Tensor:
        """Images told as by `told_of_image` -> (subject, size)."""
        return torch.cat([self.of_image(x), self.of_filters(self.network(x))], -1)


class SmallImageEncoder(nn.Module):
    """Two convolutions that halve the image, then where each filter answers and how much.

    Images of more than 32 pixels are brought near that by the stride of the first convolution.

    Args:
        shape: of an image, (channel, height, width).
        outputs: numbers per subject.
        width: filters of the first layer; the second has twice as many.
        hidden: units of the hidden layer.

    Example:
        >>> SmallImageEncoder((3, 28, 28), outputs=6)(torch.zeros(5, 4, 28, 28)).shape
        torch.Size([5, 6])
    """

    def __init__(
        self, shape: tuple[int, int, int], outputs: int, width: int = 8, hidden: int = 64
    ) -> None:
        super().__init__()
        convolutions = nn.Sequential(
            _stem(shape, width, stride=2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
        )
        read = _ImageAndFilters(shape, convolutions, 2 * width)
        self.network = nn.Sequential(
            read, nn.Linear(read.size, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Images told as by `told_of_image` -> (subject, output)."""
        found: Tensor = self.network(x)
        return found


class ResidualImageEncoder(nn.Module):
    """A narrow ResNet-18: a stem and four stages of two residual blocks each.

    Its widths are a quarter of ResNet-18's, and GroupNorm stands in place of BatchNorm, whose
    statistics would mix subjects.

    Args:
        shape: of an image, (channel, height, width).
        outputs: numbers per subject.
        width: filters of the first stage; every stage doubles them.

    Source: He et al. (2016), Deep residual learning, table 1; Sun et al. (2025), table 5, for its
        use as an encoder.

    Example:
        >>> ResidualImageEncoder((1, 28, 28), outputs=6, width=4)(torch.zeros(5, 2, 28, 28)).shape
        torch.Size([5, 6])
    """

    def __init__(self, shape: tuple[int, int, int], outputs: int, width: int = 16) -> None:
        super().__init__()
        stages: list[nn.Module] = [_stem(shape, width, stride=1)]
        inputs = width
        for stage in range(4):
            filters = width * 2**stage
            stages += [
                _ResidualBlock(inputs, filters, stride=1 if stage == 0 else 2),
                _ResidualBlock(filters, filters, stride=1),
            ]
            inputs = filters
        read = _ImageAndFilters(shape, nn.Sequential(*stages), inputs)
        self.network = nn.Sequential(read, nn.Linear(read.size, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Images told as by `told_of_image` -> (subject, output)."""
        found: Tensor = self.network(x)
        return found


class ImageDecoder(nn.Module):
    """Transposed convolutions from a small map up to the image.

    Args:
        shape: of an image, (channel, height, width).
        inputs: latents and noises together.
        width: filters before the last layer; each layer below has twice as many, up to 64.
        hidden: units of the hidden layer.

    Source: Sun et al. (2025), table 5: a dense layer, then ConvTranspose2D.

    Example:
        >>> ImageDecoder((3, 28, 28), inputs=6)(torch.zeros(5, 6)).shape
        torch.Size([5, 3, 28, 28])
        >>> ImageDecoder((1, 50, 128), inputs=6)(torch.zeros(5, 6)).shape
        torch.Size([5, 1, 50, 128])
    """

    def __init__(
        self, shape: tuple[int, int, int], inputs: int, width: int = 16, hidden: int = 64
    ) -> None:
        super().__init__()
        channels, height, across = shape
        doublings = max(1, math.ceil(math.log2(max(height, across) / 8)))
        widths = [min(64, width * 2 ** (doublings - 1 - k)) for k in range(doublings)]
        small = math.ceil(height / 2**doublings), math.ceil(across / 2**doublings)
        layers: list[nn.Module] = [
            nn.Linear(inputs, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, widths[0] * small[0] * small[1]),
            nn.LeakyReLU(0.2),
            nn.Unflatten(1, (widths[0], *small)),
        ]
        for narrow, wide in zip([*widths[1:], 0], widths, strict=True):
            if narrow:
                layers += [nn.ConvTranspose2d(wide, narrow, 4, 2, 1), nn.LeakyReLU(0.2)]
            else:
                layers += [nn.ConvTranspose2d(wide, channels, 4, 2, 1)]
        self.network = nn.Sequential(*layers)
        self.height, self.across = height, across

    def forward(self, coordinates: Tensor) -> Tensor:
        """(subject, input) -> (subject, channel, height, width)."""
        image: Tensor = self.network(coordinates)
        return image[..., : self.height, : self.across]


class _ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a way around them."""

    def __init__(self, inputs: int, filters: int, stride: int) -> None:
        super().__init__()
        groups = math.gcd(filters, 4)
        self.through = nn.Sequential(
            nn.Conv2d(inputs, filters, 3, stride=stride, padding=1),
            nn.GroupNorm(groups, filters),
            nn.LeakyReLU(0.2),
            nn.Conv2d(filters, filters, 3, padding=1),
            nn.GroupNorm(groups, filters),
        )
        self.around = (
            nn.Identity()
            if inputs == filters and stride == 1
            else nn.Conv2d(inputs, filters, 1, stride=stride)
        )

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.leaky_relu(self.through(x) + self.around(x), 0.2)


def _stem(shape: tuple[int, int, int], filters: int, stride: int) -> nn.Conv2d:
    """The first convolution: its stride brings large images near 32 pixels, times `stride`."""
    channels, height, width = shape
    shrink = max(1, round(max(height, width) / _PIXELS_AFTER_STEM))
    step = shrink * stride
    size = max(3, 2 * step - 1 if shrink > 1 else 3)
    return nn.Conv2d(channels + 1, filters, size, stride=step, padding=size // 2)


def _places(x: Tensor) -> Tensor:
    """Across and down, -1 to 1, of every place of a map, (height * width, 2)."""
    across = torch.linspace(-1, 1, x.shape[3], device=x.device).expand(*x.shape[2:])
    down = torch.linspace(-1, 1, x.shape[2], device=x.device)[:, None].expand_as(across)
    return torch.stack([across, down], -1).flatten(0, 1)
