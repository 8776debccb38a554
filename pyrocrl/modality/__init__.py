"""One modality's encoder, unmixing, decoder and likelihood."""

from pyrocrl.modality.chain_stack import ChainStack
from pyrocrl.modality.mlp import ChainMLP
from pyrocrl.modality.networks import (
    NetworkChoice,
    check_networks,
    decoder_for,
    encoder_for,
    weight_of_cells,
)
from pyrocrl.modality.stacked import NetworkDecoder, NetworkEncoder, Networks, SteadyEncoder
from pyrocrl.modality.tabular import TabularDecoder, TabularEncoder, bounded_deviation
from pyrocrl.modality.unmixing import UnmixedNormal, Unmixing

__all__ = [
    "ChainMLP",
    "ChainStack",
    "NetworkChoice",
    "NetworkDecoder",
    "NetworkEncoder",
    "Networks",
    "SteadyEncoder",
    "TabularDecoder",
    "TabularEncoder",
    "UnmixedNormal",
    "Unmixing",
    "bounded_deviation",
    "check_networks",
    "decoder_for",
    "encoder_for",
    "weight_of_cells",
]
