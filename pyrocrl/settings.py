"""What a fit was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pyrocrl.errors import ModelError, SavedFitError
from pyrocrl.modality import NetworkChoice, Networks
from pyrocrl.scm import (
    ORDERS,
    BackgroundKnowledge,
    EdgePrior,
    Mechanism,
    SpikeAndSlab,
)
from pyrocrl.scm.mechanisms import MECHANISMS, mechanism_name
from pyrocrl.scm.priors import describe, prior_from_json, prior_to_json

if TYPE_CHECKING:
    from pyrocrl.model import MultimodalSCM

__all__ = ["FitSettings"]


@dataclass(frozen=True)
class FitSettings:
    """The arguments of `pyrocrl.fit`, checked.

    Raises:
        ModelError: if a value is out of range; names the argument.

    Example:
        >>> FitSettings(rope=-1.0)
        Traceback (most recent call last):
        pyrocrl.errors.ModelError: rope must be a finite number of nats per subject, at least 0, \
not -1.0
    """

    latents: int | Mapping[str, int] = 2
    noise: int | Mapping[str, int] = 1
    edge_prior: EdgePrior | None = None
    mechanism: str | type[Mechanism] = "additive"
    rope: float = 0.02
    knowledge: BackgroundKnowledge | None = None
    order: str = "modality"
    restarts: int = 8
    seed: int = 0
    max_epochs: int | None = None
    networks: Mapping[str, NetworkChoice] | None = None
    own_model: bool = False
    own_guide: bool = False

    def __post_init__(self) -> None:
        if self.edge_prior is None:
            object.__setattr__(self, "edge_prior", SpikeAndSlab())
        if not callable(self.edge_prior):
            raise ModelError(
                "edge_prior must be SpikeAndSlab, LaplaceEdges or a callable with pyro.sample "
                f"statements, not {self.edge_prior!r}"
            )
        if not isinstance(self.rope, int | float) or not np.isfinite(self.rope) or self.rope < 0:
            raise ModelError(
                f"rope must be a finite number of nats per subject, at least 0, not {self.rope!r}"
            )
        if self.knowledge is not None and not isinstance(self.knowledge, BackgroundKnowledge):
            raise ModelError(
                f"knowledge must be a BackgroundKnowledge, not {type(self.knowledge).__name__}"
            )
        if self.order not in ORDERS:
            raise ModelError(
                f"order must be one of {', '.join(map(repr, ORDERS))}, not {self.order!r}"
            )
        for name, least in (("restarts", 1), ("seed", 0)):
            _check_whole(name, getattr(self, name), least)
        if self.seed >= 2**63:
            raise ModelError(f"seed must be less than 2**63, not {self.seed}")
        if self.max_epochs is not None:
            _check_whole("max_epochs", self.max_epochs, 1)

    @property
    def prior(self) -> EdgePrior:
        """The edge prior, the default one where none was given."""
        assert self.edge_prior is not None
        return self.edge_prior

    @property
    def mechanism_name(self) -> str:
        """The mechanism in one word."""
        return self.mechanism if isinstance(self.mechanism, str) else self.mechanism.__name__

    def of_model(self, model: MultimodalSCM) -> FitSettings:
        """These settings with what a model of the user's own says in place of the defaults."""
        return replace(
            self,
            latents={name: len(model.nodes.of(name)) for name in model.encoded_names},
            noise=model.noise,
            edge_prior=model.edge_prior,
            mechanism=mechanism_name(type(model.mechanism)),
            knowledge=model.knowledge,
            order=model.space.rule,
        )

    def summary(self) -> dict[str, str | int | float]:
        """The settings in words, for reports."""
        return {
            "latents": _sizes(self.latents),
            "noise": _sizes(self.noise),
            "edge prior": describe(self.prior),
            "mechanism": self.mechanism_name,
            "rope": float(self.rope),
            "background knowledge": "none" if self.knowledge is None else repr(self.knowledge),
            "order": ORDERS[self.order],
            "restarts": self.restarts,
            "seed": self.seed,
            "networks": _named(self.networks),
            "max epochs": "automatic" if self.max_epochs is None else self.max_epochs,
            "model": "the user's own" if self.own_model else "MultimodalSCM",
            "guide": "the user's own" if self.own_guide else "AmortizedGuide",
        }

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON values; code (a prior or mechanism of the user's) by name only."""
        return {
            "latents": _plain(self.latents),
            "noise": _plain(self.noise),
            "edge_prior": _prior_to_json(self.prior),
            "mechanism": self.mechanism_name,
            "rope": float(self.rope),
            "knowledge": None if self.knowledge is None else self.knowledge.to_json(),
            "order": self.order,
            "restarts": int(self.restarts),
            "seed": int(self.seed),
            "max_epochs": None if self.max_epochs is None else int(self.max_epochs),
            "networks": {
                name: "own" if isinstance(choice, Networks) else choice
                for name, choice in (self.networks or {}).items()
            },
            "own_model": self.own_model,
            "own_guide": self.own_guide,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], given: Mapping[str, Any]) -> FitSettings:
        """Settings from `to_json`, with code that cannot be stored given anew.

        Args:
            stored: what `to_json` returned.
            given: `edge_prior`, `mechanism` and `networks`, where they are the user's own; None
                otherwise.

        Raises:
            SavedFitError: if code is needed that is not given.
        """
        values = dict(stored)
        networks = stored.get("networks", {})
        values["networks"] = _networks_from_json(networks, given.get("networks") or {})
        for argument in ("model", "guide"):
            if values[f"own_{argument}"] and given.get(argument) is None:
                raise SavedFitError(
                    f"this fit used a {argument} of the user's own, which is code: give it as "
                    f"{argument}=..."
                )
        if values["own_model"]:
            # What the model itself knows is taken from it once it is built.
            values.update(edge_prior=None, mechanism="additive", knowledge=None)
            return cls(**values)
        knowledge = values["knowledge"]
        values["knowledge"] = None if knowledge is None else BackgroundKnowledge(**knowledge)
        values["edge_prior"] = _prior_from_json(values["edge_prior"], given.get("edge_prior"))
        if given.get("mechanism") is not None:
            values["mechanism"] = given["mechanism"]
        elif values["mechanism"] not in MECHANISMS:
            raise SavedFitError(
                f"this fit used the mechanism {values['mechanism']}, which is code: give it as "
                "mechanism=..."
            )
        return cls(**values)


