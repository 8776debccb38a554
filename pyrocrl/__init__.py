"""Causal representation learning from several kinds of measurements of the same subjects.

Which hidden factors lie behind the measurements, which cause which, and how sure can we be?

    import pyrocrl as crl

    data = crl.MultimodalData({"labs": labs, "scan": scan})
    posterior = crl.fit(data, latents=2)
    posterior.report("report.html")
"""

from __future__ import annotations

import warnings
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyrocrl import baselines, datasets, diagnose, likelihoods, metrics, sharing, simulate
    from pyrocrl.data import (
        Batch,
        Cells,
        Counts,
        Image,
        ImageFolder,
        MultimodalData,
        Series,
        Table,
        Variables,
    )
    from pyrocrl.errors import (
        ConfigError,
        DataError,
        KnowledgeError,
        ModelError,
        PriorError,
        PyrocrlError,
        SavedFitError,
    )
    from pyrocrl.guide import AmortizedGuide
    from pyrocrl.latent_counts import LatentCounts, select_latents
    from pyrocrl.modality import Networks
    from pyrocrl.model import MultimodalSCM
    from pyrocrl.pipeline import fit, load
    from pyrocrl.posterior import Posterior, replication
    from pyrocrl.scm import (
        BackgroundKnowledge,
        BlockEdges,
        EdgePrior,
        ExpertEdges,
        GraphSpace,
        HierarchicalEdges,
        Horseshoe,
        LaplaceEdges,
        Mechanism,
        NormalScaleMixture,
        ScaleFree,
        SpikeAndSlab,
    )

__version__ = "0.2.0.dev3"

# What stands where: each is imported when it is first used, so that importing pyrocrl costs next
# to nothing.
_HOME = {
    "AmortizedGuide": "pyrocrl.guide",
    "BackgroundKnowledge": "pyrocrl.scm",
    "Batch": "pyrocrl.data",
    "BlockEdges": "pyrocrl.scm",
    "Cells": "pyrocrl.data",
    "ConfigError": "pyrocrl.errors",
    "Counts": "pyrocrl.data",
    "DataError": "pyrocrl.errors",
    "EdgePrior": "pyrocrl.scm",
    "ExpertEdges": "pyrocrl.scm",
    "GraphSpace": "pyrocrl.scm",
    "HierarchicalEdges": "pyrocrl.scm",
    "Horseshoe": "pyrocrl.scm",
    "Image": "pyrocrl.data",
    "ImageFolder": "pyrocrl.data",
    "KnowledgeError": "pyrocrl.errors",
    "LaplaceEdges": "pyrocrl.scm",
    "LatentCounts": "pyrocrl.latent_counts",
    "Mechanism": "pyrocrl.scm",
    "ModelError": "pyrocrl.errors",
    "MultimodalData": "pyrocrl.data",
    "MultimodalSCM": "pyrocrl.model",
    "Networks": "pyrocrl.modality",
    "NormalScaleMixture": "pyrocrl.scm",
    "Posterior": "pyrocrl.posterior",
    "PriorError": "pyrocrl.errors",
    "PyrocrlError": "pyrocrl.errors",
    "SavedFitError": "pyrocrl.errors",
    "ScaleFree": "pyrocrl.scm",
    "Series": "pyrocrl.data",
    "SpikeAndSlab": "pyrocrl.scm",
    "Table": "pyrocrl.data",
    "Variables": "pyrocrl.data",
    "fit": "pyrocrl.pipeline",
    "load": "pyrocrl.pipeline",
    "replication": "pyrocrl.posterior",
    "select_latents": "pyrocrl.latent_counts",
}
_MODULES = ("baselines", "datasets", "diagnose", "likelihoods", "metrics", "sharing", "simulate")

__all__ = [
    "AmortizedGuide",
    "BackgroundKnowledge",
    "Batch",
    "BlockEdges",
    "Cells",
    "ConfigError",
    "Counts",
    "DataError",
    "EdgePrior",
    "ExpertEdges",
    "GraphSpace",
    "HierarchicalEdges",
    "Horseshoe",
    "Image",
    "ImageFolder",
    "KnowledgeError",
    "LaplaceEdges",
    "LatentCounts",
    "Mechanism",
    "ModelError",
    "MultimodalData",
    "MultimodalSCM",
    "Networks",
    "NormalScaleMixture",
    "Posterior",
    "PriorError",
    "PyrocrlError",
    "SavedFitError",
    "ScaleFree",
    "Series",
    "SpikeAndSlab",
    "Table",
    "Variables",
    "baselines",
    "datasets",
    "diagnose",
    "fit",
    "likelihoods",
    "load",
    "metrics",
    "replication",
    "select_latents",
    "sharing",
    "simulate",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(_imported(_HOME[name]), name)
    elif name in _MODULES:
        value = _imported(f"pyrocrl.{name}")
    else:
        raise AttributeError(f"module 'pyrocrl' has no attribute {name!r}")
    globals()[name] = value
    return value


def _imported(module: str) -> ModuleType:
    """Import a module; Pyro brings progress bars, which in a notebook ask for widgets in vain."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        return import_module(module)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
