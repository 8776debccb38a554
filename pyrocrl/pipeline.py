"""The main job: from data to a posterior over edges, one call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from pyrocrl.data import MultimodalData
from pyrocrl.errors import DataError, ModelError
from pyrocrl.guide import AmortizedGuide
from pyrocrl.modality import NetworkChoice
from pyrocrl.model import MultimodalSCM
from pyrocrl.posterior.build import build_posterior
from pyrocrl.posterior.encoding import complete_subjects
from pyrocrl.posterior.posterior import Posterior
from pyrocrl.posterior.storage import load_posterior
from pyrocrl.scm import BackgroundKnowledge, EdgePrior, Mechanism
from pyrocrl.settings import FitSettings
from pyrocrl.structure.program_prior import check_can_be_summed
from pyrocrl.training import hold_out, train

if TYPE_CHECKING:
    from pyrocrl.sharing.result import SharedLatents

__all__ = ["chosen_device", "fit", "load"]

_FEWEST_COMPLETE = 20

ModelFactory = Callable[..., MultimodalSCM]
GuideFactory = Callable[[MultimodalSCM, MultimodalData], AmortizedGuide]


def fit(
    data: MultimodalData | Mapping[str, Any],
    latents: int | Mapping[str, int] = 2,
    noise: int | Mapping[str, int] = 1,
    *,
    edge_prior: EdgePrior | None = None,
    mechanism: str | type[Mechanism] = "additive",
    model: ModelFactory | None = None,
    guide: GuideFactory | None = None,
    rope: float = 0.02,
    knowledge: BackgroundKnowledge | None = None,
    order: str = "modality",
    networks: Mapping[str, NetworkChoice] | None = None,
    restarts: int = 8,
    seed: int = 0,
    progress: bool = True,
    max_epochs: int | None = None,
    device: str | torch.device | None = None,
    sharing: SharedLatents | None = None,
) -> Posterior:
    """Find the latent causes behind several modalities, and how probable each edge is.

    Args:
        data: the measurements; a mapping of tables becomes a `MultimodalData`. The order of the
            modalities is the causal order, an edge never runs to an earlier modality, unless
            `order` says otherwise.
        latents: latents of each table modality, one number or one per modality.
        noise: dimensions of each table modality's own noise, likewise.
        edge_prior: `SpikeAndSlab` (the default), `BlockEdges`, `HierarchicalEdges`, `ScaleFree`,
            `ExpertEdges`, `LaplaceEdges`, `Horseshoe`, or any callable that takes a `GraphSpace`,
            makes `pyro.sample` statements and returns an adjacency.
        mechanism: "linear", "additive" or "flow", or a `Mechanism` class.
        model: your own model in place of all of the above: called as `model(data, chains=...)`, it
            returns a `MultimodalSCM`.
        guide: your own guide: called as `guide(model, data)`, it returns an `AmortizedGuide`.
        rope: nats per subject below which an edge counts as none.
        knowledge: tiers, required and forbidden edges, probabilities of single edges.
        order: "modality", the order of the modalities in `data` (edges between latents of one
            modality may run either way); "learned", all edges may, and every graph is acyclic; or
            "cyclic", graphs may have cycles.
        networks: encoder and decoder of modalities by name: "small" or "residual" for images,
            "convolutional" or "recurrent" for series, or your own `Networks`; the first, where a
            modality is left out.
        restarts: searches for the latents from different starts, trained together; the four that
            find most are trained to the end, each of them twice where there are few subjects: once
            with its latents held where the search left them. ArviZ calls those chains.
        seed: decides everything; the caller's random state is left as it was.
        progress: show a progress bar for each stage.
        max_epochs: limit on the passes over the data; None takes what the number of subjects asks.
        device: where to train, such as "cuda"; None is the CPU.
        sharing: latents that several modalities share, from `pyrocrl.sharing.discover`: they become
            nodes of the graph, causes first, which their modalities show, and the others are looked
            for beyond them. It knows how many others there are; `latents` is not looked at.

    Returns:
        The posterior. Ctrl-C during training ends it early and returns what was found.

    Raises:
        DataError: if the data cannot be used.
        ModelError: if an argument is out of range.
        KnowledgeError: if the background knowledge contradicts itself or the data.
        PriorError: if the edge prior is no edge prior.

    Example:
        >>> from pyrocrl.simulate import numerical_case
        >>> data, truth = numerical_case(1, n_subjects=200)
        >>> posterior = fit(data, latents=2, restarts=2, max_epochs=3, progress=False)
        >>> posterior.edge_probabilities().shape
        (4, 4)
    """
    if not isinstance(data, MultimodalData):
        data = MultimodalData(data)
    shared = None
    if sharing is not None:
        data, latents = sharing.joined(data), sharing.own
        shared = sharing.membership_probabilities()
    if len(data.names) < 2:
        raise DataError(
            f"only one modality, {data.names[0]!r}: causes are told apart by how they act on "
            "another modality; give at least two (a Variables group counts)"
        )
    _check_overlap(data)
    settings = FitSettings(
        latents=latents,
        noise=noise,
        edge_prior=edge_prior,
        mechanism=mechanism,
        rope=rope,
        knowledge=knowledge,
        order=order,
        networks=networks,
        restarts=restarts,
        seed=seed,
        max_epochs=max_epochs,
        own_model=model is not None,
        own_guide=guide is not None,
    )
    where = chosen_device(device)
    training, held_out = hold_out(data, np.random.default_rng(seed))
    own_devices = [where] if where.type == "cuda" else []
    with torch.random.fork_rng(devices=own_devices):
        torch.manual_seed(seed)
        factory = model or default_model(settings)

        def build(chains: int) -> tuple[MultimodalSCM, AmortizedGuide]:
            made = _build_model(factory, training, chains)
            check_can_be_summed(made.edge_prior, made.space)
            return made.to(where), _build_guide(guide or AmortizedGuide, made, data).to(where)

        causal_model, causal_guide = build(restarts)
        if settings.own_model:
            settings = settings.of_model(causal_model)
        trained = train(
            causal_model,
            causal_guide,
            training.to(where),
            held_out.to(where),
            rebuild=build,
            progress=progress,
            max_epochs=max_epochs,
        )
        return build_posterior(trained, data, settings, shared)


def load(
    path: str | Path,
    *,
    edge_prior: EdgePrior | None = None,
    mechanism: type[Mechanism] | None = None,
    networks: Mapping[str, NetworkChoice] | None = None,
    model: ModelFactory | None = None,
    guide: GuideFactory | None = None,
) -> Posterior:
    """Read a fit that `Posterior.save` wrote.

    Code is not saved: where a fit used an edge prior, mechanism, model or guide of your own, give
    it again.

    Args:
        path: the folder.
        edge_prior: the fit's own edge prior, if it was a program.
        mechanism: the fit's own mechanism, if it was a class.
        networks: the fit's own networks, as given to `fit`.
        model: the fit's own model, as given to `fit`.
        guide: the fit's own guide, as given to `fit`.

    Returns:
        The posterior.

    Raises:
        SavedFitError: if a file is missing or damaged, or code is needed that is not given.
    """

    def build_model(settings: FitSettings, data: MultimodalData, chains: int) -> MultimodalSCM:
        return _build_model(model or default_model(settings), data, chains)

    def build_guide(causal_model: MultimodalSCM, data: MultimodalData) -> AmortizedGuide:
        return _build_guide(guide or AmortizedGuide, causal_model, data)

    with torch.random.fork_rng(devices=[]):
        return load_posterior(
            path,
            build_model,
            build_guide,
            {
                "edge_prior": edge_prior,
                "mechanism": mechanism,
                "networks": networks,
                "model": model,
                "guide": guide,
            },
        )


def default_model(settings: FitSettings) -> ModelFactory:
    """`MultimodalSCM` with the settings of a fit."""
    return partial(
        MultimodalSCM,
        latents=settings.latents,
        noise=settings.noise,
        edge_prior=settings.prior,
        mechanism=settings.mechanism,
        knowledge=settings.knowledge,
        order=settings.order,
        networks=settings.networks,
    )


def _check_overlap(data: MultimodalData) -> None:
    complete = int(complete_subjects(data).sum())
    if complete < _FEWEST_COMPLETE:
        raise DataError(
            f"only {complete} of {data.n_subjects} subjects have every variable and some of every "
            f"table measured ({', '.join(data.names)}); edges need at least {_FEWEST_COMPLETE}"
        )


_Made = TypeVar("_Made")


def _build_model(factory: ModelFactory, data: MultimodalData, chains: int) -> MultimodalSCM:
    made = _made("model", "model(data, chains=...)", MultimodalSCM, factory, data, chains=chains)
    if made.chains != chains:
        raise ModelError(
            f"model(data, chains={chains}) returned a model of {made.chains} chains; pass the "
            "number of chains on"
        )
    return made


def _build_guide(
    factory: GuideFactory, model: MultimodalSCM, data: MultimodalData
) -> AmortizedGuide:
    return _made("guide", "guide(model, data)", AmortizedGuide, factory, model, data)


def _made(
    argument: str, call: str, kind: type[_Made], factory: Any, *args: Any, **kwargs: Any
) -> _Made:
    if not callable(factory):
        raise ModelError(f"{argument} is called as {call}, but {factory!r} cannot be called")
    try:
        inspect.signature(factory).bind(*args, **kwargs)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{argument} is called as {call}; that fails: {error}") from None
    made = factory(*args, **kwargs)
    if not isinstance(made, kind):
        raise ModelError(
            f"{call} must return an instance of {kind.__name__}, not {type(made).__name__}"
        )
    return made


def chosen_device(device: str | torch.device | None) -> torch.device:
    """The device that was asked for; None is the CPU.

    Raises:
        ModelError: if it is unknown, not supported or not there.
    """
    try:
        where = torch.device("cpu" if device is None else device)
    except (RuntimeError, TypeError):
        raise ModelError(f"device {device!r} is unknown; use 'cpu' or 'cuda'") from None
    if where.type not in ("cpu", "cuda"):
        raise ModelError(f"device {device!r} is not supported; use 'cpu' or 'cuda'")
    if where.type == "cuda" and (where.index or 0) >= torch.cuda.device_count():
        raise ModelError(f"device {device!r}: this installation of torch does not find it")
    return where
