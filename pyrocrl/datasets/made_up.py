"""People who were never there, with measurements of several kinds, to try things out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.data import MultimodalData, Series, Variables
from pyrocrl.datasets.example import Example
from pyrocrl.scm import BackgroundKnowledge

__all__ = ["made_up_people"]

_TABLES = {"anthropometry": 5, "blood_pressure": 4}


def made_up_people(seed: int = 0, people: int = 200) -> Example:
    """A small stand-in for `human_phenotype`: age acts on build, build on activity and pressure.

    Each table has one latent, `activity` is a week of days with gaps.

    Args:
        seed: decides the people.
        people: their number.

    Example:
        >>> made_up_people(people=50).data.names
        ('person', 'anthropometry', 'activity', 'blood_pressure')
    """
    rng = np.random.default_rng(seed)
    subjects = pd.RangeIndex(people, name="number")
    age = rng.normal(size=people)
    build = np.tanh(age) + 0.5 * rng.normal(size=people)
    movement = -np.tanh(1.5 * build) + 0.5 * rng.normal(size=people)
    pressure = build + 0.5 * np.sin(2 * build) + 0.5 * rng.normal(size=people)

    def table(z: npt.NDArray[np.float64], columns: int) -> pd.DataFrame:
        values = np.tanh(np.outer(z, rng.uniform(0.5, 1.5, columns)))
        return pd.DataFrame(values + 0.2 * rng.normal(size=values.shape), index=subjects)

    days = movement[:, None] + 0.4 * rng.normal(size=(people, 7))
    days[rng.random(days.shape) < 0.2] = np.nan
    data = MultimodalData(
        {
            "person": Variables(pd.DataFrame({"age_years": age}, index=subjects)),
            "anthropometry": table(build, _TABLES["anthropometry"]),
            "activity": Series(days, channels="log_mims", subjects=subjects),
            "blood_pressure": table(pressure, _TABLES["blood_pressure"]),
        }
    )
    ones = dict.fromkeys([*_TABLES, "activity"], 1)
    return Example(
        name="People made up",
        data=data,
        latents=ones,
        noise=ones,
        knowledge=BackgroundKnowledge(),
        description=f"{people} people who were never there: age, build, activity, blood pressure.",
        source="Drawn at random.",
    )
