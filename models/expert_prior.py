"""An expert's probabilities as edge prior: what they add to few data, and where data overrule them.

System
    A clinician states, before seeing the data, how probable some effects are; most of it is right,
    and two statements are wrong. Shown on simulated patients: habits act on blood values, and
    these on symptoms. With 60 patients the statements decide what the data leave open; with 1,500
    the data have overruled both mistakes.

Equations
    A_ij ~ Bernoulli(P_ij)            P_ij what the expert states, .1 where nothing is stated
    w_ij ~ Normal(0, 2)               slope of the effect
    z_i  = sum_j A_ij w_ij z_j + s_i eps_i

Assumptions
    - Every statement is about one edge and independent of the others: the expert does not say "one
      of these two, but not both". models/hierarchical_edge_prior.py shows edges that speak for one
      another.
    - 0 and 1 are certainties that no data can move; state .01 and .99 where that is not meant.

What to change
    - `STATED`: rows children, columns parents, by names of nodes or of modalities, NaN where the
      expert says nothing. A modality's name stands for all its nodes; use that for tables with
      latents behind them, which have no names of their own before they are found.
    - `default`: the probability of everything else.
    - In a run's file: `edge_prior: {kind: expert, probabilities: expert.csv}`.

Run
    python models/expert_prior.py [--quick]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

import pyrocrl as crl

STATED = pd.DataFrame(
    {
        "habits.diet": {"blood.lipids": 0.8, "blood.glucose": 0.8, "symptoms": 0.05},
        "habits.exercise": {"blood.lipids": 0.7, "blood.glucose": 0.02},
        "blood.lipids": {"symptoms.chest": 0.8, "symptoms.thirst": 0.9},
        "blood.glucose": {"symptoms.chest": np.nan, "symptoms.thirst": 0.8},
    }
)
TRUE_SLOPES = {
    ("habits.diet", "blood.lipids"): 0.25,
    ("habits.diet", "blood.glucose"): 0.25,
    ("habits.exercise", "blood.lipids"): -0.25,
    ("habits.exercise", "blood.glucose"): -0.25,  # the expert all but rules it out
    ("blood.lipids", "symptoms.chest"): 0.25,
    ("blood.glucose", "symptoms.thirst"): 0.25,
}
WRONG = [("habits.exercise", "blood.glucose"), ("blood.lipids", "symptoms.thirst")]


def simulate(patients: int, seed: int = 200) -> crl.MultimodalData:
    """Habits, blood values and symptoms, two of each, all measured."""
    rng = np.random.default_rng(seed)
    groups = {
        "habits": ("diet", "exercise"),
        "blood": ("lipids", "glucose"),
        "symptoms": ("chest", "thirst"),
    }
    values: dict[str, np.ndarray] = {}
    for group, names in groups.items():
        for name in names:
            node = f"{group}.{name}"
            effects = [w * values[p] for (p, child), w in TRUE_SLOPES.items() if child == node]
            values[node] = np.sum(effects, axis=0) + rng.normal(size=patients)
    tables = {
        group: pd.DataFrame({name: values[f"{group}.{name}"] for name in names})
        for group, names in groups.items()
    }
    return crl.MultimodalData({name: crl.Variables(table) for name, table in tables.items()})


def probabilities(data: crl.MultimodalData, prior: crl.EdgePrior, *, quick: bool) -> pd.Series:
    """P(edge), by (parent, child)."""
    posterior = crl.fit(
        data,
        edge_prior=prior,
        mechanism="linear",
        restarts=2,
        max_epochs=3 if quick else 20,  # every node is measured: there is little to train
        progress=False,
        seed=0,
    )
    table = posterior.edge_table()
    return table.set_index(["parent", "child"]).probability


def main() -> None:
    """Fit few and many patients under both priors, and print the edges side by side."""
    parser = argparse.ArgumentParser(description="Edge probabilities under an expert's prior.")
    parser.add_argument("--quick", action="store_true", help="a few passes only, to try it out")
    quick = parser.parse_args().quick
    priors = {"flat": crl.SpikeAndSlab(0.1), "expert": crl.ExpertEdges(STATED, default=0.1)}
    columns = {
        f"{name}, n={patients}": probabilities(simulate(patients), prior, quick=quick)
        for patients in (60, 1500)
        for name, prior in priors.items()
    }
    table = pd.DataFrame(columns)
    table.insert(0, "true", [edge in TRUE_SLOPES for edge in table.index])
    print("P(edge) under a flat prior of .1 and under the expert's:")
    print(table.round(2).to_string())
    print("\nWhere the expert was wrong:")
    print(table.loc[WRONG].round(2).to_string())


if __name__ == "__main__":
    main()
