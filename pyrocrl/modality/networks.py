"""Which encoder and which decoder each kind of modality has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from pyrocrl.data import CountsModality, MixedModality, Modality
from pyrocrl.modality.counts import CountsDecoder, CountsEncoder
from pyrocrl.modality.mixed import MixedDecoder, MixedEncoder
from pyrocrl.modality.tabular import TabularDecoder, TabularEncoder

__all__ = ["decoder_for", "encoder_for"]


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


_KINDS = {
    "counts": _Kind(_counts_encoder, _counts_decoder),
    "mixed table": _Kind(_mixed_encoder, _mixed_decoder),
    "table": _Kind(_tabular_encoder, _tabular_decoder),
}


def encoder_for(modality: Modality, chains: int, outputs: int, hidden: int = 64) -> nn.Module:
    """The encoder of a modality.

    Args:
        modality: the measurements; only their kind and shape are used.
        chains: number of chains.
        outputs: latents and noises together.
        hidden: units of each hidden layer.

    Returns:
        A module that takes `Cells` to mean and standard deviation, (chain, subject, output) each.

    Example:
        >>> from pyrocrl.simulate import numerical_case
        >>> data, _ = numerical_case(1, n_subjects=50)
        >>> loc, scale = encoder_for(data["m1"], chains=2, outputs=3)(data["m1"].cells())
        >>> loc.shape
        torch.Size([2, 50, 3])
    """
    return _KINDS[modality.kind].encoder(modality, chains, outputs, hidden)


def decoder_for(
    modality: Modality, chains: int, inputs: int, hidden: int = 64, floor: float = 0.3
) -> nn.Module:
    """The decoder of a modality, with its likelihood, equation (2).

    Args:
        modality: the measurements; only their kind and shape are used.
        chains: number of chains.
        inputs: latents and noises together.
        hidden: units of each hidden layer.
        floor: smallest standard deviation of a measurement given the coordinates, in standard
            deviations, where the likelihood is normal.

    Returns:
        A module that takes coordinates y (chain, subject, latent), noises eta (chain, subject,
        noise) and the `Cells` of the same subjects to a distribution of batch shape
        (chain, subject, *shape).
    """
    return _KINDS[modality.kind].decoder(modality, chains, inputs, hidden, floor)
