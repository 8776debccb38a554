"""A run file says what it means, and every mistake in it is named by its key."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pyrocrl import config, config_prior
from pyrocrl.config import read_config
from pyrocrl.data import CountsModality, MixedModality
from pyrocrl.errors import ConfigError
from pyrocrl.scm import ExpertEdges, LaplaceEdges, SpikeAndSlab
from pyrocrl.scm.priors import SHIPPED

RUN = """
modalities:
  person: {file: cohort.csv, index: subject, columns: [age, sex], kind: variables}
  labs: {file: cohort.csv, index: subject, columns: [iron, zinc, hdl]}
  body: {file: body.tsv, index: subject}
align: intersection
latents: {labs: 2, body: 1}
noise: 1
edge_prior: {kind: spike_and_slab, probability: 0.2}
mechanism: linear
rope: 0.01
knowledge:
  tiers: [[person], [body], [labs]]
  required: [[person.age, labs.z1]]
  forbidden: [[person.age, person.sex]]
restarts: 2
seed: 7
max_epochs: 5
output: {report: out/report.html, save: out/fit}
"""

MINIMAL = """
modalities:
  body: {file: body.tsv}
latents: 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    cohort = pd.DataFrame(rng.normal(size=(40, 4)), columns=["age", "iron", "zinc", "hdl"])
    cohort["sex"] = np.arange(40) % 2
    cohort.loc[3, "iron"] = np.nan
    cohort.index = pd.Index([f"s{i}" for i in range(40)], name="subject")
    cohort.to_csv(tmp_path / "cohort.csv")
    body = pd.DataFrame(rng.normal(size=(39, 2)), columns=["weight", "height"])
    body.index = cohort.index[1:]
    body.to_csv(tmp_path / "body.tsv", sep="\t")
    return tmp_path


