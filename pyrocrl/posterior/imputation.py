"""What is missing, drawn through the causal model: latents given those that are there, then cells.

Where a subject lacks a modality (or a variable), its nodes are drawn many times from a regression
on the others, weighted by p(z | A, w) over the density of the draw, and resampled: draws from the
posterior under the causal model, given the nodes that are there. Measurements follow by the
decoders, with noises as they are in those who have the modality, given their nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyro
import torch
from torch import Tensor

from pyrocrl.data import Batch, MultimodalData
from pyrocrl.errors import DataError
from pyrocrl.guide import AmortizedGuide, Encoding
from pyrocrl.model import MultimodalSCM
from pyrocrl.posterior.imputed import Imputed
from pyrocrl.posterior.predictive import Sites, causal_model
from pyrocrl.posterior.regression import NodeRegression, NoiseRegression

__all__ = ["Imputer", "impute", "resampled", "systematic"]

_PARTICLES = 100
_ROWS = 2**15
_FEWEST_COMPLETE = 50

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Imputer:
    """What measurements are drawn from.

    Attributes:
        model: the model.
        guide: its guide.
        graphs: draws of the graph and its weights, each for an equal share of the draws.
        weights: of the chains that count.
        complete: fitted subjects who lack nothing; None takes those of the data.
    """

    model: MultimodalSCM
    guide: AmortizedGuide
    graphs: Sequence[Sites]
    weights: Mapping[int, float]
    complete: MultimodalData | None


@dataclass(frozen=True)
class Regressions:
    """What subjects who lack nothing teach about those who lack the same nodes.

    Attributes:
        nodes: of these nodes on the others.
        noises: of the noises of modalities that are lacking, on all nodes.
    """

    nodes: NodeRegression
    noises: Mapping[str, NoiseRegression]


@dataclass(frozen=True)
class Teachers:
    """What encoders say of subjects who lack nothing.

    Attributes:
        z: (chain, subject, node).
        eta: mean and standard deviation of each modality's noise, (chain, subject, noise).
    """

    z: Tensor
    eta: Mapping[str, tuple[Tensor, Tensor]]

    @classmethod
    def of(cls, imputer: Imputer, complete: MultimodalData) -> Teachers:
        """Encode them."""
        said = list(imputer.guide.encode_in_parts(complete))
        matrix = imputer.model.unmixing.matrix()
        z = torch.cat([torch.matmul(one.loc, matrix) for one in said], 1)
        eta = {
            name: (
                torch.cat([one.eta[name][0] for one in said], 1),
                torch.cat([one.eta[name][1] for one in said], 1),
            )
            for name in imputer.model.encoded_names
        }
        return cls(z, eta)

    def of_lacking(self, model: MultimodalSCM, lacking: BoolArray) -> Regressions:
        """What they teach about those who lack some nodes, (node,), True for these."""
        noises = {
            name: NoiseRegression.fit(self.z, *eta)
            for name, eta in self.eta.items()
            if lacking[model.positions[name].start]
        }
        own = torch.from_numpy(lacking)
        return Regressions(NodeRegression.fit(self.z.cpu().numpy(), None, own), noises)


@torch.no_grad()
def impute(imputer: Imputer, data: MultimodalData, draws: int) -> Imputed:
    """Draw what is missing.

    Args:
        imputer: what it is drawn from.
        data: subjects in the units of the fitted ones.
        draws: of every missing measurement.

    Returns:
        The draws.

    Raises:
        DataError: if somebody lacks a modality, and too few lack nothing to learn from.
    """
    lacking = _lacking_nodes(imputer.model, data)
    rows = np.flatnonzero(np.any([_lacks_a_cell(data, name) for name in data.names], axis=0))
    parts = list(_alike(rows, lacking))
    drawn: dict[str, list[Tensor]] = {name: [] for name in data.names}
    teachers = None
    if lacking[rows].any():
        teachers = Teachers.of(imputer, _complete(imputer, data, lacking))
    with pyro.validation_enabled(False):
        for part in parts:
            pattern = lacking[part[0]]
            regressions = None
            if teachers is not None and pattern.any():
                regressions = teachers.of_lacking(imputer.model, pattern)
            for start in range(0, len(part), _ROWS // _PARTICLES):
                few = data.select(part[start : start + _ROWS // _PARTICLES])
                batch = few.batch().to(imputer.guide.device)
                for name, values in _drawn(imputer, batch, regressions, draws).items():
                    drawn[name].append(values)
    order = np.argsort(np.concatenate(parts)) if parts else rows
    return _collected(data, rows, {name: own for name, own in drawn.items() if own}, order)


def _lacking_nodes(model: MultimodalSCM, data: MultimodalData) -> BoolArray:
    """Nodes of which a subject tells nothing: latents of absent modalities, missing variables."""
    lacking = np.zeros((data.n_subjects, len(model.nodes)), dtype=bool)
    for name, where in model.positions.items():
        modality = data[name]
        there = modality.cells().observed if modality.is_variables else modality.present[:, None]
        lacking[:, where] = ~there.cpu().numpy()
    return lacking


def _lacks_a_cell(data: MultimodalData, name: str) -> BoolArray:
    observed: BoolArray = data[name].cells().observed.flatten(1).all(1).cpu().numpy()
    return ~observed


def _alike(rows: npt.NDArray[np.intp], lacking: BoolArray) -> Iterator[npt.NDArray[np.intp]]:
    """Subjects apart by which nodes they lack."""
    _, group = np.unique(lacking[rows], axis=0, return_inverse=True)
    for number in range(group.max(initial=-1) + 1):
        yield rows[group.reshape(-1) == number]


def _complete(imputer: Imputer, data: MultimodalData, lacking: BoolArray) -> MultimodalData:
    if imputer.complete is not None:
        return imputer.complete
    complete = np.flatnonzero(~lacking.any(1))
    if len(complete) < _FEWEST_COMPLETE:
        raise DataError(
            f"only {len(complete)} of {data.n_subjects} subjects have every modality and "
            f"variable, and this fit was loaded, without measurements; give at least "
            f"{_FEWEST_COMPLETE} such subjects too, the fitted ones for example"
        )
    return data.select(complete)


def _drawn(
    imputer: Imputer,
    batch: Batch,
    regressions: Regressions | None,
    draws: int,
) -> dict[str, Tensor]:
    """Measurements of subjects who lack the same nodes, (draw, subject, ...) per modality."""
    model, encoding = imputer.model, imputer.guide.encode(batch)
    chances = torch.tensor(list(imputer.weights.values()))
    chains = torch.tensor(list(imputer.weights))[chances.multinomial(draws, replacement=True)]
    measured: dict[str, list[Tensor]] = {name: [] for name in batch}
    nodes, noises = (None, {}) if regressions is None else (regressions.nodes, regressions.noises)
    for z, chain in zip(_latents(imputer, encoding, nodes, draws), chains, strict=True):
        y = model.unmixing.mix(z)
        for name in model.encoded_names:
            encoded = _normal(*encoding.eta[name])
            eta = noises[name].draw(z) if name in noises else encoded.sample()
            law = model.decoders[name](y[..., model.shown[name]], eta, batch[name])
            measured[name].append(law.sample()[chain].cpu())
        for name in model.variable_names:
            measured[name].append(z[chain][..., model.positions[name]].cpu())
    return {name: torch.stack(own) for name, own in measured.items()}


def _latents(
    imputer: Imputer, encoding: Encoding, regression: NodeRegression | None, draws: int
) -> Iterator[Tensor]:
    """Draws of all nodes, (chain, subject, node) each."""
    matrix = imputer.model.unmixing.matrix()
    for number, graph in enumerate(imputer.graphs):
        share = len(range(number, draws, len(imputer.graphs)))
        if regression is None:
            for _ in range(share):
                yield _there(encoding, matrix)
            continue
        causal = causal_model(imputer.model, graph)
        yield from resampled(causal, _there(encoding, matrix), regression, share)


def _there(encoding: Encoding, matrix: Tensor) -> Tensor:
    """The nodes drawn from what the encoders say."""
    drawn = _normal(encoding.loc, encoding.scale).sample()
    return torch.matmul(torch.where(encoding.known, encoding.loc, drawn), matrix)


class Density(Protocol):
    """What has a log density of nodes."""

    def log_prob(self, z: Tensor, /) -> Tensor:
        """(chain, row, node) -> (chain, row)."""


def resampled(
    causal: Density, z: Tensor, regression: NodeRegression, draws: int
) -> Iterator[Tensor]:
    """Draws given the nodes that are there, from particles weighted by the causal model.

    Args:
        causal: p(z | A, w).
        z: (chain, subject, node); what it says of nodes that are lacking is not looked at.
        regression: of these nodes on the others.
        draws: how many.

    Returns:
        (chain, subject, node) each.
    """
    particles, density = regression.draw(z.repeat_interleave(_PARTICLES, 1))
    weight = (causal.log_prob(particles) - density).nan_to_num(nan=-1e30, neginf=-1e30)
    chosen = systematic(weight.unflatten(1, (-1, _PARTICLES)).softmax(-1), draws)
    particles = particles.unflatten(1, (-1, _PARTICLES))
    for index in chosen.unbind(-1):
        where = index[..., None, None].expand(*index.shape, 1, particles.shape[-1])
        yield particles.gather(2, where).squeeze(2)


def systematic(chances: Tensor, draws: int) -> Tensor:
    """Draw particles as often as their chances say, but for less than one draw.

    Means over draws are less a matter of luck than with draws that know nothing of each other.

    Args:
        chances: (..., particle), adding up to 1.
        draws: how many.

    Returns:
        (..., draw), particles, in an order that tells nothing.

    Source: Kitagawa (1996), Monte Carlo filter and smoother, appendix.
    """
    start = torch.rand(*chances.shape[:-1], 1, device=chances.device)
    steps = (start + torch.arange(draws, device=chances.device)) / draws
    found = torch.searchsorted(chances.cumsum(-1), steps).clamp_max(chances.shape[-1] - 1)
    return found[..., torch.randperm(draws, device=chances.device)]


def _normal(loc: Tensor, scale: Tensor) -> torch.distributions.Normal:
    return torch.distributions.Normal(loc, scale, validate_args=False)


def _collected(
    data: MultimodalData,
    rows: npt.NDArray[np.intp],
    drawn: Mapping[str, list[Tensor]],
    order: npt.NDArray[np.intp],
) -> Imputed:
    """The draws of each modality, of the subjects in whom something of it is missing."""
    import xarray as xr

    draws, missing = {}, {}
    for name, parts in drawn.items():
        modality = data[name].take(torch.from_numpy(rows))
        cells = modality.cells()
        observed = cells.observed.expand_as(cells.values).cpu()
        lacks = ~observed.flatten(1).all(1)
        if not bool(lacks.any()):
            continue
        values = torch.cat(parts, 1)[:, torch.from_numpy(order)]
        values = torch.where(observed, cells.values.cpu(), values)[:, lacks]
        axes = modality.coordinates()
        draws[name] = xr.DataArray(
            modality.unstandardise(values),
            dims=["draw", "subject", *axes],
            coords={"subject": data.subjects[rows][lacks.numpy()].to_numpy(), **axes},
            name=name,
        )
        missing[name] = ~observed[lacks].numpy()
    return Imputed(data, draws, missing)
