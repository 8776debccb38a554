"""Small data and fits that many tests look at; nothing here is changed by a test."""

from __future__ import annotations

import gzip
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyro
import pyro.distributions as dist
import pytest
import torch
from hypothesis import settings

import pyrocrl as crl
from pyrocrl.simulate import Truth

settings.register_profile("pyrocrl", deadline=None)
settings.load_profile("pyrocrl")
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    """What a test leaves open in pyplot is no business of the next one."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def hierarchical(space: crl.GraphSpace) -> torch.Tensor:
    rate = pyro.sample("rate", dist.Beta(1.0, 4.0))
    adjacency: torch.Tensor = pyro.sample("adjacency", space.edges(rate))
    return adjacency


@pytest.fixture(scope="session")
def simulated() -> tuple[crl.MultimodalData, Truth]:
    """Case 1: two modalities of two latents each."""
    return crl.simulate.numerical_case(1, seed=200, n_subjects=300)


@pytest.fixture(scope="session")
def small_data(simulated: tuple[crl.MultimodalData, Truth]) -> crl.MultimodalData:
    return simulated[0]


@pytest.fixture(scope="session")
def mixed_tables(small_data: crl.MultimodalData) -> dict[str, pd.DataFrame]:
    """Two tables and a group of variables that depends on them; named subjects, missing cells."""
    rng = np.random.default_rng(201)
    subjects = pd.Index([f"p{i}" for i in range(small_data.n_subjects)], name="subject")
    first = small_data.frame("m1").iloc[:, :6].set_index(subjects)
    second = small_data.frame("m2").iloc[:, :5].set_index(subjects)
    age = 40 + 10 * first["x1"] + rng.normal(size=len(first))
    person = pd.DataFrame({"age": age, "ill": rng.random(len(first)) < 0.4}, index=subjects)
    person["ill"] = person["ill"].astype(float)
    tables = {"labs": first, "person": person, "scan": second}
    for table in tables.values():
        table.mask(rng.random(table.shape) < 0.05, inplace=True)
    return tables


@pytest.fixture(scope="session")
def mixed_data(mixed_tables: dict[str, pd.DataFrame]) -> crl.MultimodalData:
    return crl.MultimodalData({**mixed_tables, "person": crl.Variables(mixed_tables["person"])})


@pytest.fixture(scope="session")
def fitted(small_data: crl.MultimodalData) -> crl.Posterior:
    """Default prior and mechanism, three restarts."""
    return crl.fit(small_data, latents=2, restarts=3, max_epochs=6, progress=False)


@pytest.fixture(scope="session")
def fitted_mixed(mixed_data: crl.MultimodalData) -> crl.Posterior:
    """Variables with missing cells, a program as prior, background knowledge, few latents."""
    knowledge = crl.BackgroundKnowledge(
        required=[("labs.z1", "person.age")],
        forbidden=[("person.ill", "scan")],
        probability={"labs.z2": {"person.age": 0.3}},
    )
    return crl.fit(
        mixed_data,
        latents={"labs": 2, "scan": 1},
        noise=1,
        edge_prior=hierarchical,
        knowledge=knowledge,
        restarts=2,
        max_epochs=6,
        progress=False,
    )


@pytest.fixture(scope="session")
def mnist_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """IDX files in the layout of MNIST and Fashion-MNIST; a class is a bar's breadth."""
    root = tmp_path_factory.mktemp("pictures")
    labels = np.repeat(np.arange(10, dtype=np.uint8), 3)
    for name in ("mnist", "fashion_mnist"):
        images = np.zeros((len(labels), 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[6:22, 13 - label : 15 + label] = 255
        folder = root / name
        folder.mkdir()
        for end, values in (("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels)):
            header = struct.pack(f">BBBB{values.ndim}i", 0, 0, 8, values.ndim, *values.shape)
            (folder / f"train-{end}.gz").write_bytes(gzip.compress(header + values.tobytes()))
    return root