def _prior_to_json(prior: EdgePrior) -> dict[str, Any]:
    return prior_to_json(prior) or {"kind": "program", "name": describe(prior)}


def _prior_from_json(stored: Mapping[str, Any], given: EdgePrior | None) -> EdgePrior:
    prior = prior_from_json(stored) if given is None else given
    if prior is None:
        raise SavedFitError(
            f"this fit used the edge prior {stored['name']}, which is code: give it as "
            "edge_prior=..."
        )
    return prior


def _networks_from_json(
    stored: Mapping[str, str], given: Mapping[str, NetworkChoice]
) -> dict[str, NetworkChoice]:
    for name, choice in stored.items():
        if choice == "own" and not isinstance(given.get(name), Networks):
            raise SavedFitError(
                f"this fit used networks of the user's own for modality {name!r}, which are code: "
                f"give them as networks={{{name!r}: crl.Networks(...)}}"
            )
    return {name: given.get(name, choice) for name, choice in stored.items()}


def _named(networks: Mapping[str, NetworkChoice] | None) -> str:
    words = {
        name: "the user's own" if isinstance(choice, Networks) else choice
        for name, choice in (networks or {}).items()
    }
    return ", ".join(f"{name} {word}" for name, word in words.items()) or "automatic"


def _plain(sizes: int | Mapping[str, int]) -> int | dict[str, int]:
    if isinstance(sizes, Mapping):
        return {name: int(size) for name, size in sizes.items()}
    return int(sizes)


def _sizes(sizes: int | Mapping[str, int]) -> str:
    if isinstance(sizes, Mapping):
        return ", ".join(f"{name} {size}" for name, size in sizes.items())
    return f"{sizes} per modality"


def _check_whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ModelError(f"{name} must be a whole number, at least {least}, not {value!r}")
