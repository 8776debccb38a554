"""Saved fits: a folder of JSON and safetensors, no pickle, no measurements.

fit.json             settings, names, standardisation, tables
network.safetensors  parameters of model and guide
arrays.safetensors   draws, probabilities, latents of the fitted subjects
"""

from __future__ import annotations

import json
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from pyrocrl.data import MultimodalData, modality_from_json
from pyrocrl.edge_guide import OpenEdges, SpikeAndSlabGuide
from pyrocrl.errors import PyrocrlError, SavedFitError
from pyrocrl.guide import AmortizedGuide
from pyrocrl.modality import SteadyEncoder
from pyrocrl.model import MultimodalSCM
from pyrocrl.posterior.alignment import Alignment
from pyrocrl.posterior.posterior import Posterior
from pyrocrl.settings import FitSettings
from pyrocrl.structure import GraphDraws
from pyrocrl.training import FINALISTS, History, StageRecord, keep_latents

__all__ = ["load_posterior", "save"]

_FORMAT = 2
_JSON, _NETWORK, _ARRAYS = "fit.json", "network.safetensors", "arrays.safetensors"

ModelBuilder = Callable[[FitSettings, MultimodalData, int], MultimodalSCM]
GuideBuilder = Callable[[MultimodalSCM, MultimodalData], AmortizedGuide]


def save(posterior: Posterior, path: str | Path) -> Path:
    """Save a posterior into a folder, which is made where it is missing.

    Args:
        posterior: what to save.
        path: the folder.

    Returns:
        The folder.

    Raises:
        SavedFitError: if the folder cannot be written.
    """
    from safetensors.numpy import save_file as save_arrays
    from safetensors.torch import save_file as save_tensors

    folder = _folder(path)
    network = {
        **{f"model.{name}": tensor for name, tensor in posterior.model.state_dict().items()},
        **{f"guide.{name}": tensor for name, tensor in posterior.guide.state_dict().items()},
    }
    # The guide shares the model's unmixing; one copy is enough.
    network = {
        name: tensor.detach().cpu().contiguous().clone()
        for name, tensor in network.items()
        if not name.startswith("guide.unmixing.")
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _JSON).write_text(json.dumps(_to_json(posterior), indent=1), encoding="utf-8")
        save_tensors(network, folder / _NETWORK)
        save_arrays(_to_arrays(posterior), folder / _ARRAYS)
    except OSError as error:
        raise SavedFitError(f"cannot save into {folder}: {error}") from None
    return folder


def load_posterior(
    path: str | Path,
    build_model: ModelBuilder,
    build_guide: GuideBuilder,
    settings_given: dict[str, Any],
) -> Posterior:
    """Read a saved posterior back.

    Args:
        path: the folder.
        build_model: makes the model anew, untrained.
        build_guide: makes its guide anew, untrained.
        settings_given: settings that cannot be saved (a prior or mechanism that is code).

    Raises:
        SavedFitError: if a file is missing, damaged or does not fit the others, or code that the
            fit used is not given; names the file or argument.
    """
    from safetensors.numpy import load_file as load_arrays
    from safetensors.torch import load_file as load_tensors

    folder = _folder(path)
    stored = _read(folder / _JSON, lambda file: json.loads(file.read_text(encoding="utf-8")))
    network = _read(folder / _NETWORK, load_tensors)
    arrays = _read(folder / _ARRAYS, load_arrays)
    if not isinstance(stored, dict) or stored.get("format") != _FORMAT:
        raise SavedFitError(
            f"{folder / _JSON} is not a fit that this version can read (format {_FORMAT})"
        )
    try:
        settings = FitSettings.from_json(stored["settings"], settings_given)
        template = _template(stored["modalities"])
        completed = any(name.startswith("guide.completion.") for name in network)
        blank = template.unmeasured(1, observed=not completed)
        chains = len(stored["restarts"]["restart"])
        if chains != settings.restarts and chains not in _fewer(settings.restarts):
            raise ValueError(f"{chains} restarts are stored, {settings.restarts} were asked for")
        model = build_model(settings, blank, chains)
        if settings.own_model:
            settings = settings.of_model(model)
        model.n_subjects = int(stored["training_subjects"])
        guide = build_guide(model, blank)
        guide.may_lack = bool(stored.get("may_lack", False))
        if stored.get("drawn", False):
            keep_latents(model, guide, template)
        if stored["gates"]:
            assert isinstance(guide.edges, OpenEdges)
            guide.edges = SpikeAndSlabGuide(model, guide.edges)
        _load_parameters(model, guide, network)
        return _from_json(stored, arrays, settings, template, model, guide)
    except PyrocrlError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise SavedFitError(
            f"{folder} is damaged: its files do not fit together ({type(error).__name__}: {error})"
        ) from None


def _fewer(restarts: int) -> list[int]:
    """Numbers of restarts that may be left at the end of a training that began with so many."""
    return [number for number in (FINALISTS, 2 * FINALISTS) if number < restarts]


