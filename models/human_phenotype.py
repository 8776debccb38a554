"""Human phenotypes: tables, days of activity and conditions of US adults, all in one graph.

System
    Adults of NHANES: age and sex; body measures; up to nine days of a wrist accelerometer, as a
    series with gaps; blood chemistry and count; grip strength; blood pressure; hours of sleep; four
    conditions told by a doctor. For 2011-2012 also one curve per ear, the compliance of the middle
    ear over pressure, standing where Sun et al. (2025, section 6.3) have two images of the eyes.

Equations
    z_i   = f_i(parents(z_i), eps_i)       latents of tables and series, and variables themselves
    x^(m) = g_m(z^(m), eta^(m))            tables by perceptrons, series by networks over time

Assumptions
    The causal order: age and sex, build, activity, blood, strength, blood pressure, sleep,
    conditions. No hidden common cause beside the latents. People are not weighted to the US
    population.

What to change
    `cycle`, `ears`; latents of each modality; `networks={"activity": "recurrent"}`, which reads
    days by an LSTM.

Run
    python models/human_phenotype.py --data FOLDER    (the NHANES files; fits two survey cycles of
                                                       different people, and compares them)
    python models/human_phenotype.py --quick          (people made up, to try it out)
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pyrocrl as crl


def fit(data: crl.MultimodalData, arguments: dict[str, Any], *, quick: bool) -> crl.Posterior:
    """Fit one survey cycle; `quick` shows that it runs and no more."""
    return crl.fit(
        data,
        **arguments,
        restarts=1 if quick else 4,
        max_epochs=4 if quick else None,
        progress=not quick,
        seed=0,
    )


def main() -> None:
    """Fit two groups of different people, and print what both say."""
    parser = argparse.ArgumentParser(description="Phenotypes of every kind, in two survey cycles.")
    parser.add_argument("--data", type=Path, help="folder of the NHANES files")
    parser.add_argument("--quick", action="store_true", help="people made up, a few passes only")
    chosen = parser.parse_args()
    if chosen.data is None and not chosen.quick:
        parser.error("--data FOLDER, or --quick")
    groups = []
    for number, cycle in enumerate(("2011-2012", "2013-2014")):
        if chosen.data is None:
            example = crl.datasets.made_up_people(seed=200 + number)
        else:
            example = crl.datasets.human_phenotype(chosen.data, cycle=cycle)
        groups.append((example.data, example.fit_arguments))
    first, second = (fit(*group, quick=chosen.quick) for group in groups)
    found = crl.replication(first, second, groups[1][0])
    print("Latents that both groups agree on (correlation):")
    print(found.latents.round(2).to_string())
    print("Edges, probability in each group:")
    best = found.edges.sort_values("first", ascending=False, kind="stable")
    print(best.head(12).round(2).to_string(index=False))
    sure = (found.edges[["first", "second"]] > 0.9).any(axis=None)
    if sure:
        print(f"Edges sure in one group that the other finds: {100 * found.share():.0f} %")
    for warning in first.warnings:
        print("Note:", warning)


if __name__ == "__main__":
    main()
