"""Real measurements, ready to fit: diabetes patients of scikit-learn, and NHANES 2011-2014."""

from __future__ import annotations

from pyrocrl.datasets.diabetes import diabetes
from pyrocrl.datasets.example import Example
from pyrocrl.datasets.human_phenotype import human_phenotype
from pyrocrl.datasets.made_up import made_up_people
from pyrocrl.datasets.nhanes import NHANES_FILE, NHANES_TABLES, nhanes

__all__ = [
    "NHANES_FILE",
    "NHANES_TABLES",
    "Example",
    "diabetes",
    "human_phenotype",
    "made_up_people",
    "nhanes",
]