def _to_json(posterior: Posterior) -> dict[str, Any]:
    history = posterior.history_record
    return {
        "format": _FORMAT,
        "settings": posterior.fit_settings.to_json(),
        "training_subjects": posterior.model.n_subjects,
        "may_lack": posterior.guide.may_lack,
        "drawn": any(isinstance(own, SteadyEncoder) for own in posterior.guide.encoders.values()),
        "gates": isinstance(posterior.guide.edges, SpikeAndSlabGuide),
        "modalities": [
            {"name": modality.name, "kind": modality.kind, **modality.to_json()}
            for modality in posterior.template
        ],
        "subjects": _labels(posterior.latent_values.index),
        "latents": list(posterior.latent_values.columns),
        "restarts": posterior.restarts.to_dict(orient="list"),
        "loadings": posterior.loadings_table.to_dict(orient="list"),
        "data_summary": posterior.data_summary.to_dict(orient="list"),
        "history": history.rows,
        "stages": [vars(record) for record in history.records],
        "warnings": list(posterior.warnings),
        "sharing": _sharing_to_json(posterior.sharing),
    }


def _to_arrays(posterior: Posterior) -> dict[str, np.ndarray]:
    arrays = {
        "adjacency": posterior.draws.adjacency,
        "strength": posterior.draws.strength.astype(np.float32),
        "effect": posterior.draws.effect.astype(np.float32),
        "probability": posterior.probability,
        "variational": posterior.variational,
        "allowed": posterior.allowed,
        "latent_values": posterior.latent_values.to_numpy(),
        "latent_deviations": posterior.latent_deviations.to_numpy(),
        "permutation": posterior.alignment.permutation,
        "sign": posterior.alignment.sign,
        "centre": posterior.alignment.centre,
        "unit": posterior.alignment.unit,
        "agreement": posterior.alignment.agreement,
    }
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _from_json(
    stored: dict[str, Any],
    arrays: dict[str, np.ndarray],
    settings: FitSettings,
    template: MultimodalData,
    model: MultimodalSCM,
    guide: AmortizedGuide,
) -> Posterior:
    subjects, latents = pd.Index(stored["subjects"]), stored["latents"]
    history = History(stored["history"], [StageRecord(**record) for record in stored["stages"]])
    return Posterior(
        fit_settings=settings,
        template=template,
        model=model,
        guide=guide,
        alignment=Alignment(
            **{
                name: arrays[name]
                for name in ("permutation", "sign", "centre", "unit", "agreement")
            }
        ),
        restarts=pd.DataFrame(stored["restarts"]),
        draws=GraphDraws(
            arrays["adjacency"],
            arrays["strength"].astype(np.float64),
            arrays["effect"].astype(np.float64),
        ),
        probability=arrays["probability"],
        variational=arrays["variational"],
        allowed=arrays["allowed"],
        latent_values=pd.DataFrame(arrays["latent_values"], subjects, latents),
        latent_deviations=pd.DataFrame(arrays["latent_deviations"], subjects, latents),
        loadings_table=pd.DataFrame(stored["loadings"]),
        history_record=history,
        data_summary=pd.DataFrame(stored["data_summary"]),
        warnings=tuple(stored["warnings"]),
        sharing=_sharing_from_json(stored["sharing"]),
    )


def _sharing_to_json(sharing: pd.DataFrame | None) -> dict[str, Any] | None:
    return None if sharing is None else sharing.to_dict(orient="split")


def _sharing_from_json(stored: dict[str, Any] | None) -> pd.DataFrame | None:
    if stored is None:
        return None
    frame = pd.DataFrame(**stored)
    return frame.rename_axis(index="latent", columns="modality")


def _folder(path: object) -> Path:
    if not isinstance(path, str | PathLike):
        raise SavedFitError(f"the path of a saved fit must name a folder, not {path!r}")
    return Path(path)


def _read(file: Path, reader: Callable[[Path], Any]) -> Any:
    if not file.is_file():
        raise SavedFitError(
            f"{file} is missing; a saved fit is the folder that posterior.save(folder) wrote"
        )
    try:
        return reader(file)
    except Exception as error:
        # Readers of damaged files raise errors of their own kinds.
        raise SavedFitError(f"{file} is damaged and cannot be read: {error}") from None


def _labels(index: pd.Index) -> list[Any]:
    if index.dtype.kind in "iu":
        return [int(label) for label in index]
    return [str(label) for label in index]


def _template(modalities: list[dict[str, Any]]) -> MultimodalData:
    parts = [modality_from_json(stored) for stored in modalities]
    return MultimodalData.from_modalities(parts, pd.RangeIndex(0))


def _load_parameters(
    model: MultimodalSCM, guide: AmortizedGuide, network: dict[str, torch.Tensor]
) -> None:
    for module, prefix in ((model, "model."), (guide, "guide.")):
        own = {n.removeprefix(prefix): t for n, t in network.items() if n.startswith(prefix)}
        for name, tensor in model.unmixing.state_dict().items():
            if module is guide:
                own[f"unmixing.{name}"] = tensor
        module.load_state_dict(own)
