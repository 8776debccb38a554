"""Measurements of the same subjects: modalities, alignment, missing cells, units, batches."""

from __future__ import annotations

from pyrocrl.data.batch import Batch
from pyrocrl.data.modality import Modality
from pyrocrl.data.multimodal import MultimodalData
from pyrocrl.data.tables import Variables

__all__ = ["Batch", "Modality", "MultimodalData", "Variables"]
