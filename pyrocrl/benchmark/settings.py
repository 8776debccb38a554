"""The settings of the identification benchmark: what is simulated and how it is fitted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pyrocrl import simulate
from pyrocrl.baselines import BASELINES
from pyrocrl.data import MultimodalData
from pyrocrl.simulate import CASES, Truth

__all__ = [
    "COUNTING",
    "GROUPS",
    "METHODS",
    "OURS",
    "SETTINGS",
    "SETTING_COLUMNS",
    "SUPERVISED",
    "Order",
    "Setting",
]

Order = Literal["modality", "learned", "cyclic"]

OURS = "pyrocrl"
COUNTING = "select_latents"
SUPERVISED = "causal-vae-supervised"
METHODS = (OURS, *BASELINES)

_MANY = tuple(name for name in METHODS if name != "mcl")
_MIXINGS = ("expand", "square")
_SUBJECTS = 10_000

# Columns of the results, and the keyword of the generator that each shows.
_KEYWORD_OF = {
    "case": "case",
    "modalities": "modalities",
    "absent": "absent",
    "where": "where",
    "counts": "counts",
    "subjects": "n_subjects",
    "mixing": "mixing",
    "inner": "inner",
    "noise_law": "noise",
    "true_mechanism": "mechanism",
}
SETTING_COLUMNS = (
    "setting",
    "generator",
    *_KEYWORD_OF,
    "order",
    "fitted_mechanism",
    "fit",
)


@dataclass(frozen=True)
class Setting:
    """One setting: a generator of data, what the methods are told, and which methods are compared.

    Attributes:
        name: what tables call it.
        generator: name of a function of `pyrocrl.simulate`.
        keywords: its arguments, all but the seed.
        latents: latents of each modality, one number or by name; all methods are told.
        noise: dimensions of each modality's own noise, likewise.
        order: what is known of the order of causes, see `pyrocrl.fit`; all graphs rest on it.
        mechanism: of our own fit.
        methods: the methods that are compared.
        fit: other arguments of our own fit.

    Example:
        >>> setting = Setting("tiny", "numerical_case", {"case": 1, "n_subjects": 50})
        >>> data, truth = setting.simulate(seed=200)
        >>> len(data), truth.groups
        (50, ('m1', 'm1', 'm2', 'm2'))
    """

    name: str
    generator: str
    keywords: Mapping[str, Any]
    latents: int | Mapping[str, int] = 2
    noise: int | Mapping[str, int] = 1
    order: Order = "modality"
    mechanism: str = "additive"
    methods: tuple[str, ...] = METHODS
    fit: Mapping[str, Any] = field(default_factory=dict)

    def simulate(self, seed: int) -> tuple[MultimodalData, Truth]:
        """Draw the data and the truth behind them."""
        made: tuple[MultimodalData, Truth] = getattr(simulate, self.generator)(
            seed=seed, **self.keywords
        )
        return made

    def fingerprint(self, method: str) -> str:
        """A short text that changes with anything that a method's result depends on.

        Args:
            method: one of the methods; baselines do not depend on what only our fit is told.

        Example:
            >>> one = Setting("a", "numerical_case", {"case": 1})
            >>> other = Setting("a", "numerical_case", {"case": 1}, mechanism="flow")
            >>> one.fingerprint("pca") == other.fingerprint("pca")
            True
            >>> one.fingerprint("pyrocrl") == other.fingerprint("pyrocrl")
            False
        """
        told: list[Any] = [self.generator, dict(self.keywords)]
        if method != COUNTING:
            told += [_plain(self.latents), _plain(self.noise), self.order]
        if method not in BASELINES:
            told += [self.mechanism, dict(self.fit)]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:10]

    def columns(self) -> dict[str, Any]:
        """The setting as columns of the results, None where something does not apply."""
        shown = {column: self.keywords.get(key) for column, key in _KEYWORD_OF.items()}
        if shown["counts"] is not None:
            shown["counts"] = " ".join(map(str, shown["counts"]))
        return {
            "setting": self.name,
            "generator": self.generator,
            **shown,
            "order": self.order,
            "fitted_mechanism": self.mechanism,
            "fit": json.dumps(dict(self.fit), sort_keys=True) if self.fit else None,
        }


def _plain(sizes: int | Mapping[str, int]) -> int | dict[str, int]:
    return dict(sizes) if isinstance(sizes, Mapping) else sizes


def _numerical(
    case: int,
    mixing: str,
    *,
    inner: bool = False,
    noise: str = "gaussian",
    nonadditive: bool = False,
    flow: bool = False,
    subjects: int = _SUBJECTS,
) -> Setting:
    differences = {
        "inner": inner,
        "laplace": noise == "laplace",
        "nonadditive": nonadditive,
        "flow": flow,
        str(subjects): subjects != _SUBJECTS,
    }
    return Setting(
        "-".join([f"case{case}", mixing, *(word for word, said in differences.items() if said)]),
        "numerical_case",
        {
            "case": case,
            "n_subjects": subjects,
            "mixing": mixing,
            "inner": inner,
            "noise": noise,
            "mechanism": "nonadditive" if nonadditive else "additive",
        },
        latents=CASES[case].latents,
        mechanism="flow" if flow else "additive",
        methods=(OURS,) if flow else METHODS if CASES[case].modalities == 2 else _MANY,
    )


def _modalities(count: int, mixing: str) -> Setting:
    keywords = {"modalities": count, "n_subjects": _SUBJECTS, "mixing": mixing}
    return Setting(f"modalities{count}-{mixing}", "many_modalities", keywords, methods=_MANY)


def _sparsity(removed: int, mixing: str) -> Setting:
    absent = removed / 6
    keywords = {"absent": absent, "n_subjects": _SUBJECTS, "mixing": mixing}
    name = f"absent{100 * absent:.0f}-{mixing}"
    return Setting(name, "sparsity_ablation", keywords, latents=3)


def _cyclic(where: str, mixing: str) -> Setting:
    keywords = {"where": where, "n_subjects": _SUBJECTS, "mixing": mixing}
    return Setting(f"cycle-{where}-{mixing}", "cyclic_case", keywords, order="cyclic")


def _unknown_order(case: int, mixing: str) -> Setting:
    keywords = {"case": case, "n_subjects": _SUBJECTS, "mixing": mixing}
    return Setting(
        f"order{case}-{mixing}",
        "unknown_order_case",
        keywords,
        latents=CASES[case].latents,
        order="learned",
        methods=METHODS if CASES[case].modalities == 2 else _MANY,
    )


def _counts(name: str, generator: str, **keywords: Any) -> Setting:
    told = {**keywords, "n_subjects": _SUBJECTS, "mixing": "expand"}
    return Setting(f"counts-{name}", generator, told, methods=(COUNTING,))


def _unique(settings: Sequence[Setting]) -> dict[str, Setting]:
    return {setting.name: setting for setting in settings}


_PAIRS = [(case, mixing) for case in CASES for mixing in _MIXINGS]

# A setting may stand in several groups; it is run once.
GROUPS: dict[str, tuple[Setting, ...]] = {
    "cases": tuple(_numerical(*pair) for pair in _PAIRS),
    "inner": tuple(_numerical(*pair, inner=True) for pair in _PAIRS),
    "noise": tuple(
        _numerical(*pair, inner=inner, noise="laplace")
        for inner in (False, True)
        for pair in _PAIRS
    ),
    # Fitted as by somebody who does not know; and, twice, by somebody who does.
    "mechanism": (
        *(
            _numerical(*pair, inner=inner, nonadditive=True)
            for inner in (False, True)
            for pair in _PAIRS
        ),
        *(_numerical(case, "square", nonadditive=True, flow=True) for case in (1, 2)),
    ),
    "modalities": tuple(_modalities(m, mixing) for mixing in _MIXINGS for m in (5, 6, 8)),
    "sparsity": tuple(_sparsity(sixths, mixing) for mixing in _MIXINGS for sixths in (0, 2, 3, 4)),
    "subjects": tuple(_numerical(1, "expand", subjects=n) for n in (1000, 3000, 10_000, 40_000)),
    "few": tuple(
        _numerical(case, mixing, subjects=n)
        for n in (300, 1000)
        for case in (1, 3)
        for mixing in _MIXINGS
    ),
    "cyclic": tuple(
        _cyclic(where, mixing) for mixing in _MIXINGS for where in ("within", "across")
    ),
    "order": tuple(_unknown_order(case, mixing) for mixing in _MIXINGS for case in (1, 3)),
    "counts": (
        _counts("case1", "numerical_case", case=1),
        _counts("modalities5", "many_modalities", modalities=5),
        _counts("3-2-2", "latent_count_case", counts=[3, 2, 2]),
        _counts("2-3", "latent_count_case", counts=[2, 3]),
    ),
}
SETTINGS = _unique([setting for group in GROUPS.values() for setting in group])
