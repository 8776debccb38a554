"""Human phenotypes of every kind from NHANES: tables, days of activity, curves of both ears."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pyrocrl.data import MultimodalData, Series, Variables
from pyrocrl.datasets.example import Example, no_edge_between
from pyrocrl.datasets.nhanes import NHANES_TABLES, read_nhanes, unskewed
from pyrocrl.errors import DataError

__all__ = ["ACTIVITY_FILE", "CONDITIONS", "EARS_FILE", "human_phenotype"]


ACTIVITY_FILE = "nhanes_2011_2014_accel_daily.npz"
EARS_FILE = "nhanes_2011_2012_tympanogram.npz"

# Told by a doctor, yes or no; common enough for an edge to show.
CONDITIONS: Mapping[str, str] = {
    "diabetes": "diabetes_ever",
    "hypertension": "hypertension_told",
    "high_cholesterol": "high_chol_told",
    "arthritis": "arthritis_ever",
}

_PERSON = ["age_years", "female"]
_WHOLE_DAY, _LONGEST_GAP, _FEWEST_DAYS = 1380.0, 240.0, 3
_EVERY_THIRD = 3


def human_phenotype(folder: str | Path, *, cycle: str | None = None, ears: bool = False) -> Example:
    """US adults of NHANES with measurements of every kind.

    - `person` (age, sex) and `conditions` (told by a doctor: diabetes, hypertension, high
      cholesterol, arthritis) and `sleep` (usual hours) are variables, nodes of the graph.
    - The tables of `datasets.nhanes` as there, with latents behind them.
    - `activity` is a series: up to nine days of a wrist accelerometer, each its movement
      (logarithm of MIMS), minutes awake and minutes asleep. Days without 23 hours of data or with
      more than 4 hours not worn or unclear are missing; people have three good days at least.
    - `ear_left` and `ear_right` (2011-2012 alone) are curves: the compliance of the middle ear at
      28 pressures, as logarithm of ml, standing where Sun et al. have two images of the eyes.

    The causal order is assumed: age and sex, the body's build, ears, activity, the blood's
    chemistry and cells, strength, blood pressure, sleep, conditions.

    Args:
        folder: where the NHANES files lie.
        cycle: "2011-2012" or "2013-2014", different people; None takes both.
        ears: whether the ears' curves are wanted; of 2011-2012 alone.

    Returns:
        The people who have all of these in part, and all variables.

    Raises:
        DataError: if a file is absent or cannot be read, or ears are asked of another cycle.

    Source: CDC/NCHS, National Health and Nutrition Examination Survey 2011-2012 and 2013-2014; Sun
        et al. (2025), section 6.3, for the kind of study.
    """
    folder = Path(folder)
    if ears and cycle != "2011-2012":
        raise DataError("ears were measured in 2011-2012 alone: ears=True wants cycle='2011-2012'")
    frame = read_nhanes(folder)
    if cycle is not None:
        frame = frame[frame["cycle"] == cycle]
        if frame.empty:
            raise DataError(f"cycle must be '2011-2012' or '2013-2014', not {cycle!r}")
    variables = {
        "person": frame[_PERSON],
        "sleep": frame[["sleep_hours"]],
        "conditions": frame[list(CONDITIONS.values())].set_axis(list(CONDITIONS), axis=1),
    }
    tables = {name: unskewed(frame[list(columns)]) for name, columns in NHANES_TABLES.items()}
    keep = frame["pregnant_at_exam"] != 1
    for own in variables.values():
        keep &= own.notna().all(axis=1)
    for own in tables.values():
        keep &= own.notna().any(axis=1)
    series = {"activity": _activity(folder)} | (_ears(folder) if ears else {})
    for values in series.values():
        keep &= frame.index.isin(list(values))
    chosen = frame.index[keep]
    modalities: dict[str, Any] = {"person": Variables(variables["person"].loc[chosen])}
    modalities["anthropometry"] = tables.pop("anthropometry").loc[chosen]
    for name, values in reversed(series.items()):
        channels = ["log_mims", "wake_min", "sleep_min"] if name == "activity" else ["log_ml"]
        modalities[name] = Series(
            np.stack([values[seqn] for seqn in chosen]),
            times=_pressures(folder) if name != "activity" else None,
            subjects=chosen,
            channels=channels,
        )
    modalities |= {name: table.loc[chosen] for name, table in tables.items()}
    modalities |= {name: Variables(variables[name].loc[chosen]) for name in ("sleep", "conditions")}
    data = MultimodalData(modalities)
    latents = {own.name: _LATENTS.get(own.name, 2) for own in data if not own.is_variables}
    return Example(
        name=f"NHANES {cycle or '2011-2014'}, measurements of every kind",
        data=data,
        latents=latents,
        noise=dict.fromkeys(latents, 1),
        knowledge=no_edge_between("person.age_years", "person.female"),
        description=(
            f"{len(data):,} US adults (age 20 and above, not known to be pregnant): age and sex, "
            "body measures, days of activity"
            + (", compliance of both middle ears" if ears else "")
            + ", blood chemistry and count, grip strength, blood pressure, hours of sleep, and "
            "four conditions told by a doctor."
        ),
        source=(
            "US CDC/NCHS, National Health and Nutrition Examination Survey (NHANES), cycles "
            "2011-2012 and 2013-2014; public domain. Unweighted."
        ),
    )


_LATENTS = {"grip_strength": 1, "activity": 2, "ear_left": 1, "ear_right": 1}


def _activity(folder: Path) -> dict[int, npt.NDArray[np.float32]]:
    """Days (day, channel) of each person with enough good ones, NaN where a day is not good."""
    stored = _load(folder / ACTIVITY_FILE, ("seqn", "X", "features"))
    column = {str(name): number for number, name in enumerate(stored["features"])}
    days = stored["X"]
    unclear = days[..., column["nonwear_min"]] + days[..., column["unknown_min"]]
    with np.errstate(invalid="ignore"):
        good = (days[..., column["total_min"]] >= _WHOLE_DAY) & (unclear <= _LONGEST_GAP)
    movement = np.log1p(days[..., column["mims_sum"]].clip(min=0))
    shown = [movement, *(days[..., column[name]] for name in ("wake_wear_min", "sleep_wear_min"))]
    values = np.where(good[..., None], np.stack(shown, axis=-1), np.nan).astype(np.float32)
    enough = good.sum(axis=1) >= _FEWEST_DAYS
    return {
        int(seqn): own for seqn, own in zip(stored["seqn"][enough], values[enough], strict=True)
    }


def _ears(folder: Path) -> dict[str, dict[int, npt.NDArray[np.float32]]]:
    """Curves (pressure, 1) of each person's ears."""
    stored = _load(folder / EARS_FILE, ("seqn", "left", "right", "pressure_dapa"))
    return {
        f"ear_{side}": {
            int(seqn): np.log(0.05 + curve[::_EVERY_THIRD].clip(min=0))[:, None].astype(np.float32)
            for seqn, curve in zip(stored["seqn"], stored[side], strict=True)
        }
        for side in ("right", "left")
    }


def _pressures(folder: Path) -> npt.NDArray[np.float64]:
    stored = _load(folder / EARS_FILE, ("pressure_dapa",))
    return np.asarray(stored["pressure_dapa"][::_EVERY_THIRD], dtype=np.float64)


def _load(path: Path, names: tuple[str, ...]) -> dict[str, npt.NDArray[Any]]:
    if not path.is_file():
        raise DataError(f"there is no {path}; name the folder that holds {path.name}")
    try:
        with np.load(path) as stored:
            return {name: stored[name] for name in names}
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
