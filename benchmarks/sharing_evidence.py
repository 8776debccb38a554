"""How agreement grows with a shared latent and with an edge: the weights of `sharing.evidence`.

    python benchmarks/sharing_evidence.py --seeds 1000-1005

simulates two modalities with and without a shared latent, at all strengths of noise, collects the
evidence in benchmarks/results/sharing_evidence.jsonl, and prints the weights of a logistic
regression on all that stands there. The penalty is the one with the best leave-one-out likelihood
of .1, .05, .02, .01, .005 and .002. Seeds of other benchmarks are below 1,000.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pyrocrl.sharing.agreement import Agreement
from pyrocrl.sharing.evidence import Evidence, Weights
from pyrocrl.sharing.fitting import Subjects, fit_agreement
from pyrocrl.simulate import shared_case
from pyrocrl.training import hold_out

STRENGTHS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.5, 0.8)
ROWS = Path(__file__).parent / "results" / "sharing_evidence.jsonl"
PENALTY = 0.005


def rows_of(seed: int) -> list[dict[str, Any]]:
    """Evidence of one simulated data set; every second one has a shared latent."""
    rng = np.random.default_rng(seed)
    case = "a" if seed % 2 else "none"
    design: dict[str, Any] = {
        "mixing": "square" if seed // 2 % 2 else "expand",
        "strength": float(rng.choice(STRENGTHS)),
        "n_subjects": int(rng.choice([10_000, 10_000, 4000])),
        "noise": str(rng.choice(["gaussian", "laplace"])),
    }
    data, truth = shared_case(case, seed=seed, granted=False, **design)
    torch.manual_seed(seed)
    subjects = Subjects(*hold_out(data, rng))
    components = 2 if seed // 4 % 2 else 1
    networks = Agreement(subjects.training, [data.names], components)
    given = [torch.zeros(1, part.n_subjects, 0) for part in (subjects.training, subjects.held_out)]
    curve = fit_agreement(networks, subjects, (given[0], given[1]))
    shared = int(truth.membership.all(axis=1).sum())
    rows = []
    for d in range(min(components, shared + 1)):
        held_out, training = curve.held_out[:, d, 0].tolist(), float(curve.training[d, 0])
        evidence = Evidence(held_out[-2], held_out[-1], training)
        rows.append({"seed": seed, **design, "shared": d < shared, **asdict(evidence)})
    return rows


def weights_of(rows: list[dict[str, Any]]) -> Weights:
    """Penalised logistic regression; both answers count alike, whatever their number."""
    from sklearn.linear_model import LogisticRegression

    features = np.array(
        [Evidence(row["before"], row["held_out"], row["training"]).features for row in rows]
    )
    shared = np.array([row["shared"] for row in rows])
    model = LogisticRegression(C=1 / (PENALTY * len(rows)), class_weight="balanced", max_iter=5000)
    model.fit(features, shared)
    return Weights(*(round(float(w), 2) for w in (model.intercept_[0], *model.coef_[0])))


def main() -> None:
    """Collect what is missing, then print the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1000-1005", help="first and last seed")
    parser.add_argument("--out", type=Path, default=ROWS, help="file of rows, JSON lines")
    options = parser.parse_args()
    first, last = (int(seed) for seed in options.seeds.split("-"))
    rows = []
    if options.out.exists():
        rows = [json.loads(line) for line in options.out.read_text().splitlines()]
    done = {row["seed"] for row in rows}
    for seed in range(first, last + 1):
        if seed in done:
            continue
        new = rows_of(seed)
        rows += new
        with options.out.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in new)
    print(len(rows), "rows:", weights_of(rows))


if __name__ == "__main__":
    main()
