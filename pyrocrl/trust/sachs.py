"""Edge probabilities of all methods on the protein signalling data of Sachs et al. (2005)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.clock import Clock
from pyrocrl.errors import DataError
from pyrocrl.metrics import calibration
from pyrocrl.trust.methods import Method
from pyrocrl.trust.simulated import Variables

__all__ = [
    "COLUMNS",
    "KEY",
    "PROTEINS",
    "expected_shd",
    "measure",
    "read_networks",
    "read_proteins",
]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

KEY = ("method", "network")
COLUMNS = (
    *KEY,
    *("subjects", "true_edges", "expected_edges", "expected_shd", "auroc", "auprc"),
    *("seconds", "cpu_seconds"),
)
PROTEINS = ("raf", "mek", "plc", "pip2", "pip3", "erk", "akt", "pka", "pkc", "p38", "jnk")

_MEASUREMENTS = "sachs_2005.csv.gz"
_NETWORKS = "edges.csv"
_OBSERVED = "cd3_cd28"
_FLUORESCENCE_OFFSET = 10.0
# Of a pair of proteins; one edge has half of it, as `crl.fit` has unless told otherwise.
_RATE = 0.2


def read_proteins(folder: Path) -> Variables:
    """The cells without intervention, log fluorescence, standardised.

    Args:
        folder: Holds sachs_2005.csv.gz: a column for each of `PROTEINS` and "condition".

    Returns:
        Data without truth; nothing is known of mechanisms, and DiBS is told that they are straight.

    Raises:
        DataError: If the file or a column is missing.
    """
    table = _read(folder / _MEASUREMENTS, (*PROTEINS, "condition"))
    values = table.loc[table.condition == _OBSERVED, list(PROTEINS)].to_numpy(dtype=np.float64)
    z = np.log(values + _FLUORESCENCE_OFFSET)
    nodes = len(PROTEINS)
    nothing = np.zeros((nodes, nodes))
    return Variables(
        z=(z - z.mean(axis=0)) / z.std(axis=0),
        adjacency=nothing > 0,
        order=np.arange(nodes),
        rate=_RATE,
        linear=True,
        strength=nothing,
    )


def read_networks(folder: Path) -> dict[str, BoolArray]:
    """The networks that the literature takes for true, (child, parent) each.

    Args:
        folder: Holds edges.csv: cause, effect, and a column of 0 and 1 for each network.

    Raises:
        DataError: If the file or a column is missing.
    """
    table = _read(folder / _NETWORKS, ("cause", "effect"))
    child = table.effect.map(PROTEINS.index).to_numpy()
    parent = table.cause.map(PROTEINS.index).to_numpy()
    networks = {}
    for name in table.columns.drop(["cause", "effect"]):
        network = np.zeros((len(PROTEINS),) * 2, dtype=np.bool_)
        network[child, parent] = table[name] == 1
        networks[str(name)] = network
    return networks


def expected_shd(true: BoolArray, probability: FloatArray) -> float:
    """Mean structural Hamming distance of a graph drawn from these probabilities.

    A pair of nodes is unlinked or linked one way or the other, and wrong counts 1.

    Args:
        true: The true edges, (child, parent).
        probability: Of the edges, (child, parent); the two ways of a pair exclude each other.

    Example:
        >>> true = np.array([[False, False], [True, False]])
        >>> expected_shd(true, np.array([[0.0, 0.25], [0.5, 0.0]]))
        0.5
    """
    unlinked = 1 - probability - probability.T
    right = np.where(true, probability, np.where(true.T, probability.T, unlinked))
    return float((1 - right)[np.triu_indices(len(true), 1)].sum())


def measure(
    name: str, method: Method, data: Variables, networks: dict[str, BoolArray]
) -> Iterator[dict[str, Any]]:
    """The rows of one method, one for each network."""
    clock = Clock()
    answer = method(data)
    taken = answer.took or clock.read()
    other = ~np.eye(len(PROTEINS), dtype=np.bool_)
    for network, true in networks.items():
        scores = calibration(true[other], answer.probability[other])
        yield {
            "method": name,
            "network": network,
            "subjects": len(data.z),
            "true_edges": int(true.sum()),
            "expected_edges": float(answer.probability.sum()),
            "expected_shd": expected_shd(true, answer.probability),
            "auroc": scores.auroc,
            "auprc": scores.auprc,
            **taken,
        }


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"there is no {path}; name the folder that holds {path.name}")
    table = pd.read_csv(path)
    for column in columns:
        if column not in table:
            raise DataError(f"{path} has no column {column!r}")
    return table
