"""What real measurements share: both ears, and two ways to measure a body's build.

    python benchmarks/sharing_real.py --data FOLDER

FOLDER holds the NHANES files (see `crl.datasets.human_phenotype`). Two pairs of modalities: curves
of the left and the right middle ear; tape and scale against X-ray absorption (DXA, below 60 years).
For each pair `discover` says what is shared. Then the people are halved, the latents that come
nearest to being shared are sought in each half, and

- replication: correlation of what the two fits say of the same people, the second half;
- prediction: held-out R2 of one modality's columns, mean over columns, from the latents that the
  first half's fit reads from the other modality alone (cubic ridge regression), and, as what could
  be had, from all of the other modality's columns (ridge regression); taught on the first half.

Results are printed and written to benchmarks/results/sharing_real.csv.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score

import pyrocrl as crl
from pyrocrl.datasets.nhanes import NHANES_TABLES, read_nhanes
from pyrocrl.metrics import cubic_ridge

RESULTS = Path(__file__).parent / "results" / "sharing_real.csv"
DXA = ["dxa_fat_pct", "dxa_fat_kg", "dxa_lean_kg", "dxa_bmd", "dxa_bmc_kg", "dxa_trunk_fat_pct"]
_PENALTIES = (0.1, 1.0, 10.0, 100.0, 1000.0)
FloatArray = npt.NDArray[np.float64]


def ears(folder: Path) -> crl.MultimodalData:
    """Compliance of both middle ears at 28 pressures, 2011-2012."""
    data = crl.datasets.human_phenotype(folder, cycle="2011-2012", ears=True).data
    both = [data[name] for name in ("ear_left", "ear_right")]
    present = np.all([ear.present.numpy() for ear in both], axis=0)
    return crl.MultimodalData.from_modalities(both, data.subjects).select(present)


def build(folder: Path) -> crl.MultimodalData:
    """Body measures by tape and scale, and by DXA, of those who have all of them."""
    frame = read_nhanes(folder)
    tables = {"tape": list(NHANES_TABLES["anthropometry"]), "dxa": DXA}
    whole = frame[[*tables["tape"], *tables["dxa"]]].dropna().index
    return crl.MultimodalData({name: frame.loc[whole, own] for name, own in tables.items()})


def measure(pair: str, data: crl.MultimodalData, latents: int) -> list[dict[str, object]]:
    """Discover, then sharing in halves: one row per modality that is predicted."""
    judged = crl.sharing.discover(data, latents, progress=False).table
    print(judged.round(3).to_string(index=False))
    count = max(1, int((judged["latent"] != "").sum()))
    order = np.random.default_rng(0).permutation(data.n_subjects)
    halves = [data.select(np.sort(part)) for part in np.array_split(order, 2)]
    known = {data.names: count}
    fits = [
        crl.sharing.discover(half, latents, membership=known, progress=False) for half in halves
    ]
    said = [found.latents(halves[1]).to_numpy() for found in fits]
    across = np.abs(np.corrcoef(said[0].T, said[1].T)[:count, count:])
    rows: list[dict[str, object]] = []
    opinions = [fits[0].opinions(half)["mean"] for half in halves]
    for target, source in (data.names, data.names[::-1]):
        wanted = [_columns(half, target) for half in halves]
        alone = [part.sel(modality=source).to_numpy() for part in opinions]
        everything = [_columns(half, source) for half in halves]
        rows.append(
            {
                "pair": pair,
                "people": data.n_subjects,
                "latents": count,
                "probability": judged["probability"].iloc[:count].round(3).tolist(),
                "disagreement": judged["disagreement"].iloc[:count].round(3).tolist(),
                "replication": across.max(1).round(3).tolist(),
                "predicted": target,
                "from": source,
                "nearest_column": _nearest(halves[1], target, said[0][:, 0]),
                "r2_shared": round(_r2(cubic_ridge(), alone, wanted), 3),
                "r2_all_columns": round(_r2(RidgeCV(_PENALTIES), everything, wanted), 3),
            }
        )
    return rows


def _nearest(data: crl.MultimodalData, name: str, latent: FloatArray) -> str:
    """The column, or the point of a curve, that correlates most with a latent, and how much."""
    values = np.nan_to_num(_columns(data, name))
    near = np.abs(np.corrcoef(latent, values.T)[0, 1:])
    is_table = len(data[name].shape) == 1
    columns = list(data.frame(name)) if is_table else [f"point {k}" for k in range(len(near))]
    return f"{columns[near.argmax()]}: {near.max():.2f}"


def _columns(data: crl.MultimodalData, name: str) -> FloatArray:
    """Standardised cells, NaN where missing; (subject, column), a curve's points as columns."""
    cells = data.batch()[name]
    values = np.where(cells.observed.numpy() > 0, cells.values.numpy(), np.nan)
    return values.reshape(len(values), -1).astype(float)


def _r2(regression: Any, inputs: list[FloatArray], wanted: list[FloatArray]) -> float:
    """Mean over columns; cells that are missing in the inputs count as the mean."""
    scores = []
    for column in range(wanted[0].shape[1]):
        (x, y), (new_x, new_y) = (
            (np.nan_to_num(part[there]), values[there, column])
            for part, values in zip(inputs, wanted, strict=True)
            for there in [np.isfinite(values[:, column])]
        )
        scores.append(r2_score(new_y, regression.fit(x, y).predict(new_x)))
    return float(np.mean(scores))


def main() -> None:
    """Measure both pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the NHANES files")
    folder = parser.parse_args().data
    rows = measure("ears", ears(folder), 2) + measure("build", build(folder), 3)
    table = pd.DataFrame(rows)
    print(table.T.to_string(header=False))
    table.to_csv(RESULTS, index=False)


if __name__ == "__main__":
    main()
