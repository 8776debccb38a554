"""Counts with a library size: gene programmes behind transcripts and proteins of the same cells.

System
    Sequencing counts transcripts of genes and tags of proteins in the same cells. How much is
    counted in all, the library size, differs by the experiment, not by the cell's state. Two
    programmes are active behind the transcripts, and act on two behind the proteins. A third of
    the cells were not stained for proteins. Simulated, so that the truth is known.

Equations
    A ~ spike and slab,  z_i = f_i(Pa(z_i), eps_i)                                   (1)
    x ~ NegativeBinomial(mean = l exp(g(z, eta)), variance = mean + d mean^2)        (2)
    with the library size l given, and the overdispersion d of each column learned

Assumptions
    - The library size says nothing of the programmes; with few columns, give one that was measured
      otherwise: `crl.Counts(frame, library=...)`.
    - Which cells were stained does not depend on their proteins.

What to change
    - `tables`: your own frames, or `crl.MultimodalData.from_mudata(mdata, counts=["rna", "prot"])`;
      `data.to_mudata(posterior, into=mdata)` writes latents and edges back.

Run
    python models/counts.py [--quick]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import pyrocrl as crl

UNSTAINED = 0.33


def simulate(*, quick: bool) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, crl.simulate.Truth]:
    """Transcripts of all cells and proteins of those stained; proteins of all; the truth."""
    columns, cells = (10, 240) if quick else (60, 3000)
    data, truth = crl.simulate.measured_case("counts", seed=3, n_subjects=cells, columns=columns)
    names = [f"x{k + 1}" for k in range(columns)]
    rna, proteins = (pd.DataFrame(own.measured(), data.subjects, names) for own in data)
    stained = np.random.default_rng(0).random(cells) > UNSTAINED
    return {"m1": rna, "m2": proteins[stained]}, proteins, truth


def logarithms(counts: pd.DataFrame) -> pd.DataFrame:
    """What is often done in place of a likelihood: shares, scaled, log(1 + x)."""
    size = counts.sum(axis=1)
    return np.log1p(counts.div(size / size.median(), axis=0))


KINDS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "negative binomial": crl.Counts,
    "normal of log": logarithms,
}


def main() -> None:
    """Fit counts as counts and as logarithms; impute the proteins of cells not stained."""
    parser = argparse.ArgumentParser(description="Gene programmes behind counts.")
    parser.add_argument("--quick", action="store_true", help="a few passes only, to try it out")
    quick = parser.parse_args().quick
    tables, proteins, truth = simulate(quick=quick)
    unstained = proteins.index.difference(tables["m2"].index)
    shown = proteins.loc[unstained]
    print("likelihood          MCC of latents   proteins not stained, correlation of logarithms")
    for name, kind in KINDS.items():
        data = crl.MultimodalData({m: kind(own) for m, own in tables.items()}, align="union")
        epochs = 4 if quick else None
        posterior = crl.fit(data, restarts=2, max_epochs=epochs, progress=False)
        mcc = crl.metrics.mcc(truth.latents, posterior.latents(), truth.groups)
        filled = posterior.impute(draws=10 if quick else 100).frame("m2").loc[unstained]
        guess = filled if name == "normal of log" else logarithms(filled)
        r = np.mean([np.corrcoef(guess[c], logarithms(shown)[c])[0, 1] for c in guess])
        print(f"{name:<20}{mcc:>14.3f}{r:>14.3f}")


if __name__ == "__main__":
    main()
