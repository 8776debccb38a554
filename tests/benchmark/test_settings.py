"""Settings can be drawn, have names of their own, and cover what they are to cover."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pyrocrl.benchmark import GROUPS, METHODS, SETTINGS, TARGETS, Setting


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=list(SETTINGS))
def test_every_setting_can_be_drawn_and_tells_the_truth(setting: Setting) -> None:
    small = replace(setting, keywords={**setting.keywords, "n_subjects": 50})
    data, truth = small.simulate(seed=200)

    assert len(data) == 50
    counts = {name: truth.groups.count(name) for name in data.names}
    told = setting.latents
    if setting.methods != ("select_latents",):
        assert counts == (dict.fromkeys(data.names, told) if isinstance(told, int) else dict(told))
        assert ("mcl" in setting.methods) == (len(data.names) == 2) or len(setting.methods) == 1
    upwards = np.triu(truth.adjacency.to_numpy()).any()
    assert setting.order != "modality" or not upwards


def test_groups_cover_what_is_asked_for() -> None:
    counts = {name: len(group) for name, group in GROUPS.items()}

    assert counts["cases"] == counts["inner"] == 6
    assert {s.keywords["n_subjects"] for s in GROUPS["subjects"]} == {1000, 3000, 10_000, 40_000}
    assert {s.keywords["modalities"] for s in GROUPS["modalities"]} == {5, 6, 8}
    assert {s.keywords["absent"] for s in GROUPS["sparsity"]} == {0, 1 / 3, 1 / 2, 2 / 3}
    assert all(s.keywords["mechanism"] == "nonadditive" for s in GROUPS["mechanism"])
    assert {s.mechanism for s in GROUPS["mechanism"]} == {"additive", "flow"}
    assert all(s.order == "cyclic" for s in GROUPS["cyclic"])
    assert all(s.order == "learned" for s in GROUPS["order"])
    assert set(TARGETS) <= set(SETTINGS)


def test_a_setting_that_stands_in_two_groups_is_one() -> None:
    shared = {s.name for s in GROUPS["cases"]} & {s.name for s in GROUPS["subjects"]}

    assert shared == {"case1-expand"}
    distinct = {s.fingerprint("pyrocrl") + str(s.methods) for s in SETTINGS.values()}
    assert len(distinct) == len(SETTINGS)


@pytest.mark.parametrize(
    ("change", "changes_ours", "changes_baselines"),
    [
        ({"name": "other"}, False, False),
        ({"methods": ("pca",)}, False, False),
        ({"fit": {"restarts": 3}}, True, False),
        ({"order": "learned"}, True, True),
        ({"latents": {"m1": 2, "m2": 3}}, True, True),
        ({"keywords": {"case": 1, "n_subjects": 301}}, True, True),
    ],
)
def test_fingerprint_changes_with_what_a_result_depends_on(
    tiny: Setting, change: dict[str, object], changes_ours: bool, changes_baselines: bool
) -> None:
    other = replace(tiny, **change)  # type: ignore[arg-type]

    assert (other.fingerprint("pyrocrl") != tiny.fingerprint("pyrocrl")) == changes_ours
    for baseline in METHODS[1:]:
        assert (other.fingerprint(baseline) != tiny.fingerprint(baseline)) == changes_baselines
