"""A stand-in that answers as a posterior does, with made-up but coherent numbers."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", r"\s*ArviZ is undergoing", FutureWarning)
    import arviz as az

COLUMNS = {
    "anthropometry": ["weight", "height", "bmi", "waist", "arm_circumference", "leg_length"],
    "blood_pressure": ["systolic_1", "systolic_2", "diastolic_1", "diastolic_2", "pulse"],
    "grip": ["grip_left_1", "grip_left_2", "grip_right_1", "grip_right_2"],
    "blood_chemistry": [
        *["albumin", "alt", "ast", "urea_nitrogen", "calcium", "cholesterol", "creatinine"],
        *["ggt", "glucose", "iron", "potassium", "sodium", "triglycerides", "uric_acid"],
    ],
    "blood_count": [
        *["white_cells", "lymphocytes_pct", "neutrophils_pct", "red_cells", "haemoglobin"],
        *["haematocrit", "mean_cell_volume", "platelets"],
    ],
}
VARIABLES = {"person": ["age", "sex", "education"]}


@dataclass(frozen=True)
class Nodes:
    names: tuple[str, ...]
    groups: tuple[str, ...]
    is_latent: tuple[bool, ...]


@dataclass
class StandIn:
    """Everything that a report reads of a posterior."""

    tables: dict[str, list[str]]
    variables: dict[str, list[str]]
    latents_each: int = 2
    n_restarts: int = 1
    warnings: tuple[str, ...] = ()
    sharing: pd.DataFrame | None = None
    strongest: float = 1.0
    density: float = 0.35
    rope: float = 0.02
    seed: int = 0
    extra_settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        nodes = [(f"{g}.{c}", g, False) for g, cs in self.variables.items() for c in cs]
        for group in self.tables:
            nodes += [(f"{group}.z{i + 1}", group, True) for i in range(self.latents_each)]
        self.nodes = Nodes(*zip(*nodes, strict=True)) if nodes else Nodes((), (), ())
        n = len(nodes)
        order = {g: i for i, g in enumerate(dict.fromkeys(self.nodes.groups))}
        rank = np.array([order[group] for group in self.nodes.groups])
        latent = np.array(self.nodes.is_latent, dtype=bool)
        allowed = rank[None, :] < rank[:, None]
        within = (rank[None, :] == rank[:, None]) & latent[None, :] & latent[:, None]
        allowed |= within & np.tri(n, k=-1, dtype=bool)
        p = np.where(rng.random((n, n)) < self.density, rng.beta(4, 0.5, (n, n)), 0)
        p = np.where(allowed, np.maximum(p, rng.beta(0.3, 12, (n, n))), 0)
        p = np.where(p > 0.97, 1.0, p) * self.strongest
        strength = np.where(allowed, self.rope + rng.gamma(1.2, 0.08, (n, n)), 0)
        sign = rng.choice([-1, 1], (n, n))
        present = rng.random((self.n_restarts, 400, n, n)) < p
        noise = np.exp(0.12 * rng.standard_normal(present.shape))
        self._strength = np.where(present, strength * noise, 0)
        self._effect = np.where(present, sign * np.sqrt(-np.expm1(-2 * self._strength)), 0)
        self._present, self._allowed, self._p = present, allowed, p

    def edge_table(self) -> pd.DataFrame:
        rows = []
        for c, p in np.argwhere(self._allowed):
            draws = self._strength[:3, :, c, p].ravel()
            present = draws > 0
            effect = self._effect[:3, :, c, p].ravel()[present]
            none = not present.any()
            low, high = [np.nan] * 2 if none else np.quantile(draws[present], [0.05, 0.95])
            rows.append(
                {
                    "parent": self.nodes.names[p],
                    "child": self.nodes.names[c],
                    "probability": self._p[c, p],
                    "hdi_low": low,
                    "hdi_high": high,
                    "strength": np.nan if none else draws[present].mean(),
                    "effect": np.nan if none else effect.mean(),
                    "effect_low": np.nan if none else np.quantile(effect, 0.05),
                    "effect_high": np.nan if none else np.quantile(effect, 0.95),
                    "direction": "given by the order",
                    "variational": np.nan if p == 1 else np.clip(self._p[c, p] * 0.9 + 0.03, 0, 1),
                }
            )
        columns = [
            *["parent", "child", "probability", "hdi_low", "hdi_high", "strength", "effect"],
            *["effect_low", "effect_high", "direction", "variational"],
        ]
        table = pd.DataFrame(rows, columns=columns)
        by = ["probability", "strength"]
        return table.sort_values(by, ascending=False, ignore_index=True)

    def direction_table(self) -> pd.DataFrame:
        """Directions as a fit with a learned order would state them; with another all are given."""
        learned = self.settings["order"] == LEARNED["order"]
        rng = np.random.default_rng(self.seed + 2)
        records = []
        for c, p in np.argwhere(np.tril(self._allowed | self._allowed.T, -1)):
            adjacent = max(self._p[c, p], self._p[p, c])
            forward = adjacent * rng.beta(0.4, 0.4)
            fixed = adjacent * rng.choice([0.0, 0.99])
            way = (fixed, 0.0) if forward > adjacent / 2 else (0.0, fixed)
            pair = self.nodes.names[p], self.nodes.names[c]
            both = 0.0
            probabilities = adjacent, forward, adjacent - forward, both
            records.append((*pair, *probabilities, *way, adjacent - fixed, learned))
        columns = ["first", "second", "adjacent", "forward", "backward", "both"]
        columns += ["class_forward", "class_backward", "class_open", "either_way"]
        table = pd.DataFrame(records, columns=columns)
        return table.sort_values("adjacent", ascending=False, ignore_index=True)

    @property
    def node_values(self) -> np.ndarray:
        return np.zeros((1, 1, len(self.nodes.names)))

    def prior_sensitivity(self) -> pd.DataFrame:
        """Two priors under which weak edges are rarer, and more frequent."""
        table = self.edge_table()[["parent", "child", "probability"]]
        table = table.rename(columns={"probability": "as fitted"})
        table["sparser"] = table["as fitted"] ** 1.5
        table["denser"] = table["as fitted"] ** 0.5
        return table.assign(difference=table["denser"] - table["sparser"])

    def edge_probabilities(self) -> pd.DataFrame:
        return pd.DataFrame(self._p, index=self.nodes.names, columns=self.nodes.names)

    def graph(self, threshold: float = 0.5) -> nx.DiGraph:
        graph = nx.DiGraph()
        for name, group, latent in zip(
            self.nodes.names, self.nodes.groups, self.nodes.is_latent, strict=True
        ):
            graph.add_node(name, group=group, latent=np.bool_(latent))
        for row in self.edge_table().itertuples():
            if row.probability >= threshold:
                graph.add_edge(
                    row.parent,
                    row.child,
                    probability=np.float64(row.probability),
                    strength=np.float64(row.strength),
                    effect=np.float64(row.effect),
                )
        return graph

    def loadings(self) -> pd.DataFrame:
        rng = np.random.default_rng(self.seed + 1)
        rows = []
        for name, group, latent in zip(
            self.nodes.names, self.nodes.groups, self.nodes.is_latent, strict=True
        ):
            if not latent:
                continue
            for modality, columns in self.tables.items():
                own = modality == group
                r = np.clip(rng.normal(0, 0.5 if own else 0.15, len(columns)), -0.95, 0.95)
                r[rng.integers(len(columns))] = 0.93 if own else 0.3
                for column, value in zip(columns, r, strict=True):
                    rows.append((name, modality, column, value, own))
        return pd.DataFrame(rows, columns=["latent", "modality", "column", "correlation", "own"])

    @property
    def restarts(self) -> pd.DataFrame:
        k = np.arange(self.n_restarts)
        diverged = k == 7
        return pd.DataFrame(
            {
                "restart": k,
                "held_out_elbo": np.where(diverged, np.nan, -31.84 - 0.06 * k),
                "difference": np.where(diverged, np.nan, -0.06 * k),
                "difference_se": np.where(diverged, np.nan, 0.021 * (k > 0)),
                "edges": 11.3 + k,
                "weight": (k < 3) / (k < 3).sum(),
                "agreement": np.where(diverged, np.nan, 1 - 0.045 * k),
            }
        )

    @property
    def history(self) -> pd.DataFrame:
        rows = []
        for restart in range(self.n_restarts):
            for start, (stage, epochs) in zip(
                (0, 30, 90), (("encoders", 30), ("joint", 60), ("graph", 45)), strict=True
            ):
                for epoch in range(epochs):
                    t = start + epoch
                    elbo = -32 - 0.06 * restart - 30 * np.exp(-t / 12) + 0.1 * np.sin(t * 1.7)
                    held_out = elbo - 0.3 if epoch % 5 == 4 else np.nan
                    rows.append((stage, epoch, restart, elbo, held_out))
        return pd.DataFrame(rows, columns=["stage", "epoch", "restart", "elbo", "held_out_elbo"])

    @property
    def stages(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "stage": ["encoders", "joint", "graph"],
                "purpose": ["unmix each table", "all at once", "the prior as declared"],
                "epochs": [30, 60, 45],
                "seconds": [4.21, 21.9, 63.2],
                "reason": [
                    "all epochs done",
                    "held-out ELBO has not risen for 10 epochs",
                    "all epochs done",
                ],
            }
        )

    @property
    def settings(self) -> dict[str, str | int | float]:
        return {
            "latents": f"{self.latents_each} per modality",
            "noise": 1,
            "edge prior": "SpikeAndSlab(probability=0.1)",
            "mechanism": "additive",
            "rope": self.rope,
            "background knowledge": "none",
            "order": "given by the order of the modalities",
            "restarts": self.n_restarts,
            "seed": 0,
            "subjects": 10175,
            "pyrocrl": "0.1.0",
            "torch": "2.13.0",
            **self.extra_settings,
        }

    def reliability(self) -> pd.Series:
        latents = [
            n for n, latent in zip(self.nodes.names, self.nodes.is_latent, strict=True) if latent
        ]
        return pd.Series(np.linspace(0.97, 0.62, len(latents)), index=latents)

    @property
    def data_summary(self) -> pd.DataFrame:
        kinds = [("variables", self.variables), ("table", self.tables)]
        rows = [
            (name, kind, len(columns), 0.0 if kind == "variables" else 0.034)
            for kind, group in kinds
            for name, columns in group.items()
        ]
        return pd.DataFrame(rows, columns=["modality", "kind", "columns", "missing"])

    def to_inference_data(self) -> az.InferenceData:
        names = list(self.nodes.names)
        kept = list(range(min(3, self.n_restarts)))
        return az.from_dict(
            posterior={
                "adjacency": self._present[kept],
                "strength": self._strength[kept],
                "effect": self._effect[kept],
            },
            coords={"child": names, "parent": names, "chain": kept},
            dims={name: ["child", "parent"] for name in ("adjacency", "strength", "effect")},
        )


def small(**changes: Any) -> StandIn:
    """Two tables with two latents each and three variables."""
    tables = {name: COLUMNS[name] for name in ("anthropometry", "blood_pressure")}
    return StandIn(**{"tables": tables, "variables": VARIABLES, **changes})


def large(**changes: Any) -> StandIn:
    """Five tables with two latents each and three variables."""
    return StandIn(**{"tables": COLUMNS, "variables": VARIABLES, "seed": 3, **changes})


LEARNED = {"order": "learned: edges may run either way, every graph is acyclic"}
WARNINGS = (
    "Latent grip.z2 has a reliability of 0.62: edges from and to it are uncertain beyond what "
    "their probabilities say.",
    "Restart 3 found other latents than the best one (agreement 0.71).",
)

CASES: dict[str, Callable[[], StandIn]] = {
    "small": small,
    "small with 8 restarts and warnings": lambda: small(n_restarts=8, warnings=WARNINGS),
    "large": lambda: large(warnings=WARNINGS),
    "large with 8 restarts": lambda: large(n_restarts=8),
    "no edge above the threshold": lambda: small(strongest=0.05),
    "no edge at all": lambda: small(strongest=0.0),
    "variables alone": lambda: StandIn({}, {"body": ["bmi"], "person": ["age", "sex"]}),
    "no variables": lambda: small(variables={}),
    "learned order": lambda: small(extra_settings=LEARNED),
    "learned order, no edge": lambda: small(extra_settings=LEARNED, strongest=0.0),
    "one latent each": lambda: small(latents_each=1),
}


@pytest.fixture(params=list(CASES))
def posterior(request: pytest.FixtureRequest) -> StandIn:
    """Each kind of posterior that a report has to cope with."""
    return CASES[request.param]()


@pytest.fixture
def small_posterior() -> StandIn:
    return small()


@pytest.fixture
def make_small() -> Any:
    return small


@pytest.fixture
def make_large() -> Any:
    return large