def written(folder: Path, text: str, name: str = "run.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_every_setting_reaches_the_fit(folder: Path) -> None:
    run = read_config(written(folder, RUN))

    settings = dict(run.settings)
    prior, knowledge = settings.pop("edge_prior"), settings.pop("knowledge")
    assert settings == {
        "latents": {"labs": 2, "body": 1},
        "noise": 1,
        "mechanism": "linear",
        "rope": 0.01,
        "order": "modality",
        "restarts": 2,
        "seed": 7,
        "max_epochs": 5,
    }
    assert isinstance(prior, SpikeAndSlab)
    assert float(prior.probability) == pytest.approx(0.2)
    assert knowledge.tiers == [["person"], ["body"], ["labs"]]
    assert knowledge.required == [("person.age", "labs.z1")]
    assert knowledge.forbidden == [("person.age", "person.sex")]


def test_the_documented_example_is_a_run(folder: Path) -> None:
    assert config.__doc__ is not None
    lines = config.__doc__.splitlines()
    example = "\n".join(line for line in lines if line.startswith("    "))
    cohort = pd.read_csv(folder / "cohort.csv", index_col="subject")
    cohort.assign(hdl=np.exp(cohort["hdl"])).to_csv(folder / "cohort.csv")
    run = read_config(written(folder, textwrap.dedent(example)))

    assert run.load_data().names == ("person", "labs")
    assert run.settings["latents"] == 2


def test_data_are_read_as_described(folder: Path) -> None:
    data = read_config(written(folder, RUN)).load_data()

    assert data.names == ("person", "labs", "body")
    assert len(data) == 39
    assert data.table("labs").columns == ("iron", "zinc", "hdl")
    assert data["person"].is_variables
    assert not data["body"].is_variables
    assert data.frame("labs").isna().loc["s3", "iron"]


def test_likelihoods_and_counts_are_read_as_described(folder: Path) -> None:
    rng = np.random.default_rng(1)
    genes = pd.DataFrame(rng.poisson(9, (40, 3)), columns=["g1", "g2", "g3"])
    genes.assign(ill=rng.random(40) < 0.5, stage=rng.integers(0, 3, 40)).to_csv(
        folder / "genes.csv", index=False
    )
    text = """
modalities:
  rna: {file: genes.csv, columns: [g1, g2, g3], kind: counts}
  clinic: {file: genes.csv, columns: [ill, stage, g1], likelihood: {g1: poisson, stage: ordinal}}
  plain: {file: genes.csv, columns: [g1, g2], likelihood: student t}
latents: 1
"""
    run = read_config(written(folder, text))
    assert run.settings["latents"] == 1
    data = run.load_data()
    assert isinstance(data["rna"], CountsModality)
    for name, expected in {
        "clinic": ["bernoulli", "ordinal", "poisson"],
        "plain": ["student t", "student t"],
    }.items():
        modality = data[name]
        assert isinstance(modality, MixedModality)
        assert [own.name for own in modality.likelihoods] == expected


def test_paths_start_at_the_folder_of_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = written(folder, RUN)
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    run = read_config(path)

    assert run.modalities[0].file == folder / "cohort.csv"
    assert run.output.report == folder / "out" / "report.html"
    assert run.output.csv is None


def test_without_output_a_report_is_written_beside_the_file(folder: Path) -> None:
    assert read_config(written(folder, MINIMAL)).output.report == folder / "report.html"


def test_what_is_not_said_is_left_to_the_fit(folder: Path) -> None:
    settings = read_config(written(folder, MINIMAL + "seed:\n")).settings

    assert settings == {"latents": 1, "mechanism": "additive", "order": "modality"}


def test_toml_says_the_same_as_yaml(folder: Path) -> None:
    toml = """
        latents = 1
        edge_prior = {kind = "laplace", scale = 0.3}
        [modalities.body]
        file = "body.tsv"
        index = "subject"
    """
    run = read_config(written(folder, toml, "run.toml"))

    prior = run.settings["edge_prior"]
    assert isinstance(prior, LaplaceEdges)
    assert prior.scale == pytest.approx(0.3)
    assert run.load_data().table("body").columns == ("weight", "height")


def test_edge_probabilities_come_from_a_table(folder: Path) -> None:
    table = pd.DataFrame({"person.age": [0.9]}, index=["labs.z1"])
    table.to_csv(folder / "prior.csv")
    text = replaced("  tiers:", "  probability: prior.csv\n  tiers:")
    run = read_config(written(folder, text))

    pd.testing.assert_frame_equal(run.settings["knowledge"].probability, table, check_names=False)


@pytest.mark.parametrize(
    ("text", "prior"),
    [
        ("{probability: 0.3, slab: 1}", "SpikeAndSlab(probability=0.3, slab=1)"),
        ("{probability: {beta: [1, 9]}}", "SpikeAndSlab(probability=Beta(1, 9), slab=2)"),
        ("{kind: blocks, within: 0}", "BlockEdges(between=0.1, within=0, slab=2)"),
        ("{kind: hierarchical}", "HierarchicalEdges(mean=Beta(1, 9), pooling=5, slab=2)"),
        (
            "{kind: hierarchical, mean: {beta: [2, 8.5]}, pooling: 3}",
            "HierarchicalEdges(mean=Beta(2, 8.5), pooling=3, slab=2)",
        ),
        ("{kind: scale_free, tail: 1}", "ScaleFree(probability=0.1, tail=1, slab=2)"),
        ("{kind: laplace, scale: 0.3}", "LaplaceEdges(scale=0.3)"),
        ("{kind: horseshoe, scale: 0.1}", "Horseshoe(scale=0.1)"),
    ],
)
def test_every_shipped_prior_has_a_kind(folder: Path, text: str, prior: str) -> None:
    run = read_config(written(folder, replaced("{kind: spike_and_slab, probability: 0.2}", text)))
    assert repr(run.settings["edge_prior"]) == prior


def test_an_expert_is_a_table(folder: Path) -> None:
    table = pd.DataFrame({"person.age": [0.9, np.nan]}, index=["labs", "body"])
    table.to_csv(folder / "expert.csv")
    text = "kind: expert, probabilities: expert.csv"
    run = read_config(written(folder, replaced("kind: spike_and_slab, probability: 0.2", text)))
    prior = run.settings["edge_prior"]
    assert isinstance(prior, ExpertEdges)
    pd.testing.assert_frame_equal(prior.probabilities, table, check_names=False)


def test_the_documented_priors_are_priors(folder: Path) -> None:
    pd.DataFrame({"person": [0.9]}, index=["labs"]).to_csv(folder / "expert.csv")
    assert config_prior.__doc__ is not None
    lines = [line.strip() for line in config_prior.__doc__.splitlines() if line.startswith("    ")]
    kinds = {
        type(read_config(written(folder, f"{MINIMAL}{line}")).settings["edge_prior"])
        for line in lines
    }
    assert kinds == set(SHIPPED)


def test_parquet_is_read(folder: Path) -> None:
    pytest.importorskip("pyarrow")
    pd.read_csv(folder / "body.tsv", sep="\t", index_col="subject").to_parquet(
        folder / "body.parquet"
    )
    text = MINIMAL.replace("{file: body.tsv}", "{file: body.parquet, index: subject}")

    assert read_config(written(folder, text)).load_data().subjects[0] == "s1"


def replaced(old: str, new: str) -> str:
    assert old in RUN
    return RUN.replace(old, new)


MISTAKES = {
    "unknown key": (RUN + "latent: 3\n", r"unknown key 'latent'; did you mean 'latents'\?"),
    "no modalities": ("latents: 2\n", r"modalities: is missing"),
    "empty file": ("", r"modalities: is missing"),
    "not a mapping": ("- 1\n- 2\n", r"must be keys with values, not a list"),
    "modality says nothing": ("modalities: {labs: }\nlatents: 1\n", r"modalities: is missing"),
    "modality without file": (
        "modalities: {labs: {index: subject}}\nlatents: 1\n",
        r"modalities\.labs\.file: is missing",
    ),
    "file absent": (replaced("body.tsv", "absent.csv"), r"modalities\.body\.file: .*absent\.csv"),
    "file of another kind": (
        replaced("body.tsv", "run.yaml"),
        r"modalities\.body\.file: run\.yaml must be one of \.csv",
    ),
    "unknown key of a modality": (
        replaced("index: subject}", "indx: subject}"),
        r"modalities\.body: unknown key 'indx'; did you mean 'index'",
    ),
    "kind": (
        replaced("kind: variables", "kind: variable"),
        r"modalities\.person\.kind: must be one of 'table', 'variables'",
    ),
    "columns not a list": (
        replaced("[age, sex]", "age"),
        r"modalities\.person\.columns: must be a list of names, not the text 'age'",
    ),
    "column not text": (
        replaced("[age, sex]", "[age, 3]"),
        r"modalities\.person\.columns\[1\]: must be text, not 3",
    ),
    "column twice": (replaced("[age, sex]", "[age, age]"), r"person\.columns: names 'age' twice"),
    "index as column": (
        replaced("[age, sex]", "[age, subject]"),
        r"person\.columns: 'subject' is the index",
    ),
    "shared file without columns": (
        replaced("file: body.tsv", "file: cohort.csv"),
        r"modalities\.body\.columns: is missing: .*share the file",
    ),
    "align": (replaced("intersection", "inner"), r"align: must be one of 'exact'"),
    "latents missing": (
        replaced("latents: {labs: 2, body: 1}", ""),
        r"latents: is missing: how many for 'labs', 'body'",
    ),
    "latents of one modality missing": (
        replaced("{labs: 2, body: 1}", "{labs: 2}"),
        r"latents: says nothing of 'body'",
    ),
    "latents of a stranger": (
        replaced("{labs: 2, body: 1}", "{labs: 2, bodi: 1}"),
        r"latents: unknown key 'bodi'; did you mean 'body'",
    ),
    "latents of variables": (
        replaced("{labs: 2, body: 1}", "{labs: 2, body: 1, person: 1}"),
        r"latents: unknown key 'person'",
    ),
    "zero latents": (
        replaced("{labs: 2, body: 1}", "{labs: 0, body: 1}"),
        r"latents\.labs: must be a whole number of at least 1, not 0",
    ),
    "noise": (replaced("noise: 1", "noise: -1"), r"noise: must be a whole number of at least 0"),
    "noise true": (replaced("noise: 1", "noise: true"), r"noise: must be a whole number"),
    "prior kind": (
        replaced("kind: spike_and_slab", "kind: lasso"),
        r"edge_prior\.kind: must be one of 'spike_and_slab', 'blocks', 'expert', 'hierarchical', "
        r"'scale_free', 'laplace', 'horseshoe', not the text 'lasso'",
    ),
    "prior mean": (
        replaced("spike_and_slab, probability: 0.2", "hierarchical, mean: 0.2"),
        r"edge_prior\.mean: must be a distribution, such as {beta: \[1, 9\]}",
    ),
    "prior rate": (
        replaced("probability: 0.2", "probability: {beta: [1]}"),
        r"edge_prior\.probability: must be two positive numbers, such as {beta: \[1, 9\]}",
    ),
    "prior of no expert": (
        replaced("spike_and_slab, probability: 0.2", "expert, default: 0.2"),
        r"edge_prior\.probabilities: is missing: name a .csv or .tsv file",
    ),
    "prior probability": (
        replaced("probability: 0.2", "probability: 1.2"),
        r"edge_prior: .*probability must be between 0 and 1",
    ),
    "prior scale of the wrong kind": (
        replaced("probability: 0.2", "scale: 0.2"),
        r"edge_prior\.scale: does not belong to spike_and_slab, which has probability",
    ),
    "prior probability as text": (
        replaced("probability: 0.2", "probability: low"),
        r"edge_prior\.probability: must be a number of at least 0, not the text 'low'",
    ),
    "mechanism": (replaced("linear", "quadratic"), r"mechanism: must be one of 'linear'"),
    "rope": (replaced("rope: 0.01", "rope: -0.01"), r"rope: must be a number of at least 0"),
    "rope infinite": (replaced("rope: 0.01", "rope: .inf"), r"rope: must be a number"),
    "tiers": (
        replaced("[[person], [body], [labs]]", "[person, labs]"),
        r"knowledge\.tiers\[0\]: must be a list of names, not the text 'person'",
    ),
    "edge of three": (
        replaced("[[person.age, labs.z1]]", "[[person.age, labs.z1, labs.z2]]"),
        r"knowledge\.required\[0\]: must have 2 names, not 3",
    ),
    "knowledge key": (
        replaced("  forbidden:", "  forbiden:"),
        r"knowledge: unknown key 'forbiden'; did you mean 'forbidden'",
    ),
    "order": (RUN + "order: sorted\n", r"order: must be one of 'modality'"),
    "restarts": (replaced("restarts: 2", "restarts: 0"), r"restarts: must be a whole number"),
    "restarts half": (replaced("restarts: 2", "restarts: 1.5"), r"restarts: .*not 1\.5"),
    "seed": (replaced("seed: 7", "seed: seven"), r"seed: must be a whole number"),
    "max_epochs": (replaced("max_epochs: 5", "max_epochs: 0"), r"max_epochs: must be a whole"),
    "likelihood": (
        replaced("hdl]}", "hdl], likelihood: gausian}"),
        r"modalities\.labs\.likelihood: must be one of 'gaussian', 'student t'",
    ),
    "likelihood of a column": (
        replaced("hdl]}", "hdl], likelihood: {iron: normal}}"),
        r"modalities\.labs\.likelihood\.iron: must be one of 'gaussian'",
    ),
    "likelihood of variables": (
        replaced("kind: variables", "kind: variables, likelihood: gaussian"),
        r"modalities\.person\.likelihood: is for tables; this modality is of kind variables",
    ),
    "output key": (
        replaced("report: out", "html: out"),
        r"output: unknown key 'html'; Allowed: report, save, csv, graphml",
    ),
    "output number": (
        replaced("out/report.html", "3"),
        r"output\.report: must be text, not 3",
    ),
    "key twice": (RUN + "seed: 8\n", r"'seed' twice"),
    "not well-formed": (RUN + "seed: [1\n", r"not well-formed YAML \(line"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(folder: Path, mistake: str) -> None:
    text, message = MISTAKES[mistake]

    with pytest.raises(ConfigError, match=message) as caught:
        read_config(written(folder, text))
    assert "run.yaml" in str(caught.value)


def test_absent_and_strange_files_are_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"no configuration file .*absent\.yaml"):
        read_config(folder / "absent.yaml")
    with pytest.raises(ConfigError, match=r"\.yaml, \.yml or \.toml, not '\.json'"):
        read_config(written(folder, "{}", "run.json"))
    with pytest.raises(ConfigError, match="not well-formed TOML"):
        read_config(written(folder, "latents = \n", "run.toml"))


def test_columns_that_the_file_lacks_are_named(folder: Path) -> None:
    run = read_config(written(folder, replaced("zinc, hdl", "zink, hdl")))
    with pytest.raises(ConfigError, match=r"modalities\.labs: cohort\.csv has no column 'zink'"):
        run.load_data()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b'a,b\n1,2\n"3,4,5\n6,7,8,9\n'])
def test_unreadable_measurements_are_named(folder: Path, content: bytes) -> None:
    run = read_config(written(folder, MINIMAL))
    (folder / "body.tsv").write_bytes(content)
    with pytest.raises(ConfigError, match=r"modalities\.body: .*body\.tsv cannot be read"):
        run.load_data()
