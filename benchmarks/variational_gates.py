"""Variational gates against the exact posterior: writes results/variational_gates.csv.

    python benchmarks/variational_gates.py                  # 30 data sets, seeds 0-29
    python benchmarks/variational_gates.py --seeds 1000-1004  # others

Four or five measured variables in a known order, linear Gaussian mechanisms, 50 to 5,000 subjects.
SVI fits the gates (two restarts); the exact probabilities sum over all graphs with mechanisms
integrated out. Both are without a region of practical equivalence: the gates have none. Each row is
a data set: mean and largest absolute difference over the edges that could be.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import pyrocrl as crl
from pyrocrl.benchmark import read_seeds
from pyrocrl.structure import EdgePriorMixture, KnownOrderPosterior

RESULTS = Path(__file__).parent / "results" / "variational_gates.csv"
SUBJECTS = (50, 100, 300, 1000, 5000)
RATE = 0.1
FloatArray = npt.NDArray[np.float64]


def draw(seed: int) -> tuple[FloatArray, FloatArray]:
    """Node values, (subject, node), and which edges there are, (child, parent)."""
    rng = np.random.default_rng(seed)
    nodes, subjects = int(rng.integers(4, 6)), SUBJECTS[seed % len(SUBJECTS)]
    adjacency = np.tril(rng.random((nodes, nodes)) < 0.4, -1)
    weights = adjacency * rng.normal(0, 0.6, (nodes, nodes))
    z = np.zeros((subjects, nodes))
    for node in range(nodes):
        z[:, node] = z @ weights[node] + rng.normal(size=subjects)
    return z, adjacency.astype(float)


def gates(z: FloatArray, seed: int) -> FloatArray:
    """Gate probabilities of `fit`, (child, parent)."""
    names = [f"v{k}" for k in range(z.shape[1])]
    tables = {name: crl.Variables(pd.DataFrame({"x": z[:, k]})) for k, name in enumerate(names)}
    posterior = crl.fit(
        tables,
        edge_prior=crl.SpikeAndSlab(RATE),
        mechanism="linear",
        restarts=2,
        seed=seed,
        progress=False,
    )
    found = np.zeros((len(names), len(names)))
    for edge in posterior.edge_table().itertuples():
        parent, child = (names.index(str(n).split(".")[0]) for n in (edge.parent, edge.child))
        found[child, parent] = edge.variational
    return found


def exact(z: FloatArray) -> FloatArray:
    """Probabilities that the parents are in the child's parent set, (child, parent)."""
    size = z.shape[1]
    prior = EdgePriorMixture.fixed(np.full((size, size), RATE))
    allowed = np.tril(np.ones((size, size), dtype=bool), -1)
    return KnownOrderPosterior.fit(z, allowed, prior, rope=0.0, nonlinear=False).inclusion


def row(seed: int) -> dict[str, Any]:
    """One data set."""
    z, adjacency = draw(seed)
    forward = np.tril(np.ones_like(adjacency, dtype=bool), -1)
    error = np.abs(gates(z, seed) - exact(z))[forward]
    return {
        "seed": seed,
        "nodes": z.shape[1],
        "subjects": len(z),
        "edges": int(adjacency.sum()),
        "mean_error": error.mean(),
        "largest_error": error.max(),
    }


def main() -> None:
    """Measure all data sets, write them, and print mean and worst."""
    parser = argparse.ArgumentParser(description="Variational gates against the exact posterior.")
    parser.add_argument("--seeds", default="0-29", help="data seeds, such as 0-29 or 3,5")
    parser.add_argument("--out", type=Path, default=RESULTS, help="CSV file")
    given = parser.parse_args()
    rows = []
    for seed in read_seeds(given.seeds):
        rows.append(row(seed))
        print("  ".join(f"{k} {v:.3g}" for k, v in rows[-1].items()), flush=True)
    table = pd.DataFrame(rows)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(given.out, index=False, float_format="%.5f")
    print(f"mean {table.mean_error.mean():.4f}, worst {table.largest_error.max():.3f}")


if __name__ == "__main__":
    main()
