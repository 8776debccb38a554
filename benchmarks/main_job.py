"""The numerical cases of Sun et al. (2025), fitted and scored: writes results/main_job.csv.

    python benchmarks/main_job.py                      # cases 1, 2, 3; seeds 0 to 4
    python benchmarks/main_job.py --cases 1 --seeds 7  # one setting

Settings that stand in the file already are not run again; remove the file to start anew. Latents
are matched to the true ones within modalities; R2 is held out; SHD counts edges with P > 0.5.
Linear CCA and an untrained encoder are no part of this table: see the identification benchmark.
"""

from __future__ import annotations

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import pyrocrl as crl
from pyrocrl.simulate import CASES, Mixing

RESULTS = Path(__file__).parent / "results" / "main_job.csv"


def run(case: int, seed: int, mixing: Mixing, subjects: int) -> dict[str, object]:
    """Simulate, fit with the default settings, score."""
    data, truth = crl.simulate.numerical_case(case, seed=seed, mixing=mixing, n_subjects=subjects)
    started = time.perf_counter()
    posterior = crl.fit(data, latents=CASES[case].latents, noise=1, progress=False)
    seconds = time.perf_counter() - started
    found = posterior.latents().to_numpy()
    true = truth.latents.to_numpy()
    strength = crl.metrics.absolute_correlations(true, found)
    match = crl.metrics.match_within_groups(strength, truth.groups)
    probability = posterior.edge_probabilities().to_numpy()[np.ix_(match, match)]
    edges = truth.adjacency.to_numpy()
    return {
        "case": case,
        "mixing": mixing,
        "subjects": subjects,
        "seed": seed,
        "mcc": crl.metrics.mcc(true, found, truth.groups),
        "mcc_spearman": crl.metrics.mcc(true, found, truth.groups, kind="spearman"),
        "r2": crl.metrics.r2(true, found, truth.groups),
        "shd_between": crl.metrics.shd(edges, probability > 0.5, truth.groups),
        "shd_whole": crl.metrics.shd(edges, probability > 0.5),
        "lowest_true_edge": probability[edges == 1].min(),
        "highest_false_edge": probability[(edges == 0) & ~np.eye(len(edges), dtype=bool)].max(),
        "seconds": seconds,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def main() -> None:
    """Run every setting that is not there yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--mixing", nargs="+", default=["expand"], choices=["expand", "square"])
    parser.add_argument("--subjects", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    table = pd.read_csv(options.out) if options.out.exists() else pd.DataFrame()
    keys = ["case", "mixing", "subjects", "seed"]
    done = set(map(tuple, table[keys].to_numpy())) if len(table) else set()
    for mixing in options.mixing:
        for case in options.cases:
            for seed in options.seeds:
                if (case, mixing, options.subjects, seed) in done:
                    continue
                row = run(case, seed, mixing, options.subjects)
                table = pd.concat([table, pd.DataFrame([row])], ignore_index=True)
                options.out.parent.mkdir(exist_ok=True)
                table.round(4).to_csv(options.out, index=False)
                print(
                    f"case {case} {mixing} seed {seed}: MCC {row['mcc']:.3f}, R2 {row['r2']:.3f}, "
                    f"SHD {row['shd_between']}, {row['seconds']:.0f} s",
                    flush=True,
                )
    scores = ["mcc", "r2", "shd_between", "seconds"]
    summary = table.groupby(["case", "mixing", "subjects"])[scores].agg(["min", "median", "max"])
    print(summary.round(3).to_string())


if __name__ == "__main__":
    main()
