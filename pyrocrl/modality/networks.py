"""Which encoder and which decoder each kind of modality has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from torch import Tensor, nn

from pyrocrl.data import ArrayModality, Cells, CountsModality, MixedModality, Modality
from pyrocrl.errors import ModelError, listing
from pyrocrl.modality.counts import CountsDecoder, CountsEncoder
from pyrocrl.modality.image import (
    ImageDecoder,
    ResidualImageEncoder,
    SmallImageEncoder,
    told_of_image,
)
from pyrocrl.modality.mixed import MixedDecoder, MixedEncoder
from pyrocrl.modality.series import (
    ConvolutionalSeriesEncoder,
    RecurrentSeriesDecoder,
    RecurrentSeriesEncoder,
    SmoothSeriesDecoder,
    told_of_series,
)
from pyrocrl.modality.stacked import NetworkDecoder, NetworkEncoder, Networks
from pyrocrl.modality.tabular import TabularDecoder, TabularEncoder

__all__ = ["NetworkChoice", "check_networks", "decoder_for", "encoder_for", "weight_of_cells"]

NetworkChoice: TypeAlias = str | Networks


@dataclass(frozen=True)
class _Kind:
    """How the networks of a kind of modality are made.

    Attributes:
        encoder: (modality, chains, outputs, hidden) -> a module that takes `Cells` to mean and
            standard deviation of the modality's coordinates, (chain, subject, output) each.
        decoder: (modality, chains, inputs, hidden, floor) -> a module that takes coordinates,
            noises and the cells to a distribution of batch shape (chain, subject, *shape); of the
            cells it may look at what is given.
    """

    encoder: Callable[[Modality, int, int, int], nn.Module]
    decoder: Callable[[Modality, int, int, int, float], nn.Module]


def _tabular_encoder(modality: Modality, chains: int, outputs: int, hidden: int) -> nn.Module:
    return TabularEncoder(chains, modality.width, outputs, hidden)


def _tabular_decoder(
    modality: Modality, chains: int, inputs: int, hidden: int, floor: float
) -> nn.Module:
    return TabularDecoder(chains, inputs, modality.width, hidden, floor)


def _mixed_encoder(modality: Modality, chains: int, outputs: int, hidden: int) -> nn.Module:
    assert isinstance(modality, MixedModality)
    return MixedEncoder(chains, modality.likelihoods, outputs, hidden)


def _mixed_decoder(
    modality: Modality, chains: int, inputs: int, hidden: int, floor: float
) -> nn.Module:
    assert isinstance(modality, MixedModality)
    return MixedDecoder(chains, inputs, modality.likelihoods, hidden, floor)


def _counts_encoder(modality: Modality, chains: int, outputs: int, hidden: int) -> nn.Module:
    assert isinstance(modality, CountsModality)
    return CountsEncoder(chains, modality, outputs, hidden)


def _counts_decoder(
    modality: Modality, chains: int, inputs: int, hidden: int, floor: float
) -> nn.Module:
    assert isinstance(modality, CountsModality)
    return CountsDecoder(chains, inputs, modality, hidden, floor)


def _image_kind(encoder: Callable[[Any, int], nn.Module]) -> _Kind:
    return _network_kind(
        lambda image, count: encoder(_three(image.shape), count),
        lambda image, count: ImageDecoder(_three(image.shape), count),
        told_of_image,
    )


def _series_kind(
    encoder: Callable[[int, int], nn.Module], decoder: Callable[[int, int], nn.Module]
) -> _Kind:
    return _network_kind(
        lambda series, count: encoder(series.shape[1], count),
        lambda series, count: decoder(series.shape[1], count),
        told_of_series,
        lambda cells: (cells.given,),
    )


def _own_kind(networks: Networks) -> _Kind:
    return _network_kind(
        lambda modality, count: networks.encoder(count),
        lambda modality, count: networks.decoder(count),
        lambda cells: cells.values,
    )


def _network_kind(
    encoder: Callable[[Modality, int], nn.Module],
    decoder: Callable[[Modality, int], nn.Module],
    told: Callable[[Cells], Tensor],
    given: Callable[[Cells], tuple[Tensor, ...]] = lambda cells: (),
) -> _Kind:
    """Networks of any form, with normal cells around what the decoder says.

    Args:
        encoder: (modality, outputs) -> network of one chain.
        decoder: (modality, inputs) -> network of one chain.
        told: what the encoder is told.
        given: what the decoder is told beside coordinates and noises.
    """
    return _Kind(
        lambda modality, chains, outputs, hidden: NetworkEncoder(
            # The encoder is kept, and the measurements are not to be kept with it.
            chains,
            partial(encoder, modality.unmeasured(1)),
            outputs,
            told,
        ),
        lambda modality, chains, inputs, hidden, floor: NetworkDecoder(
            chains,
            lambda count: decoder(modality, count),
            inputs,
            modality.shape,
            _deviation_shape(modality),
            _floor(modality, floor),
            given,
        ),
    )


def _three(shape: tuple[int, ...]) -> tuple[int, int, int]:
    channels, height, width = shape
    return channels, height, width


# As how many columns of a table an image or a series counts.
_COLUMNS_WORTH = 30

# Whose values are standardised and normal given the coordinates, so that any network will do.
_TAKE_OWN = ("table", "image", "series")

# Of every kind of modality the networks that can be had by a word; the first is the default.
_KINDS: Mapping[str, Mapping[str, _Kind]] = {
    "table": {"perceptron": _Kind(_tabular_encoder, _tabular_decoder)},
    "mixed table": {"perceptron": _Kind(_mixed_encoder, _mixed_decoder)},
    "counts": {"perceptron": _Kind(_counts_encoder, _counts_decoder)},
    "image": {
        "small": _image_kind(SmallImageEncoder),
        "residual": _image_kind(ResidualImageEncoder),
    },
    "series": {
        "convolutional": _series_kind(ConvolutionalSeriesEncoder, SmoothSeriesDecoder),
        "recurrent": _series_kind(RecurrentSeriesEncoder, RecurrentSeriesDecoder),
    },
}


def weight_of_cells(modality: Modality) -> float:
    """How much a cell counts, between 0 and 1; that of a table counts 1.

    Cells of an image or a series go together, and so many of them, taken for independent, would
    drown the causal model in reconstruction: the latents would be whatever redraws the most pixels.
    All of them count as some columns of a table do.
    """
    if isinstance(modality, ArrayModality):
        return min(1.0, _COLUMNS_WORTH / modality.width)
    return 1.0


def _floor(modality: Modality, floor: float) -> float:
    """Smallest standard deviation of a cell while the latents are looked for."""
    return floor / math.sqrt(weight_of_cells(modality))


def _deviation_shape(modality: Modality) -> tuple[int, ...]:
    """One standard deviation for every channel, or for every column of a table."""
    if isinstance(modality, ArrayModality):
        return tuple(
            size if axis == modality.channel_axis % len(modality.shape) else 1
            for axis, size in enumerate(modality.shape)
        )
    return modality.shape


def _kind_of(modality: Modality, choice: NetworkChoice | None) -> _Kind:
    if isinstance(choice, Networks):
        return _own_kind(choice)
    known = _KINDS[modality.kind]
    return next(iter(known.values())) if choice is None else known[choice]


def check_networks(
    networks: Mapping[str, NetworkChoice] | None, modalities: Sequence[Modality]
) -> dict[str, NetworkChoice]:
    """Networks that were asked for, if they can be had.

    Args:
        networks: per modality a word or `Networks`; modalities that are left out get the default.
        modalities: those that have networks.

    Raises:
        ModelError: if a modality is unknown, or has no networks of this name.

    Example:
        >>> check_networks(None, [])
        {}
    """
    kinds = {modality.name: modality.kind for modality in modalities}
    for name, choice in (networks or {}).items():
        if name not in kinds:
            raise ModelError(
                f"networks: there is no modality {name!r} with networks; there are {listing(kinds)}"
            )
        known = _KINDS[kinds[name]]
        if isinstance(choice, Networks) and kinds[name] not in _TAKE_OWN:
            raise ModelError(
                f"networks of modality {name!r}: a {kinds[name]} has likelihoods of its own, which "
                "other networks do not know; only tables of normal columns, images and series "
                "take networks of your own"
            )
        if not isinstance(choice, Networks) and choice not in known:
            raise ModelError(
                f"networks of modality {name!r} must be {listing(known)} or crl.Networks(...), not "
                f"{choice!r}"
            )
    return dict(networks or {})


def encoder_for(
    modality: Modality,
    chains: int,
    outputs: int,
    hidden: int = 64,
    networks: NetworkChoice | None = None,
) -> nn.Module:
    """The encoder of a modality.

    Args:
        modality: the measurements; only their kind and shape are used.
        chains: number of chains.
        outputs: latents and noises together.
        hidden: units of each hidden layer of a table's networks.
        networks: a word or `Networks`; None takes the default.

    Returns:
        A module that takes `Cells` to mean and standard deviation, (chain, subject, output) each.

    Example:
        >>> from pyrocrl.simulate import numerical_case
        >>> data, _ = numerical_case(1, n_subjects=50)
        >>> loc, scale = encoder_for(data["m1"], chains=2, outputs=3)(data["m1"].cells())
        >>> loc.shape
        torch.Size([2, 50, 3])
    """
    return _kind_of(modality, networks).encoder(modality, chains, outputs, hidden)


def decoder_for(
    modality: Modality,
    chains: int,
    inputs: int,
    hidden: int = 64,
    floor: float = 0.3,
    networks: NetworkChoice | None = None,
) -> nn.Module:
    """The decoder of a modality, with its likelihood, equation (2).

    Args:
        modality: the measurements; only their kind and shape are used.
        chains: number of chains.
        inputs: latents and noises together.
        hidden: units of each hidden layer of a table's networks.
        floor: smallest standard deviation of a measurement given the coordinates, in standard
            deviations, where the likelihood is normal.
        networks: a word or `Networks`; None takes the default.

    Returns:
        A module that takes coordinates y (chain, subject, latent), noises eta (chain, subject,
        noise) and the `Cells` of the same subjects to a distribution of batch shape
        (chain, subject, *shape).
    """
    return _kind_of(modality, networks).decoder(modality, chains, inputs, hidden, floor)
