"""Tables of NHANES 2011-2014."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pyrocrl.data import MultimodalData, Variables
from pyrocrl.datasets.example import Example, no_edge_between
from pyrocrl.errors import DataError

__all__ = ["NHANES_FILE", "NHANES_TABLES", "nhanes", "read_nhanes", "unskewed"]

NHANES_FILE = "nhanes_2011_2014_adults.csv.gz"

NHANES_TABLES: Mapping[str, tuple[str, ...]] = {
    "anthropometry": (
        "weight_kg",
        "height_cm",
        "upper_leg_cm",
        "upper_arm_cm",
        "arm_circ_cm",
        "waist_cm",
        "sagittal_abd_diam_cm",
    ),
    "blood_chemistry": (
        "albumin",
        "alt",
        "ast",
        "alk_phos",
        "bun",
        "calcium",
        "cpk",
        "bicarbonate",
        "creatinine",
        "ggt",
        "glucose_serum",
        "iron",
        "ldh",
        "phosphorus",
        "bilirubin",
        "total_protein",
        "uric_acid",
        "sodium",
        "potassium",
        "chloride",
        "triglycerides_serum",
        "hba1c_pct",
        "total_chol",
        "hdl_chol",
    ),
    "blood_count": (
        "wbc",
        "lymph_pct",
        "mono_pct",
        "eos_pct",
        "baso_pct",
        "rbc",
        "hemoglobin",
        "mcv",
        "rdw",
        "platelets",
        "mpv",
    ),
    "grip_strength": (
        "grip_right_t1_kg",
        "grip_left_t1_kg",
        "grip_right_t2_kg",
        "grip_left_t2_kg",
        "grip_right_t3_kg",
        "grip_left_t3_kg",
    ),
    "blood_pressure": (
        "sbp_r1_mmhg",
        "dbp_r1_mmhg",
        "sbp_r2_mmhg",
        "dbp_r2_mmhg",
        "sbp_r3_mmhg",
        "dbp_r3_mmhg",
        "pulse_bpm",
    ),
}

# Positive, with a skewness above 2.
_NHANES_LOG = frozenset(
    {
        "alt",
        "ast",
        "alk_phos",
        "bun",
        "cpk",
        "creatinine",
        "ggt",
        "glucose_serum",
        "hba1c_pct",
        "ldh",
        "bilirubin",
        "triglycerides_serum",
        "wbc",
        "mono_pct",
        "rdw",
    }
)
# Strongly skewed too, but zero is a value.
_NHANES_LOG1P = frozenset({"eos_pct", "baso_pct"})
_NHANES_VARIABLES = ["age_years", "female"]


def nhanes(folder: str | Path) -> Example:
    """About 9,200 US adults, 2011-2014: body, blood chemistry and cells, grip, blood pressure.

    - Columns that follow from others are left out: `bmi` (weight and height), the mean blood
      pressures (the three readings stay), the best grips (the six trials stay),
      `cholesterol_serum` (a second assay of `total_chol`), `globulin` (protein minus albumin),
      `osmolality` (from sodium, glucose and urea), `neut_pct` (the rest to 100 %), `hematocrit`,
      `mch` and `mchc` (from red cells, their volume and haemoglobin).
    - Strongly right-skewed laboratory values are taken as logarithms and named `log_...`;
      shares of white cells that may be zero as log(1 + x), named `log1p_...`.
    - Women known to be pregnant are left out: pregnancy moves nearly every column and is no node
      of the graph. So are people without one observed cell in each of the five tables.
    - Missing cells stay missing. Age is top-coded at 80. Survey weights are not used: what comes
      out describes these people, not the US population.

    The causal order is assumed: age and sex, the body's build, the blood's chemistry and cells,
    then strength and blood pressure.

    Args:
        folder: where `nhanes_2011_2014_adults.csv.gz` lies.

    Returns:
        The people, with `person.age_years` and `person.female` as variables and five tables.

    Raises:
        DataError: if the folder or the file is absent, cannot be read, or lacks columns.

    Source: CDC/NCHS, National Health and Nutrition Examination Survey 2011-2012 and 2013-2014.
    """
    frame = read_nhanes(Path(folder))
    tables = {name: frame[list(columns)] for name, columns in NHANES_TABLES.items()}
    keep = frame[_NHANES_VARIABLES].notna().all(axis=1) & (frame["pregnant_at_exam"] != 1)
    for table in tables.values():
        keep &= table.notna().any(axis=1)
    modalities: dict[str, Any] = {"person": Variables(frame.loc[keep, _NHANES_VARIABLES])}
    modalities |= {name: unskewed(table.loc[keep]) for name, table in tables.items()}
    return Example(
        name="NHANES 2011-2014 adults",
        data=MultimodalData(modalities),
        latents={
            "anthropometry": 2,
            "blood_chemistry": 2,
            "blood_count": 2,
            "grip_strength": 1,
            "blood_pressure": 2,
        },
        noise=dict.fromkeys(NHANES_TABLES, 1),
        knowledge=no_edge_between("person.age_years", "person.female"),
        description=(
            f"{int(keep.sum()):,} US adults (age 20 and above, not known to be pregnant) examined "
            "in 2011-2014: age and sex; body measures, blood chemistry, blood count, grip strength "
            "and blood pressure. Skewed laboratory values as logarithms; missing cells stay."
        ),
        source=(
            "US CDC/NCHS, National Health and Nutrition Examination Survey (NHANES), cycles "
            "2011-2012 and 2013-2014; public domain. Unweighted."
        ),
    )


def read_nhanes(folder: Path) -> pd.DataFrame:
    """All columns of the adults, by `seqn`.

    Raises:
        DataError: if the folder or the file is absent, cannot be read, or lacks columns.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; name the one that holds {NHANES_FILE}")
    path = folder / NHANES_FILE
    if not path.is_file():
        raise DataError(f"{folder} does not hold {NHANES_FILE}, the NHANES adults 2011-2014")
    try:
        frame = pd.read_csv(path, index_col="seqn")
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path} cannot be read as a gzipped CSV file: {error}") from error
    needed = {column for columns in NHANES_TABLES.values() for column in columns}
    absent = sorted((needed | {*_NHANES_VARIABLES, "pregnant_at_exam"}) - set(frame.columns))
    if absent:
        raise DataError(f"{path} lacks the columns {', '.join(absent)}")
    return frame


def unskewed(table: pd.DataFrame) -> pd.DataFrame:
    """Strongly skewed columns as logarithms, under the names that say so."""
    columns = {}
    for name in table.columns:
        if name in _NHANES_LOG:
            columns[f"log_{name}"] = np.log(table[name])
        elif name in _NHANES_LOG1P:
            columns[f"log1p_{name}"] = np.log1p(table[name])
        else:
            columns[name] = table[name]
    return pd.DataFrame(columns)
