"""Human phenotypes are read as described; two fits of different people can be compared."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pyrocrl as crl
from pyrocrl import datasets
from pyrocrl.datasets.human_phenotype import ACTIVITY_FILE, CONDITIONS, EARS_FILE
from pyrocrl.errors import DataError, ModelError
from pyrocrl.posterior.replication import Replication

PEOPLE = 120
FEATURES = (
    "mims_sum",
    "wake_wear_min",
    "sleep_wear_min",
    "nonwear_min",
    "unknown_min",
    "total_min",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files in the layout of NHANES, of people who were never there."""
    root, rng = tmp_path_factory.mktemp("nhanes"), np.random.default_rng(200)
    seqn = np.arange(1, PEOPLE + 1)
    columns = [column for own in datasets.NHANES_TABLES.values() for column in own]
    frame = pd.DataFrame(rng.lognormal(size=(PEOPLE, len(columns))), columns=columns, index=seqn)
    frame.index.name = "seqn"
    frame["cycle"] = np.where(seqn <= PEOPLE // 2, "2011-2012", "2013-2014")
    frame["age_years"], frame["sleep_hours"] = rng.integers(20, 80, (2, PEOPLE))
    frame["female"] = seqn % 2
    frame["pregnant_at_exam"] = np.where(seqn == 3, 1.0, np.nan)
    for column in CONDITIONS.values():
        frame[column] = (rng.random(PEOPLE) < 0.4).astype(float)
    frame.to_csv(root / datasets.NHANES_FILE)
    days = np.zeros((PEOPLE, 9, len(FEATURES)), dtype=np.float32)
    days[..., 0] = rng.lognormal(9, 0.3, (PEOPLE, 9))
    days[..., 1:3] = rng.uniform(300, 900, (PEOPLE, 9, 2))
    days[..., 5] = 1440
    days[:, 0, 5] = 600  # the first day is never whole
    days[4, :, 3] = 500  # taken off every day
    days[6, 8] = np.nan
    np.savez(root / ACTIVITY_FILE, seqn=seqn, X=days, features=np.array(FEATURES))
    curves = rng.random((2, PEOPLE // 2, 84)).astype(np.float32)
    np.savez(
        root / EARS_FILE,
        seqn=seqn[: PEOPLE // 2],
        left=curves[0],
        right=curves[1],
        pressure_dapa=np.arange(-300, 204, 6),
    )
    return root


def test_only_whole_days_count(folder: Path) -> None:
    data = datasets.human_phenotype(folder).data

    activity = data["activity"]
    observed = activity.cells().observed
    assert activity.shape == (9, 3)
    assert not observed[:, 0].any()
    assert observed[:, 1:8].all()
    missing_ninth = data.subjects[~observed[:, 8, 0].numpy()]
    assert missing_ninth.tolist() == [7]
    assert not {3, 5} & set(data.subjects), "pregnant, and without good days"
    assert len(data) == PEOPLE - 2


def test_ears_are_two_curves_over_pressure(folder: Path) -> None:
    example = datasets.human_phenotype(folder, cycle="2011-2012", ears=True)

    left = example.data["ear_left"]
    assert left.shape == (28, 1)
    assert left.coordinates()["time"][:2] == [-300.0, -282.0]
    assert example.latents["ear_left"] == 1
    assert set(example.latents) == {m.name for m in example.data if not m.is_variables}
    assert len(example.data) == PEOPLE // 2 - 2


def test_what_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="ears were measured in 2011-2012 alone"):
        datasets.human_phenotype(folder, ears=True)
    with pytest.raises(DataError, match="cycle must be"):
        datasets.human_phenotype(folder, cycle="1999-2000")
    (tmp_path / datasets.NHANES_FILE).write_bytes((folder / datasets.NHANES_FILE).read_bytes())
    with pytest.raises(DataError, match=f"there is no .*{ACTIVITY_FILE}"):
        datasets.human_phenotype(tmp_path)


def test_real_people_are_read() -> None:
    root = os.environ.get("PYROCRL_DATA")
    if root is None or not (Path(root) / "nhanes" / ACTIVITY_FILE).is_file():
        pytest.skip("PYROCRL_DATA does not name a folder with nhanes/ in it")
    one = datasets.human_phenotype(Path(root) / "nhanes", cycle="2011-2012", ears=True).data
    other = datasets.human_phenotype(Path(root) / "nhanes", cycle="2013-2014").data
    assert 2500 < len(one) < 3500
    assert 3500 < len(other) < 4500
    assert not set(one.subjects) & set(other.subjects)


def test_a_fit_repeats_itself(fitted: crl.Posterior, small_data: crl.MultimodalData) -> None:
    same = crl.replication(fitted, fitted, small_data)

    np.testing.assert_allclose(same.latents, 1.0)
    assert list(same.latents.index) == ["m1.z1", "m1.z2", "m2.z1", "m2.z2"]
    assert (same.edges["first"] == same.edges["second"]).all()
    assert len(same.edges) == len(fitted.edge_table())


def test_latents_are_matched_before_edges_are_compared(
    fitted: crl.Posterior, small_data: crl.MultimodalData
) -> None:
    other = crl.fit(small_data, latents=2, restarts=1, max_epochs=6, seed=5, progress=False)
    found = crl.replication(fitted, other, small_data)

    assert set(found.latents.index) == set(other.nodes.names)
    assert found.latents.between(0, 1).all()
    assert not found.edges[["first", "second"]].isna().any(axis=None)


def test_the_share_counts_both_ways() -> None:
    edges = pd.DataFrame({"first": [0.95, 0.92, 0.1, 0.6], "second": [0.99, 0.2, 0.93, 0.7]})
    found = Replication(pd.Series(dtype=float), edges)
    assert found.share() == pytest.approx(2 / 4)
    assert np.isnan(found.share(sure=0.999))


def test_fits_of_other_modalities_are_refused(
    fitted: crl.Posterior, fitted_mixed: crl.Posterior, small_data: crl.MultimodalData
) -> None:
    with pytest.raises(ModelError, match="the same modalities"):
        crl.replication(fitted, fitted_mixed, small_data)
