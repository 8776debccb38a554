"""How agreement grows with a shared latent and with an edge: the weights of `sharing.evidence`.

    python benchmarks/sharing_evidence.py --seeds 1000-1095     # many subjects
    python benchmarks/sharing_evidence.py --seeds 2000-2047     # few

simulates two modalities that share none, one or two of three latents, at all strengths of noise,
looks for these as `sharing.discover` does, collects the evidence about all that was judged in
benchmarks/results/sharing_evidence.jsonl, and prints the weights of a logistic regression on all
that stands there. Seeds of other benchmarks are below 1,000.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pyrocrl.sharing.evidence import Evidence, Weights
from pyrocrl.sharing.fitting import Subjects
from pyrocrl.sharing.lattice import search
from pyrocrl.simulate import from_membership
from pyrocrl.training import hold_out

LATENTS = 3
MANY, FEW = (10_000, 10_000, 4000), (2000, 1000)
FEW_FROM = 2000
STRENGTHS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.5, 0.8)
ROWS = Path(__file__).parent / "results" / "sharing_evidence.jsonl"


def rows_of(seed: int) -> list[dict[str, Any]]:
    """Evidence of one simulated data set, about each component that was judged."""
    rng = np.random.default_rng(seed)
    design: dict[str, Any] = {
        "mixing": "square" if seed // 3 % 2 else "expand",
        "strength": float(rng.choice(STRENGTHS)),
        "n_subjects": int(rng.choice(FEW if seed >= FEW_FROM else MANY)),
        "noise": str(rng.choice(["gaussian", "laplace"])),
    }
    shared = seed % 3
    own = LATENTS - shared
    membership = {
        "m1": [1] * (shared + own) + [0] * own,
        "m2": [1] * shared + [0] * own + [1] * own,
    }
    data, _ = from_membership(membership, seed=seed, **design)
    torch.manual_seed(seed)
    subjects = Subjects(*hold_out(data, rng))
    found = search(subjects, dict.fromkeys(data.names, LATENTS), lambda members: 0.5)
    return [
        {"seed": seed, **design, "shared": place < shared, **asdict(candidate.evidence)}
        for place, candidate in enumerate(found.candidates)
    ]


def weights_of(rows: list[dict[str, Any]]) -> Weights:
    """Penalised logistic regression; both answers count alike, whatever their number."""
    from sklearn.linear_model import LogisticRegression

    evidence = [Evidence(*(row[field.name] for field in fields(Evidence))) for row in rows]
    beyond = [place for place, each in enumerate(evidence) if not each.told_by_known]
    features = np.array([evidence[place].features for place in beyond])
    shared = np.array([rows[place]["shared"] for place in beyond])
    centre, unit = features.mean(0), features.std(0)
    model = LogisticRegression(class_weight="balanced").fit((features - centre) / unit, shared)
    slopes = model.coef_[0] / unit
    offset = model.intercept_[0] - slopes @ centre
    return Weights(*(round(float(w), 2) for w in (offset, *slopes)))


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
