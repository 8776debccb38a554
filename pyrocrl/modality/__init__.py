"""One modality's encoder, unmixing, decoder and likelihood."""

from pyrocrl.modality.mlp import ChainMLP
from pyrocrl.modality.networks import decoder_for, encoder_for
from pyrocrl.modality.tabular import TabularDecoder, TabularEncoder, bounded_deviation
from pyrocrl.modality.unmixing import UnmixedNormal, Unmixing

__all__ = [
    "ChainMLP",
    "TabularDecoder",
    "TabularEncoder",
    "UnmixedNormal",
    "Unmixing",
    "bounded_deviation",
    "decoder_for",
    "encoder_for",
]
