"""What cannot work is refused by an error that names the culprit, never from inside torch."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyro
import pyro.distributions as dist
import pytest
import torch
from torch import Tensor

import pyrocrl as crl

N = 60


def frame(*columns: str, n: int = N, seed: int = 0) -> pd.DataFrame:
    values = np.random.default_rng(seed + len(columns)).normal(size=(n, len(columns)))
    return pd.DataFrame(values, index=[f"p{i}" for i in range(n)], columns=list(columns))


def tables(**replaced: Any) -> dict[str, Any]:
    return {"labs": frame("iron", "zinc", "lead"), "sleep": frame("rem", "deep"), **replaced}


def fit(data: Any = None, **options: Any) -> crl.Posterior:
    settings = {"latents": 2, "restarts": 2, "max_epochs": 3, "progress": False, **options}
    return crl.fit(tables() if data is None else data, **settings)


def knowing(**knowledge: Any) -> crl.Posterior:
    return fit(knowledge=crl.BackgroundKnowledge(**knowledge))


def labs_with(**columns: Any) -> dict[str, Any]:
    return tables(labs=frame("iron", "zinc").assign(**columns))


def apart() -> crl.MultimodalData:
    """Nobody has both measurements."""
    other = frame("rem", "deep").rename(index=lambda name: f"q{name}")
    return crl.MultimodalData(tables(sleep=other), align="union")


def own_z(space: crl.GraphSpace) -> Tensor:
    adjacency: Tensor = pyro.sample("z", space.edges(0.1))
    return adjacency


def not_drawn(space: crl.GraphSpace) -> Tensor:
    shape = [len(space.nodes)] * 2
    adjacency: Tensor = pyro.sample("edges", dist.Normal(0.0, 1.0).expand(shape).to_event(2))
    return adjacency


def loop_of_edges() -> list[tuple[str, str]]:
    return [("labs.z1", "sleep.z1"), ("sleep.z1", "labs.z1")]


BAD: dict[str, tuple[Callable[[], object], type[crl.PyrocrlError], list[str]]] = {
    # what is wrong: (how to do it, the class of the error, what the message must say)
    "no mapping": (lambda: fit(frame("a")), crl.DataError, ["dict of tables", "DataFrame"]),
    "no modality": (lambda: fit({}), crl.DataError, ["no modality"]),
    "one modality": (lambda: fit({"labs": frame("a", "b")}), crl.DataError, ["'labs'", "two"]),
    "image as table": (
        lambda: fit(tables(labs=np.zeros((N, 4, 4)))),
        crl.DataError,
        ["'labs'", "(60, 4, 4)"],
    ),
    "other subjects": (
        lambda: fit(tables(sleep=frame("rem", n=70))),
        crl.DataError,
        ["'labs'", "lacks 10 of 70", "intersection"],
    ),
    "duplicated subjects": (
        lambda: fit(tables(sleep=frame("rem").rename(index={"p1": "p0"}))),
        crl.DataError,
        ["'sleep'", "duplicated subjects 'p0'"],
    ),
    "duplicated columns": (
        lambda: fit(tables(sleep=frame("rem", "rem"))),
        crl.DataError,
        ["'sleep'", "columns 'rem'"],
    ),
    "constant column": (
        lambda: fit(labs_with(sodium=140.0)),
        crl.DataError,
        ["'labs'", "'sodium'", "constant"],
    ),
    "all-missing column": (
        lambda: fit(labs_with(gold=np.nan)),
        crl.DataError,
        ["'labs'", "'gold'"],
    ),
    "infinity": (
        lambda: fit(labs_with(gold=np.r_[np.inf, np.arange(N - 1)])),
        crl.DataError,
        ["'labs'", "'gold'", "infinite"],
    ),
    "strings": (lambda: fit(labs_with(sex=["f", "m"] * 30)), crl.DataError, ["'labs'", "'sex'"]),
    "too few subjects": (
        lambda: fit({"a": frame("x", n=12), "b": frame("y", n=12)}),
        crl.DataError,
        ["too few subjects: 12"],
    ),
    "nobody with all modalities": (
        lambda: fit(apart()),
        crl.DataError,
        ["only 0 of 120 subjects", "labs, sleep"],
    ),
    "zero latents": (lambda: fit(latents=0), crl.ModelError, ["latents", "'labs'", "not 0"]),
    "negative noise": (lambda: fit(noise=-1), crl.ModelError, ["noise", "'labs'", "not -1"]),
    "half a latent": (lambda: fit(latents=1.5), crl.ModelError, ["latents", "whole", "1.5"]),
    "more latents than columns": (
        lambda: fit(latents=3),
        crl.ModelError,
        ["latents", "'sleep'", "only 2 columns"],
    ),
    "latents of an unknown modality": (
        lambda: fit(latents={"labs": 1, "sleep": 1, "mri": 1}),
        crl.ModelError,
        ["latents", "'mri'", "labs, sleep"],
    ),
    "latents of one modality only": (
        lambda: fit(latents={"labs": 1}),
        crl.ModelError,
        ["latents", "'sleep'"],
    ),
    "cyclic required edges": (
        lambda: knowing(required=loop_of_edges()),
        crl.KnowledgeError,
        ["cycle", "labs.z1", "sleep.z1"],
    ),
    "required against the order": (
        lambda: knowing(required=[("sleep.z1", "labs.z1")]),
        crl.KnowledgeError,
        ["sleep.z1 -> labs.z1", "order", "tiers"],
    ),
    "required and forbidden": (
        lambda: knowing(required=[("labs.z1", "sleep.z1")], forbidden=[("labs", "sleep")]),
        crl.KnowledgeError,
        ["labs.z1 -> sleep.z1", "both required and forbidden"],
    ),
    "knowledge of an unknown node": (
        lambda: knowing(forbidden=[("labs.z9", "sleep")]),
        crl.KnowledgeError,
        ["forbidden", "'labs.z9'", "known: labs, sleep"],
    ),
    "tiers that leave out": (
        lambda: knowing(tiers=[["labs"]]),
        crl.KnowledgeError,
        ["tiers", "sleep.z1, sleep.z2"],
    ),
    "probability above one": (
        lambda: knowing(probability={"labs.z1": {"sleep.z1": 3.0}}),
        crl.KnowledgeError,
        ["labs.z1 -> sleep.z1", "3.0", "between 0 and 1"],
    ),
    "knowledge as a dict": (lambda: fit(knowledge={}), crl.ModelError, ["knowledge", "dict"]),
    "negative rope": (lambda: fit(rope=-0.1), crl.ModelError, ["rope", "-0.1"]),
    "rope not a number": (lambda: fit(rope=float("nan")), crl.ModelError, ["rope", "nan"]),
    "rope in words": (lambda: fit(rope="small"), crl.ModelError, ["rope", "'small'"]),
    "unknown mechanism": (
        lambda: fit(mechanism="quadratic"),
        crl.ModelError,
        ["mechanism", "'quadratic'", "'additive'"],
    ),
    "unknown order": (lambda: fit(order="alphabet"), crl.ModelError, ["order", "'alphabet'"]),
    "no restarts": (lambda: fit(restarts=0), crl.ModelError, ["restarts", "not 0"]),
    "negative seed": (lambda: fit(seed=-1), crl.ModelError, ["seed", "not -1"]),
    "endless seed": (lambda: fit(seed=2**70), crl.ModelError, ["seed", "2**63"]),
    "no epochs": (lambda: fit(max_epochs=0), crl.ModelError, ["max_epochs", "not 0"]),
    "unknown device": (lambda: fit(device="abacus"), crl.ModelError, ["device 'abacus'"]),
    "device that cannot compute": (lambda: fit(device="meta"), crl.ModelError, ["device 'meta'"]),
    "device a number": (lambda: fit(device=0.5), crl.ModelError, ["device 0.5"]),
    "device that is not there": (
        lambda: fit(device="cuda:99"),
        crl.ModelError,
        ["device 'cuda:99'", "does not find"],
    ),
    "prior above one": (lambda: crl.SpikeAndSlab(1.5), crl.PriorError, ["probability", "1.5"]),
    "prior in words": (lambda: crl.SpikeAndSlab("rare"), crl.PriorError, ["'rare'"]),
    "scale of zero": (lambda: crl.LaplaceEdges(0.0), crl.PriorError, ["scale", "not 0.0"]),
    "prior of another shape": (
        lambda: fit(edge_prior=crl.SpikeAndSlab(np.full((3, 3), 0.1))),
        crl.PriorError,
        ["(3, 3)", "4 nodes"],
    ),
    "prior a number": (lambda: fit(edge_prior=0.1), crl.ModelError, ["edge_prior", "0.1"]),
    "prior a class": (lambda: fit(edge_prior=crl.SpikeAndSlab), crl.PriorError, ["SpikeAndSlab"]),
    "prior returns nothing": (
        lambda: fit(edge_prior=lambda space: None),
        crl.PriorError,
        ["(4, 4)", "NoneType"],
    ),
    "prior returns nonsense": (
        lambda: fit(edge_prior=lambda space: torch.zeros(2, 7)),
        crl.PriorError,
        ["(4, 4)", "(2, 7)"],
    ),
    "prior fails": (lambda: fit(edge_prior=lambda space: 1 / 0), crl.PriorError, ["division"]),
    "prior of continuous edges": (
        lambda: fit(edge_prior=not_drawn),
        crl.PriorError,
        ["not_drawn", "draw its edges"],
    ),
    "prior takes the model's name": (
        lambda: fit(edge_prior=own_z),
        crl.PriorError,
        ["own_z", "site 'z'"],
    ),
    "model a number": (lambda: fit(model=3), crl.ModelError, ["model(data, chains=...)", "3"]),
    "model without chains": (
        lambda: fit(model=lambda data: None),
        crl.ModelError,
        ["model(data, chains=...)", "chains"],
    ),
    "model of nothing": (
        lambda: fit(model=lambda data, chains: None),
        crl.ModelError,
        ["model", "MultimodalSCM", "NoneType"],
    ),
    "model of other chains": (
        lambda: fit(model=lambda data, chains: crl.MultimodalSCM(data, chains=5)),
        crl.ModelError,
        ["model", "5 chains"],
    ),
    "guide of another kind": (
        lambda: fit(guide=lambda model, data: torch.nn.Linear(2, 2)),
        crl.ModelError,
        ["guide", "AmortizedGuide", "Linear"],
    ),
    "guide a word": (lambda: fit(guide="amortized"), crl.ModelError, ["guide", "'amortized'"]),
    "no saved fit": (lambda: crl.load("nowhere"), crl.SavedFitError, ["fit.json is missing"]),
    "no path": (lambda: crl.load(None), crl.SavedFitError, ["folder", "None"]),  # type: ignore[arg-type]
    "modality with a dot": (
        lambda: fit(tables(**{"labs.blood": frame("iron", "zinc")})),
        crl.DataError,
        ["'labs.blood'", "dot"],
    ),
    "modality whose name is taken": (
        lambda: fit(tables(weight=frame("kg", "lb"))),
        crl.ModelError,
        ["'weight'", "choose another"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    do, kind, says = BAD[case]
    before = torch.random.get_rng_state()
    with pytest.raises(crl.PyrocrlError) as caught:
        do()
    assert caught.type is kind
    for words in says:
        assert words in str(caught.value)
    # The last frame is ours, and what failed left nothing behind.
    raised_in = Path(traceback.extract_tb(caught.tb)[-1].filename)
    assert raised_in.is_relative_to(Path(crl.__file__).parent)
    assert torch.equal(before, torch.random.get_rng_state())
    assert len(pyro.get_param_store()) == 0


def test_a_corrupt_saved_fit(fitted: crl.Posterior, tmp_path: Path) -> None:
    for name in ("fit.json", "network.safetensors", "arrays.safetensors"):
        folder = fitted.save(tmp_path / name)
        (folder / name).write_bytes(b"{" * 50)
        with pytest.raises(crl.SavedFitError, match=name):
            crl.load(folder)


def test_new_subjects_of_another_kind(fitted: crl.Posterior) -> None:
    for new in ({"m1": frame("x1")}, frame("x1"), 3, {}):
        with pytest.raises(crl.DataError):
            fitted.latents(new)  # type: ignore[arg-type]


def test_what_is_unusual_but_possible() -> None:
    # Few subjects, as many latents as columns, copies of a column: warned of, not refused.
    few = {"labs": frame("a", "b", n=20), "sleep": frame("c", "d", "e", n=20)}
    assert any("only 20 subjects" in said for said in fit(few, noise=0).warnings)
    copied = labs_with(copy=lambda table: table["iron"])
    assert np.isfinite(fit(copied).edge_probabilities()).all(axis=None)
    person = crl.Variables(frame("age").assign(born=lambda table: -table["age"]))
    assert np.isfinite(fit(tables(person=person)).edge_probabilities()).all(axis=None)
    outlier = labs_with(gold=np.r_[1e6, np.zeros(N - 1)])
    assert np.isfinite(fit(outlier).edge_probabilities()).all(axis=None)


def test_a_prior_that_keeps_too_many_edges_is_refused_before_training() -> None:
    rng = np.random.default_rng(0)
    first, last = (pd.DataFrame(rng.normal(size=(60, 9))).add_prefix(c) for c in "vw")
    data = crl.MultimodalData({"a": crl.Variables(first), "b": crl.Variables(last)})
    with pytest.raises(crl.PriorError, match=r"LaplaceEdges.* parents of b\.w\d .*forbid edges"):
        crl.fit(data, edge_prior=crl.LaplaceEdges(), restarts=1, progress=False)
