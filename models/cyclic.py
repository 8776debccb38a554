"""Cycles: latents that cause one another, as set points and feedback do.

System
    Two modalities of the same subjects whose latents influence each other in a circle; what is
    measured is the state in which all influences agree. Simulated, with known truth.

Equations (Sun et al., 2025, appendix E, non-DAG settings)
    A_ij ~ Bernoulli(pi)                            any edge, cycles included
    z    = f(z) + s eps,  f_i(z) = sum_j A_ij [w_ij z_j + h_ij(z)]        (1), solved for z
    x^(m) = g_m(z^(m), eta^(m)) + s e^(m)           (2) measurements
    p(z) = N(z - f(z); 0, s) |det(I - df/dz)|       the density of the solution

Assumptions
    - Effects shrink on their way around every cycle, so that the equations have one solution.
    - Noise is additive: `mechanism="linear"` or `"additive"`.
    - Every subject is measured in its steady state.

What to change
    - `WHERE`: "within" closes the cycle inside a modality, "across" between two.
    - Forbid what cannot be by `crl.BackgroundKnowledge(forbidden=...)`: each edge that is ruled out
      makes the rest easier to tell.
    - The data: `measurements()`.

Run
    python models/cyclic.py [--quick]
"""

from __future__ import annotations

import argparse
from typing import Literal

import pyrocrl as crl

WHERE: Literal["within", "across"] = "across"


def measurements(*, quick: bool) -> tuple[crl.MultimodalData, crl.simulate.Truth]:
    """Two modalities of two latents each, with a cycle, and the truth behind them."""
    return crl.simulate.cyclic_case(WHERE, seed=200, n_subjects=300 if quick else 5000)


def fit(data: crl.MultimodalData, *, quick: bool) -> crl.Posterior:
    """Fit with cycles allowed; `quick` shows that it runs and no more."""
    return crl.fit(
        data,
        latents=2,
        noise=1,
        order="cyclic",
        restarts=1 if quick else 4,
        max_epochs=6 if quick else None,
        progress=not quick,
        seed=0,
    )


def main() -> None:
    """Fit, and print true edges beside what was found."""
    parser = argparse.ArgumentParser(description="Latent causes that cause one another.")
    parser.add_argument("--quick", action="store_true", help="a few passes only, to try it out")
    quick = parser.parse_args().quick
    data, truth = measurements(quick=quick)
    posterior = fit(data, quick=quick)
    found = posterior.latents().to_numpy()
    edges = truth.adjacency.stack()
    print("True edges:", ", ".join(f"{p} -> {c}" for (c, p), there in edges.items() if there))
    print(f"MCC {crl.metrics.mcc(truth.latents.to_numpy(), found, truth.groups):.3f} (latents of a")
    print("modality are known up to their order, so names may be exchanged)")
    columns = ["parent", "child", "probability", "strength", "effect"]
    print(posterior.edge_table()[columns].head(8).round(3).to_string(index=False, na_rep="-"))
    for warning in posterior.warnings:
        print("Note:", warning)


if __name__ == "__main__":
    main()
