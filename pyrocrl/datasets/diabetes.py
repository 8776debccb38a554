"""The diabetes patients of scikit-learn."""

from __future__ import annotations

from pyrocrl.data import MultimodalData, Variables
from pyrocrl.datasets.example import Example, no_edge_between

__all__ = ["diabetes"]

_DIABETES_COLUMNS = {
    "bp": "blood_pressure",
    "s1": "total_cholesterol",
    "s2": "ldl",
    "s3": "hdl",
    "s4": "cholesterol_ratio",
    "s5": "log_triglycerides",
    "s6": "glucose",
    "target": "progression",
}


def diabetes() -> Example:
    """442 diabetes patients: person, body, serum, and the disease's progression a year later.

    The causal order is assumed: age and sex, then the body, then the serum, then the outcome.
    `sex` keeps the source's codes, 1 and 2, whose meaning the source does not state.
    `cholesterol_ratio` is total cholesterol over HDL, so it repeats what these two say.

    Returns:
        The patients with two modalities that have latents (`body`, 2 columns; `serum`, 6 columns)
        and two groups of variables (`person.age` in years, `person.sex`; `outcome.progression`).

    Source: Efron et al. (2004), Least angle regression, Annals of Statistics 32, through
        `sklearn.datasets.load_diabetes`.

    Example:
        >>> example = diabetes()
        >>> example.data.names, example.data.n_subjects
        (('person', 'body', 'serum', 'outcome'), 442)
    """
    from sklearn.datasets import load_diabetes

    frame = load_diabetes(scaled=False, as_frame=True).frame.rename(columns=_DIABETES_COLUMNS)
    serum = ["total_cholesterol", "ldl", "hdl", "cholesterol_ratio", "log_triglycerides", "glucose"]
    data = MultimodalData(
        {
            "person": Variables(frame[["age", "sex"]]),
            "body": frame[["bmi", "blood_pressure"]],
            "serum": frame[serum],
            "outcome": Variables(frame[["progression"]]),
        }
    )
    return Example(
        name="Diabetes patients",
        data=data,
        latents={"body": 1, "serum": 1},
        noise={"body": 1, "serum": 1},
        knowledge=no_edge_between("person.age", "person.sex"),
        description=(
            "442 diabetes patients: age and sex; body (body mass index, mean blood pressure); "
            "six serum measurements; progression of the disease after one year."
        ),
        source=(
            "Efron, Hastie, Johnstone, Tibshirani (2004), Least angle regression, Annals of "
            "Statistics 32; the copy that scikit-learn brings."
        ),
    )
