"""MultimodalSCM: the generative process of equations (1) and (2) as a Pyro model."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pyro
import pyro.distributions as dist
import torch
from torch import Tensor, nn

from pyrocrl.data import Batch, Cells, Modality, MultimodalData
from pyrocrl.errors import ModelError
from pyrocrl.modality import NetworkChoice, Unmixing, check_networks, decoder_for
from pyrocrl.scm import (
    SCM,
    BackgroundKnowledge,
    CyclicSCM,
    EdgePrior,
    GraphSpace,
    Mechanism,
    Nodes,
    SpikeAndSlab,
    mechanism_named,
)
from pyrocrl.scm.priors import slab_of
from pyrocrl.scm.programs import check_in_plate

__all__ = ["MultimodalSCM", "sizes_per_modality"]


class MultimodalSCM(nn.Module):
    """Latent causes behind several modalities, one model per chain.

        A ~ edge prior,  w ~ slab                 which edges there are, and how strong
        z_i = f_i(Pa(z_i), eps_i)                 latent causal relations, equation (1)
        x^(m) = g_m(z^(m), eta^(m)) + noise       generating functions, equation (2)

    Restarts are chains: every network has one set of weights per chain, and the model runs in
    `pyro.plate("chain", dim=-2)` over `pyro.plate("subject", dim=-1)`.

    Args:
        data: the measurements; only their shapes and names are used.
        latents: latents of each modality, one number or one per modality; 0 where it shows nothing
            but variables (`Variables(seen_by=...)`).
        noise: dimensions of each modality's own noise eta, likewise.
        edge_prior: `SpikeAndSlab`, `LaplaceEdges` or any callable with `pyro.sample` statements.
        mechanism: "linear", "additive", "flow" or a `Mechanism` class.
        knowledge: background knowledge about edges.
        order: "modality" (given by the order of the modalities), "learned" or "cyclic".
        chains: number of chains.
        hidden: units of each hidden layer of the decoders.
        floor: smallest standard deviation of a measurement given latents and noise, in standard
            deviations of its column.
        networks: encoder and decoder of modalities: "small" or "residual" for images,
            "convolutional" or "recurrent" for series, or your own `Networks`; the first, where a
            modality is left out.

    Raises:
        ModelError: if a number of latents or noises, or a network, does not fit the modality.
        KnowledgeError: if the background knowledge contradicts itself or the data.

    Source: Sun et al. (2025), equations (1) and (2).

    Example:
        >>> from pyrocrl.simulate import numerical_case
        >>> data, _ = numerical_case(1, n_subjects=50)
        >>> model = MultimodalSCM(data, latents=2, chains=3)
        >>> model(data.batch()).shape
        torch.Size([3, 50, 4])
    """

    zero: Tensor
    open_edges: Tensor

    def __init__(
        self,
        data: MultimodalData,
        latents: int | Mapping[str, int] = 2,
        noise: int | Mapping[str, int] = 1,
        edge_prior: EdgePrior | None = None,
        mechanism: str | type[Mechanism] = "additive",
        knowledge: BackgroundKnowledge | None = None,
        order: str = "modality",
        chains: int = 1,
        hidden: int = 64,
        floor: float = 0.3,
        networks: Mapping[str, NetworkChoice] | None = None,
    ) -> None:
        super().__init__()
        encoded = [modality for modality in data if not modality.is_variables]
        self.networks = check_networks(networks, encoded)
        seeing = {name for modality in data for name in modality.seen_by}
        latents = sizes_per_modality(latents, encoded, "latents", at_least=0 if seeing else 1)
        _check_show_something(latents, seeing)
        noise = sizes_per_modality(noise, encoded, "noise", at_least=0)
        self.nodes = Nodes.of_data(data, latents)
        if len(self.nodes) < 2:
            raise ModelError(f"a causal graph needs two nodes; there is only {self.nodes.names[0]}")
        self.knowledge = knowledge
        self.space = (knowledge or BackgroundKnowledge()).graph_space(self.nodes, order)
        self.edge_prior = SpikeAndSlab() if edge_prior is None else edge_prior
        check_in_plate(self.edge_prior, self.space, taken=_site_names(data))
        self.chains, self.n_subjects = chains, data.n_subjects
        self.encoded_names = tuple(modality.name for modality in encoded)
        self.variable_names = tuple(m.name for m in data if m.is_variables)
        self.noise = noise
        self.register_buffer("open_edges", _open_edges(self.space, chains))

        size = len(self.nodes)
        inner = torch.from_numpy(self.nodes.inner.astype(np.float32))
        self.register_buffer("zero", torch.zeros(()), persistent=False)
        self.mechanism = mechanism_named(mechanism, chains, size)
        self.scm = _scm_for(order, self.mechanism)
        self.unmixing = Unmixing(chains, inner)
        self.shown = {name: _shown(data, self.nodes, name) for name in self.encoded_names}
        inputs = {
            name: sum(modality.width for modality in data if name in modality.seen_by)
            + latents[name]
            + noise[name]
            for name in self.encoded_names
        }
        self.decoders = nn.ModuleDict(
            {
                own.name: decoder_for(
                    own, chains, inputs[own.name], hidden, floor, self.networks.get(own.name)
                )
                for own in encoded
            }
        )
        self.positions = {name: self.nodes.slice_of(name) for name in data.names}

    def forward(self, batch: Batch) -> Tensor:
        """Run the generative process for a batch of subjects.

        Args:
            batch: measurements of some subjects, `MultimodalData.batch`.

        Returns:
            z, (chain, subject, node).
        """
        z: Tensor
        with self.chain_plate():
            adjacency, weight = self.graph()
            with self.subject_plate(batch):
                z = pyro.sample("z", self.latent_causal_model(adjacency, weight))  # (1)
                y = self.unmixing.mix(z)
                for name in self.encoded_names:
                    eta = pyro.sample(f"{name}.eta", self.exogenous(name))
                    x = self.decoders[name](y[..., self.shown[name]], eta, batch[name])  # (2)
                    _observe(name, x, batch[name])
                for name in self.variable_names:
                    _observe(name, dist.Delta(z[..., self.positions[name]]), batch[name])
        return z

    def graph(self) -> tuple[Tensor, Tensor]:
        """Draw the graph: edge gates A ~ edge prior and linear weights w ~ slab.

        Returns:
            Both (chain, 1, child, parent).
        """
        # The edge prior makes its tensors where the model lives.
        with self.zero.device:
            adjacency = self.space.admit(self.edge_prior(self.space))
        slab = slab_of(self.edge_prior, self.zero.device)
        slab = slab.expand([len(self.nodes)] * 2).to_event(2)
        weight = pyro.sample("weight", slab)
        return adjacency.to(weight), weight

    def latent_causal_model(self, adjacency: Tensor, weight: Tensor) -> SCM:
        """p(z | A, w), equation (1).

        Where the order is learned, a chain has no edges against the order that it has found.
        """
        return self.scm(self.mechanism, adjacency * self.open_edges, weight)

    def exogenous(self, name: str) -> dist.TorchDistribution:
        """p(eta^(m)), the modality's own noise: standard normal."""
        return dist.Normal(self.zero, 1.0).expand([self.noise[name]]).to_event(1)

    def edges_at_hand(self) -> Tensor:
        """(chain, 1, child, parent), 1 where an edge may be in the order that a chain has found."""
        return self.open_edges

    def chain_plate(self) -> pyro.plate:
        """The plate of chains."""
        return pyro.plate("chain", self.chains, dim=-2)

    def subject_plate(self, batch: Batch) -> pyro.plate:
        """The plate of subjects; a batch stands for all of them."""
        rows = torch.arange(batch.size, device=self.zero.device)
        size = max(self.n_subjects, batch.size)
        return pyro.plate("subject", size, subsample=rows, dim=-1)


