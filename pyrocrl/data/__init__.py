"""Measurements of the same subjects: modalities, alignment, missing cells, units, batches."""

from __future__ import annotations

from pyrocrl.data.arrays import ArrayModality
from pyrocrl.data.batch import Batch, Cells
from pyrocrl.data.columnar import ColumnarModality
from pyrocrl.data.counts import Counts, CountsModality
from pyrocrl.data.images import Image, ImageFolder, ImageModality
from pyrocrl.data.mixed import MixedModality
from pyrocrl.data.modality import Features, Modality, Readable, Reading
from pyrocrl.data.multimodal import MultimodalData
from pyrocrl.data.series import Series, SeriesModality
from pyrocrl.data.stored import modality_from_json
from pyrocrl.data.table import Table
from pyrocrl.data.tables import Variables
from pyrocrl.data.tabular import TableModality

__all__ = [
    "ArrayModality",
    "Batch",
    "Cells",
    "ColumnarModality",
    "Counts",
    "CountsModality",
    "Features",
    "Image",
    "ImageFolder",
    "ImageModality",
    "MixedModality",
    "Modality",
    "MultimodalData",
    "Readable",
    "Reading",
    "Series",
    "SeriesModality",
    "Table",
    "TableModality",
    "Variables",
    "modality_from_json",
]
