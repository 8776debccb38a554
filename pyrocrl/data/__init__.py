"""Measurements of the same subjects: modalities, alignment, missing cells, units, batches."""

from __future__ import annotations

from pyrocrl.data.batch import Batch, Cells
from pyrocrl.data.modality import Features, Modality, Readable, Reading
from pyrocrl.data.multimodal import MultimodalData
from pyrocrl.data.stored import modality_from_json
from pyrocrl.data.tables import Variables
from pyrocrl.data.tabular import TableModality

__all__ = [
    "Batch",
    "Cells",
    "Features",
    "Modality",
    "MultimodalData",
    "Readable",
    "Reading",
    "TableModality",
    "Variables",
    "modality_from_json",
]