def _check_show_something(latents: Mapping[str, int], seeing: Collection[str]) -> None:
    for name, count in latents.items():
        if not count and name not in seeing:
            raise ModelError(
                f"latents of modality {name!r} must be at least 1, not 0, as it shows no "
                "variables either"
            )


def _shown(data: MultimodalData, nodes: Nodes, name: str) -> slice | list[int]:
    """Where the nodes stand that a modality shows: its latents, and variables that it shows too."""
    own = nodes.slice_of(name)
    others = [nodes.slice_of(modality.name) for modality in data if name in modality.seen_by]
    if not others:
        return own
    return [place for part in (own, *others) for place in range(part.start, part.stop)]


def _open_edges(space: GraphSpace, chains: int) -> Tensor:
    """(chain, 1, child, parent), 1 where an edge may be as long as no other order is found."""
    start = space.along(space.order) if space.rule == "learned" else space.allowed
    return torch.from_numpy(start).float().expand(chains, 1, *start.shape).clone()


def _scm_for(order: str, mechanism: Mechanism) -> type[SCM]:
    if order != "cyclic":
        return SCM
    if not mechanism.additive_noise:
        raise ModelError(
            f"order 'cyclic' needs additive noise: mechanism 'linear' or 'additive', not "
            f"{type(mechanism).__name__}"
        )
    return CyclicSCM


