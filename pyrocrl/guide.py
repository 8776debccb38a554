"""AmortizedGuide: encoders give q(z, eta | x), an edge guide gives q(A, w)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyro
import pyro.distributions as dist
import torch
from torch import Tensor, nn

from pyrocrl.data import Batch, MultimodalData
from pyrocrl.edge_guide import OpenEdges, SpikeAndSlabGuide
from pyrocrl.modality import ChainMLP, UnmixedNormal, bounded_deviation, encoder_for
from pyrocrl.model import MultimodalSCM

__all__ = ["AmortizedGuide", "Encoding"]

# Of one modality, encoded at a time.
_MOST_NUMBERS = 2**24


@dataclass(frozen=True)
class Encoding:
    """What the encoders say about a batch.

    Attributes:
        loc: (chain, subject, node), means in the encoders' coordinates y; measured variables as
            they are.
        scale: the same, standard deviations.
        known: (subject, node), True where a node is measured itself.
        eta: mean and standard deviation of each modality's noise, (chain, subject, noise).
        absent: (subject, node), True for latents of modalities that a subject lacks, which are
            completed from the others; None where nobody can lack one.
    """

    loc: Tensor
    scale: Tensor
    known: Tensor
    eta: dict[str, tuple[Tensor, Tensor]]
    absent: Tensor | None = None


class AmortizedGuide(nn.Module):
    """q(z, eta | x) by one encoder per modality, and q(A, w) by an edge guide.

    A modality's latents are encoded from that modality alone. Measured variables are known. Where
    a variable's cell is missing, or a subject lacks a whole modality, a small network completes
    the node from everything else; noises of a modality that is not there are as the model has them.
    The ELBO trains this network, and subjects who lack nothing teach it beside that, as otherwise
    it would begin to learn only when the latents are found, and disturb them.

    Args:
        model: the model it guides.
        data: the measurements; only their shapes and what is missing are used.
        hidden: units of each hidden layer of the encoders.

    Example:
        >>> from pyrocrl.simulate import numerical_case
        >>> data, _ = numerical_case(1, n_subjects=50)
        >>> model = MultimodalSCM(data, latents=2, chains=3)
        >>> AmortizedGuide(model, data)(data.batch()).loc.shape
        torch.Size([3, 50, 4])
    """

    def __init__(self, model: MultimodalSCM, data: MultimodalData, hidden: int = 64) -> None:
        super().__init__()
        self.chains, self.size = model.chains, len(model.nodes)
        self.positions, self.variable_names = model.positions, model.variable_names
        self.unmixing = model.unmixing
        self.chain_plate, self.subject_plate = model.chain_plate, model.subject_plate
        self.latents = {name: len(model.nodes.of(name)) for name in model.encoded_names}
        self.encoders = nn.ModuleDict(
            {
                name: encoder_for(
                    data[name],
                    model.chains,
                    latents + model.noise[name],
                    hidden,
                    model.networks.get(name),
                )
                for name, latents in self.latents.items()
            }
        )
        missing = any(data[name].has_missing for name in model.variable_names)
        self.lacked = [name for name in self.latents if not bool(data[name].present.all())]
        self.may_lack = bool(self.lacked)
        self.completion = (
            ChainMLP(model.chains, [2 * self.size, 32, 2 * self.size])
            if missing or self.may_lack
            else None
        )
        self.edges: OpenEdges | SpikeAndSlabGuide = OpenEdges(model)

    def forward(self, batch: Batch) -> Encoding:
        """Draw the graph, and latents and noises of a batch of subjects.

        Returns:
            What the encoders say about the batch.
        """
        encoding = self.encode(batch)
        self.draw(batch, encoding)
        return encoding

    def draw(self, batch: Batch, encoding: Encoding) -> None:
        """Draw the graph, and latents and noises of a batch as an encoding has them."""
        with self.chain_plate():
            self.edges()
            with self.subject_plate(batch):
                pyro.sample("z", self.latent_posterior(encoding))
                for name, (loc, scale) in encoding.eta.items():
                    pyro.sample(f"{name}.eta", dist.Normal(loc, scale).to_event(1))

    def latent_posterior(self, encoding: Encoding) -> UnmixedNormal:
        """q(z | x) of a batch."""
        return UnmixedNormal(encoding.loc, encoding.scale, self.unmixing.matrix(), encoding.known)

    def encode(self, batch: Batch) -> Encoding:
        """Means and standard deviations of latents and noises of a batch."""
        locs, scales, known, eta = [], [], [], {}
        for name in self.positions:
            if name in self.latents:
                latents = self.latents[name]
                mean, deviation = self.encoders[name](batch[name])
                locs.append(mean[..., :latents])
                scales.append(deviation[..., :latents])
                eta[name] = mean[..., latents:], deviation[..., latents:]
                known.append(torch.zeros_like(mean[0, :, :latents], dtype=torch.bool))
            else:
                measured = batch[name].values.expand(self.chains, -1, -1)
                locs.append(measured)
                scales.append(torch.ones_like(measured))
                known.append(batch[name].observed)
        loc, scale = torch.cat(locs, -1), torch.cat(scales, -1)
        is_known = torch.cat(known, -1)
        absent = self._absent(batch) if self.may_lack else None
        if self.completion is not None:
            loc, scale = self._complete(loc, scale, is_known, absent)
        if absent is not None:
            eta = {
                name: _as_modelled(own, ~batch[name].present.unsqueeze(-1))
                for name, own in eta.items()
            }
        return Encoding(loc, scale, is_known, eta, absent)

    def completion_loss(self, encoding: Encoding) -> Tensor:
        """How badly latents of modalities that some lack are foretold in those who lack nothing.

        The modalities are hidden one after the other; nothing but the completion learns from it.

        Args:
            encoding: of a batch, some of whom may lack modalities.

        Returns:
            (chain,), minus log densities, nats per subject.
        """
        assert encoding.absent is not None
        there = encoding.loc.detach()[:, ~encoding.absent.any(1)]
        loss = there.new_zeros(self.chains)
        for name in self.lacked if there.shape[1] else ():
            own = self.positions[name]
            hidden = torch.zeros(there.shape[1:], dtype=torch.bool, device=there.device)
            hidden[:, own] = True
            mean, deviation = self._foretold(there.masked_fill(hidden, 0.0), hidden)
            normal = torch.distributions.Normal(
                mean[..., own], deviation[..., own], validate_args=False
            )
            loss = loss - normal.log_prob(there[..., own]).sum(-1).mean(1)
        return loss

    def encode_in_parts(self, data: MultimodalData, size: int = 8192) -> Iterator[Encoding]:
        """`encode` for any number of subjects, some at a time, on the guide's device.

        Args:
            data: the subjects, in order.
            size: subjects at a time; fewer where they are large, such as images.
        """
        size = max(1, min(size, _MOST_NUMBERS // max(modality.width for modality in data)))
        for start in range(0, data.n_subjects, size):
            yield self.encode(data.batch(slice(start, start + size)).to(self.device))

    @property
    def device(self) -> torch.device:
        """Where the guide is."""
        return self.unmixing.identity.device

    def gate_probabilities(self) -> Tensor | None:
        """Inclusion probabilities of the variational gates, (chain, 1, child, parent).

        None while the edges are still open.
        """
        if isinstance(self.edges, OpenEdges):
            return None
        return self.edges.probabilities().detach()

    def _absent(self, batch: Batch) -> Tensor:
        """Latents of modalities that a subject lacks, (subject, node)."""
        absent = torch.zeros(batch.size, self.size, dtype=torch.bool, device=self.device)
        for name in self.latents:
            absent[:, self.positions[name]] = ~batch[name].present.unsqueeze(-1)
        return absent

    def _complete(
        self, loc: Tensor, scale: Tensor, known: Tensor, absent: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        variables = torch.zeros(self.size, dtype=torch.bool, device=loc.device)
        for name in self.variable_names:
            variables[self.positions[name]] = True
        missing, there = variables & ~known, loc.detach()
        if absent is not None:
            # What an encoder says of nothing is no news.
            missing, there = missing | absent, there.masked_fill(absent, 0.0)
        mean, deviation = self._foretold(there, missing)
        return torch.where(missing, mean, loc), torch.where(missing, deviation, scale)

    def _foretold(self, there: Tensor, missing: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of all nodes, told those that are not missing."""
        assert self.completion is not None
        told = torch.cat([there, missing.to(there.dtype).expand_as(there)], -1)
        mean, log_deviation = self.completion(told).chunk(2, -1)
        return mean, bounded_deviation(log_deviation)


def _as_modelled(eta: tuple[Tensor, Tensor], gone: Tensor) -> tuple[Tensor, Tensor]:
    """A modality's noise, standard normal for subjects (subject, 1) of whom nothing is known."""
    mean, deviation = eta
    return mean.masked_fill(gone, 0.0), deviation.masked_fill(gone, 1.0)
