"""A tiny setting that runs in seconds, and results made up by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from pyrocrl.benchmark import SETTINGS, Results, Setting


@pytest.fixture
def tiny() -> Setting:
    return Setting(
        "tiny",
        "numerical_case",
        {"case": 1, "n_subjects": 300},
        methods=("pyrocrl", "pca", "cca"),
        fit={"max_epochs": 2, "restarts": 2},
    )


@pytest.fixture
def made_up() -> Callable[..., dict[str, Any]]:
    """A row of results; keywords replace what it says."""

    def row(setting: str, seed: int, method: str = "pyrocrl", **changes: Any) -> dict[str, Any]:
        known = SETTINGS[setting]
        return {
            **known.columns(),
            "seed": seed,
            "method": method,
            "fingerprint": known.fingerprint(method),
            "mcc": 0.99,
            "mcc_spearman": 0.99,
            "mcc_granted": 0.99,
            "r2": 0.99,
            "shd_between": 0,
            "shd": 1,
            "seconds": 20.0,
            "latents": 4,
            "granted": 4,
            "condition_4_3": True,
            "true_counts": "m1:2 m2:2",
            "true_edges": "m1.z1>m2.z1:1 m1.z2>m2.z2:1",
            "edges": "m1.z1>m2.z1:1 m1.z1>m2.z2:0.3",
            "threads": 1,
            "jobs": 2,
            "cores": 2,
            "pyrocrl": "0.1.0",
            "torch": "2.13.0",
            "python": "3.11.7",
            **changes,
        }

    return row


@pytest.fixture
def frame(made_up: Callable[..., dict[str, Any]], tmp_path_factory: Any) -> pd.DataFrame:
    """Results of several groups as the file gives them back, with a failure among them."""
    rows = []
    for seed in range(10):
        wobble = 0.001 * seed
        rows += [
            made_up("case1-expand", seed, mcc=0.995 - wobble / 10, mcc_granted=0.992),
            made_up("case1-expand", seed, "cca", mcc=0.9 - wobble),
            made_up("case1-square", seed, r2=0.9002 + wobble, shd_between=int(seed == 3)),
            made_up("case1-expand-3000", seed, mcc=0.9, mcc_granted=0.9),
        ]
    for place, name in enumerate(("absent0-expand", "absent33-expand")):
        rows += [made_up(name, s, mcc=0.8 + 0.1 * place) for s in (0, 1)]
        rows += [made_up(name, s, "pca", mcc=0.5 + 0.35 * place) for s in (0, 1)]
    held_out = [
        {"modality": m, "latents": k, "held_out": -10.0 - abs(k - 2)}
        for m in ("m1", "m2")
        for k in range(1, 6)
    ]
    for seed in range(10):
        right = seed != 4
        rows.append(
            made_up(
                "counts-case1",
                seed,
                "select_latents",
                mcc=None,
                found_counts="m1:2 m2:2" if right else "m1:2 m2:3",
                counts_right=int(right),
                held_out=json.dumps(held_out),
            )
        )
    failed = made_up("case1-square", 0, "mcl", error="ModelError: a pipe | in it")
    rows.append({k: v for k, v in failed.items() if not k.startswith(("mcc", "r2", "shd"))})
    results = Results(tmp_path_factory.mktemp("results") / "identification.csv")
    for row in rows:
        results.add(row)
    results.reload()
    return results.frame()
