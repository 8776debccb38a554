"""A run described in a file: where the measurements lie, what is assumed, what to write.

    modalities:                     # in causal order, causes first
      person:
        file: cohort.csv            # .csv, .tsv (also .gz) or .parquet
        index: subject              # the column that names the subjects
        columns: [age, sex]
        kind: variables             # columns that are causal variables themselves
      labs:
        file: cohort.csv
        index: subject
        columns: [iron, zinc, hdl]
        likelihood: {hdl: log-normal}    # or one for all; others by what they hold
    latents: 2                      # or {labs: 2}
    noise: 1
    edge_prior: {kind: spike_and_slab, probability: 0.1}    # or another, see config_prior.py
    knowledge:
      forbidden: [[person.age, person.sex]]      # [parent, child]
    output: {report: report.html, save: fit}

Only `modalities`, and `latents` where there are tables, must be given. Relative paths start at the
folder of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from pyrocrl.config_file import Section, read_config_file
from pyrocrl.config_prior import edge_prior
from pyrocrl.config_tables import FILE_KINDS, kind_of, probabilities, read_table
from pyrocrl.data import Counts, MultimodalData, Readable, Table, Variables
from pyrocrl.errors import ConfigError, PyrocrlError, listing
from pyrocrl.likelihoods import LIKELIHOODS
from pyrocrl.scm import ORDERS, BackgroundKnowledge
from pyrocrl.scm.mechanisms import MECHANISMS

__all__ = ["ModalitySource", "Output", "RunConfig", "read_config"]

_KEYS = (
    "modalities",
    "align",
    "latents",
    "noise",
    "edge_prior",
    "mechanism",
    "rope",
    "knowledge",
    "order",
    "restarts",
    "seed",
    "max_epochs",
    "output",
)
_MODALITY_KEYS = ("file", "columns", "index", "kind", "likelihood")
_KNOWLEDGE_KEYS = ("tiers", "required", "forbidden", "probability")
_OUTPUT_KEYS = ("report", "save", "csv", "graphml")
_ALIGNMENTS = ("exact", "intersection", "union")
_KINDS = ("table", "variables", "counts")


@dataclass(frozen=True)
class ModalitySource:
    """Where one modality's measurements lie.

    Attributes:
        name: the modality.
        file: CSV, TSV (both also gzipped) or Parquet.
        columns: the measured columns; None: all but the index.
        index: the column that names the subjects; None: they are the rows, by position.
        kind: "table", "variables" for columns that are causal variables themselves, or "counts"
            for counts in proportion to a library size, see `Counts`.
        likelihood: of a table, see `Table`.
    """

    name: str
    file: Path
    columns: tuple[str, ...] | None = None
    index: str | None = None
    kind: str = "table"
    likelihood: str | Mapping[str, str] | None = None

    def read(self, table: pd.DataFrame) -> Readable:
        """The measurements as `MultimodalData` takes them.

        Args:
            table: (subject, column).
        """
        if self.kind == "variables":
            return Variables(table)
        return Counts(table) if self.kind == "counts" else Table(table, self.likelihood)


@dataclass(frozen=True)
class Output:
    """What to write after the fit; None: do not write it.

    Attributes:
        report: the HTML report.
        save: folder of the saved fit.
        csv: the edge table.
        graphml: the graph.
    """

    report: Path | None = None
    save: Path | None = None
    csv: Path | None = None
    graphml: Path | None = None

    @classmethod
    def all_in(cls, folder: Path) -> Output:
        """Everything, under its usual name in one folder.

        >>> Output.all_in(Path("out")).report.as_posix()
        'out/report.html'
        """
        return cls(
            folder / "report.html", folder / "fit", folder / "edges.csv", folder / "graph.graphml"
        )


@dataclass(frozen=True)
class RunConfig:
    """A validated run.

    Attributes:
        source: the file it came from.
        modalities: in causal order.
        align: how subjects of different modalities are matched, see `MultimodalData`.
        output: what to write.
        settings: arguments of `crl.fit`, only those that the file names.
    """

    source: Path
    modalities: tuple[ModalitySource, ...]
    align: str = "exact"
    output: Output = field(default_factory=Output)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def load_data(self) -> MultimodalData:
        """Read the files.

        Raises:
            ConfigError: if a file cannot be read or lacks a column.
            DataError: if the measurements cannot be used, see `MultimodalData`.
        """
        files: dict[Path, pd.DataFrame] = {}
        tables: dict[str, Readable] = {}
        for modality in self.modalities:
            place = f"{self.source}: modalities.{modality.name}"
            if modality.file not in files:
                files[modality.file] = read_table(modality.file, place)
            table = _select(files[modality.file], modality, place)
            tables[modality.name] = modality.read(table)
        return MultimodalData(tables, align=self.align)  # type: ignore[arg-type]


def read_config(path: str | Path) -> RunConfig:
    """Read and check a run's YAML or TOML file; its keys are in the example at the module's top.

    Args:
        path: the file.

    Returns:
        The run. Files of measurements exist, but are not read yet: see `RunConfig.load_data`.

    Raises:
        ConfigError: for every key that is unknown and every value that cannot be, naming the key.
    """
    top = read_config_file(path, _KEYS)
    modalities = _modalities(top)
    tables = [modality.name for modality in modalities if modality.kind != "variables"]
    return RunConfig(
        source=top.source,
        modalities=modalities,
        align=top.choice("align", _ALIGNMENTS, "exact"),
        output=_output(top),
        settings=_settings(top, tables),
    )


def _modalities(top: Section) -> tuple[ModalitySource, ...]:
    block = top.section("modalities")
    if block is None or not len(block):
        raise top.error("modalities", "is missing: name each modality and its file")
    modalities = tuple(_modality(block, name) for name in block)
    for modality in modalities:
        sharing = [other.name for other in modalities if other.file == modality.file]
        if modality.columns is None and len(sharing) > 1:
            raise block.error(
                f"{modality.name}.columns",
                f"is missing: modalities {listing(sharing)} share the file {modality.file}, "
                "so each must name its columns",
            )
    return modalities


def _modality(block: Section, name: str) -> ModalitySource:
    section = block.section(name, _MODALITY_KEYS)
    if section is None:
        raise block.error(name, f"says nothing; allowed: {', '.join(_MODALITY_KEYS)}")
    file = section.existing_file("file")
    if file is None:
        raise section.error("file", "is missing")
    if kind_of(file) is None:
        raise section.error("file", f"{file.name} must be one of {', '.join(FILE_KINDS)}")
    columns, index = section.texts("columns"), section.text("index")
    if columns is not None and index in columns:
        raise section.error("columns", f"{index!r} is the index, so it cannot be a measurement")
    kind = section.choice("kind", _KINDS, "table")
    likelihood = _likelihood(section)
    if likelihood is not None and kind != "table":
        raise section.error("likelihood", f"is for tables; this modality is of kind {kind}")
    return ModalitySource(name, file, columns, index, kind, likelihood)


def _likelihood(section: Section) -> str | dict[str, str] | None:
    if not isinstance(section.raw("likelihood"), dict):
        return section.choice("likelihood", tuple(LIKELIHOODS)) if "likelihood" in section else None
    block = section.section("likelihood")
    assert block is not None
    return {column: block.choice(column, tuple(LIKELIHOODS)) for column in block}


def _settings(top: Section, tables: list[str]) -> dict[str, Any]:
    if tables and "latents" not in top:
        raise top.error("latents", f"is missing: how many for {listing(tables)}?")
    settings = {
        "latents": _counts(top, "latents", tables, minimum=1),
        "noise": _counts(top, "noise", tables, minimum=0),
        "edge_prior": edge_prior(top),
        "mechanism": top.choice("mechanism", MECHANISMS, "additive"),
        "rope": top.number("rope", minimum=0),
        "knowledge": _knowledge(top),
        "order": top.choice("order", tuple(ORDERS), "modality"),
        "restarts": top.integer("restarts", minimum=1),
        "seed": top.integer("seed", minimum=0),
        "max_epochs": top.integer("max_epochs", minimum=1),
    }
    return {name: value for name, value in settings.items() if value is not None}


def _counts(top: Section, key: str, tables: list[str], minimum: int) -> int | dict[str, int] | None:
    if key not in top:
        return None
    if not isinstance(top.raw(key), dict):
        return top.integer(key, minimum=minimum)
    block = top.section(key, tables)
    assert block is not None
    absent = [name for name in tables if name not in block]
    if absent:
        raise top.error(key, f"says nothing of {listing(absent)}")
    return {name: block.integer(name, minimum=minimum, default=minimum) for name in tables}


def _knowledge(top: Section) -> BackgroundKnowledge | None:
    block = top.section("knowledge", _KNOWLEDGE_KEYS)
    if block is None:
        return None
    table = probabilities(block, "probability")
    try:
        return BackgroundKnowledge(
            tiers=block.lists_of_texts("tiers") or None,
            required=[(parent, child) for parent, child in _edges(block, "required")],
            forbidden=[(parent, child) for parent, child in _edges(block, "forbidden")],
            probability=table,
        )
    except ConfigError:
        raise
    except PyrocrlError as error:
        raise top.error("knowledge", str(error)) from error


def _edges(block: Section, key: str) -> list[tuple[str, ...]]:
    return block.lists_of_texts(key, length=2)


def _output(top: Section) -> Output:
    block = top.section("output", _OUTPUT_KEYS)
    if block is None:
        return Output(report=top.source.parent / "report.html")
    return Output(**{key: block.path(key) for key in _OUTPUT_KEYS})


def _select(table: pd.DataFrame, modality: ModalitySource, place: str) -> pd.DataFrame:
    wanted = [*(modality.columns or ()), *([modality.index] if modality.index else ())]
    absent = [name for name in wanted if name not in table.columns]
    if absent:
        raise ConfigError(
            f"{place}: {modality.file.name} has no column {listing(absent)}; "
            f"its columns: {listing(table.columns, 20)}"
        )
    if modality.index:
        table = table.set_index(modality.index)
    return table if modality.columns is None else table[list(modality.columns)]