def _site_names(data: MultimodalData) -> set[str]:
    """Names of the sites that are not the edge prior's."""
    own = {"z", "weight", "chain", "subject"}
    for name in data.names:
        # Networks are attributes of a torch module, so what torch calls something is taken too.
        if name in own or hasattr(nn.ModuleDict(), name):
            raise ModelError(
                f"modality {name!r}: the model needs this name for itself; choose another"
            )
        own |= {name, f"{name}.eta"}
    return own


def _observe(name: str, distribution: dist.TorchDistribution, cells: Cells) -> None:
    measured = distribution.mask(cells.observed).to_event(cells.values.ndim - 1)
    pyro.sample(name, measured, obs=cells.values)


def sizes_per_modality(
    sizes: int | Mapping[str, int], encoded: Sequence[Modality], argument: str, *, at_least: int
) -> dict[str, int]:
    """One size for every modality with latents, checked against how much is measured.

    Args:
        sizes: one number for all, or one per modality.
        encoded: the modalities with latents.
        argument: name of the argument, for errors.
        at_least: smallest size.

    Raises:
        ModelError: if a modality has no size, a size is no whole number, too small or more than is
            measured of a subject, or a name is unknown.

    Example:
        >>> from pyrocrl.simulate import numerical_case
        >>> data, _ = numerical_case(1, n_subjects=50)
        >>> sizes_per_modality(2, [data["m1"], data["m2"]], "latents", at_least=1)
        {'m1': 2, 'm2': 2}
    """
    widths = {modality.name: modality.width for modality in encoded}
    described = {modality.name: modality.described for modality in encoded}
    if isinstance(sizes, Mapping):
        for name in sizes:
            if name not in widths:
                raise ModelError(
                    f"{argument}: there is no modality {name!r} with latents; those with are: "
                    f"{', '.join(widths)}"
                )
        for name in widths:
            if name not in sizes:
                raise ModelError(f"{argument}: modality {name!r} is missing; give it a number")
        chosen = dict(sizes)
    else:
        chosen = dict.fromkeys(widths, sizes)
    for name, size in chosen.items():
        if isinstance(size, bool) or not isinstance(size, int | np.integer):
            raise ModelError(
                f"{argument} of modality {name!r} must be a whole number, not {size!r}"
            )
        if size < at_least:
            raise ModelError(
                f"{argument} of modality {name!r} must be at least {at_least}, not {size}"
            )
        if size > widths[name]:
            raise ModelError(
                f"{argument} of modality {name!r} is {size}, but it has only "
                f"{described[name]}; ask for fewer"
            )
    return {name: int(chosen[name]) for name in widths}
