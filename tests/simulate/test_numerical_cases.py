"""The numerical cases: today's data are yesterday's, sparse, and hold latents and noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pyrocrl.errors import ModelError
from pyrocrl.metrics import r2
from pyrocrl.simulate import CASES, numerical_case

SEED = 200

# Parent of every child in turn; the fourth subject's last latent; the last subject's last noise;
# the first cell of the first table and the last cell of the last one. 40 subjects.
STORED: dict[tuple[int, Any, int], tuple[list[int], float, float, float, float]] = {
    (1, "expand", 200): (
        [0, 1],
        -1.203489596498034,
        -1.2367820091188175,
        -0.049466158607584076,
        0.04485746345339736,
    ),
    (1, "expand", 201): (
        [1, 0],
        0.46338820205276815,
        1.0939404237982793,
        0.27260972885920576,
        -0.1619512436820349,
    ),
    (1, "square", 200): (
        [0, 1],
        -1.203489596498034,
        -1.2367820091188175,
        0.0036603993648083727,
        -0.02447183939590918,
    ),
    (1, "square", 201): (
        [1, 0],
        0.46338820205276815,
        1.0939404237982793,
        0.02883717280193926,
        0.030794253257321907,
    ),
    (2, "expand", 200): (
        [0, 2, 1],
        0.7129866153609119,
        -1.6622088878258325,
        -0.43344131009017817,
        -0.45962212548422143,
    ),
    (2, "expand", 201): (
        [0, 1, 2],
        -0.28628869003156715,
        -0.31216501430580257,
        0.896005515278561,
        0.00028272254885824966,
    ),
    (2, "square", 200): (
        [0, 2, 1],
        0.7129866153609119,
        -1.6622088878258325,
        0.08253731650800189,
        0.0013274338541610364,
    ),
    (2, "square", 201): (
        [0, 1, 2],
        -0.28628869003156715,
        -0.31216501430580257,
        0.026562516128636256,
        -0.37216461471329054,
    ),
    (3, "expand", 200): (
        [0, 1, 0, 3, 0, 3],
        -1.2009824528254875,
        0.2704306485223725,
        -0.5908038248785501,
        0.054862797915409656,
    ),
    (3, "expand", 201): (
        [1, 0, 0, 3, 3, 4],
        -2.4046027564982055,
        0.4794367145792084,
        1.0374344603036176,
        0.4876990258377006,
    ),
    (3, "square", 200): (
        [0, 1, 0, 3, 0, 3],
        -1.2009824528254875,
        0.2704306485223725,
        -0.2312325761927254,
        0.03432298857374304,
    ),
    (3, "square", 201): (
        [1, 0, 0, 3, 3, 4],
        -2.4046027564982055,
        0.4794367145792084,
        -0.055664004582380314,
        0.029323427059876967,
    ),
}


@pytest.mark.parametrize("mixing", ["expand", "square"])
@pytest.mark.parametrize("case", CASES)
def test_shapes_and_names(case: int, mixing: Any) -> None:
    data, truth = numerical_case(case, seed=SEED, n_subjects=100, mixing=mixing)
    size = CASES[case]
    assert data.names == tuple(f"m{m + 1}" for m in range(size.modalities))
    assert all(data[name].width == size.columns for name in data.names)
    assert truth.latents.shape == (100, size.modalities * size.latents)
    assert truth.noise.shape == (100, size.modalities * size.noises)
    assert list(truth.adjacency.index) == list(truth.latents.columns)
    assert truth.groups == tuple(name.split(".")[0] for name in truth.latents.columns)


@pytest.mark.parametrize(("case", "mixing", "seed"), STORED)
def test_a_seed_gives_the_same_data_as_ever(case: int, mixing: Any, seed: int) -> None:
    data, truth = numerical_case(case, seed=seed, n_subjects=40, mixing=mixing)
    parents, *numbers = STORED[case, mixing, seed]

    edges = truth.adjacency.to_numpy()
    assert np.argwhere(edges)[:, 1].tolist() == parents
    found = [
        truth.latents.iloc[3, -1],
        truth.noise.iloc[-1, -1],
        data.frame("m1").iloc[0, 0],
        data.frame(data.names[-1]).iloc[-1, -1],
    ]
    np.testing.assert_allclose(found, numbers, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", range(SEED, SEED + 10))
def test_edges_are_sparse_and_run_between_modalities(case: int, seed: int) -> None:
    _, truth = numerical_case(case, seed=seed, n_subjects=20)
    edges, groups = truth.adjacency.to_numpy(), np.array(truth.groups)
    children, parents = np.nonzero(edges)
    assert (groups[parents] < groups[children]).all()
    assert (edges.sum(1) == (groups != "m1")).all()
    for modality in np.unique(groups)[1:]:
        sources = edges[groups == modality].sum(0)
        assert sources.max() <= 1


def test_one_seed_decides_all() -> None:
    first, truth = numerical_case(2, seed=SEED, n_subjects=50)
    state = np.random.default_rng(0).bit_generator.state
    again, same = numerical_case(2, seed=SEED, n_subjects=50)
    assert first.frame("m1").equals(again.frame("m1"))
    assert truth.latents.equals(same.latents)
    other, different = numerical_case(2, seed=SEED + 1, n_subjects=50)
    assert not first.frame("m1").equals(other.frame("m1"))
    assert not truth.latents.equals(different.latents)
    assert np.random.default_rng(0).bit_generator.state == state


def test_latents_are_standardised_and_children_depend_on_their_parents() -> None:
    _, truth = numerical_case(3, seed=SEED, n_subjects=5000)
    z = truth.latents.to_numpy()
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(z.std(0), 1, atol=1e-9)
    for child, parent in zip(*np.nonzero(truth.adjacency.to_numpy()), strict=True):
        assert r2(z[:, [child]], z[:, [parent]]) > 0.3


@pytest.mark.parametrize(("mixing", "least"), [("expand", 0.9), ("square", 0.5)])
def test_measurements_hold_the_latents_and_the_noise(mixing: Any, least: float) -> None:
    data, truth = numerical_case(1, seed=SEED, n_subjects=4000, mixing=mixing)
    inside = np.column_stack([truth.latents[["m1.z1", "m1.z2"]], truth.noise["m1.eta1"]])
    measured = np.column_stack([data.table("m1").values.double().numpy(), np.ones(4000)])
    fitted = measured @ np.linalg.lstsq(measured, inside, rcond=None)[0]
    explained = 1 - (inside - fitted).var(0) / inside.var(0)
    assert explained.mean() > least
    # Nothing of the other modality's noise is in it.
    other = truth.noise[["m2.eta1"]].to_numpy()
    fitted = measured @ np.linalg.lstsq(measured, other, rcond=None)[0]
    assert 1 - (other - fitted).var() / other.var() < 0.02


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"case": 4}, r"case must be one of \[1, 2, 3\], not 4"),
        ({"mixing": "blender"}, "mixing must be one of.*'blender'"),
        ({"noise": "cauchy"}, "noise must be one of.*'cauchy'"),
        ({"mechanism": "magic"}, "mechanism must be one of.*'magic'"),
        ({"n_subjects": 0}, "n_subjects must be at least 1, not 0"),
        ({"seed": -1}, "seed must be a whole number from 0 on, not -1"),
    ],
)
def test_unknown_cases(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ModelError, match=says):
        numerical_case(**options)
