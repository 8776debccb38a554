"""One modality's encoder, unmixing, decoder and likelihood."""

from pyrocrl.modality.mlp import ChainMLP
from pyrocrl.modality.tabular import TabularDecoder, TabularEncoder, bounded_deviation
from pyrocrl.modality.unmixing import UnmixedNormal, Unmixing

__all__ = [
    "ChainMLP",
    "TabularDecoder",
    "TabularEncoder",
    "UnmixedNormal",
    "Unmixing",
    "bounded_deviation",
]
