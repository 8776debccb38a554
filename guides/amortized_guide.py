"""The amortized guide written out, with encoders of one's own.

System
    A guide is the family of distributions in which the posterior of a model is looked for. This
    one is for `crl.MultimodalSCM`: what it says about a subject is computed from the subject's
    measurements by networks (amortized), so that new subjects need no new fit.

Equations
    (mu, s)^(m) = encoder_m(x^(m), which cells are missing)     one encoder for each modality
    y^(m) ~ Normal(mu, s),   z = y R                            latents; R turns each modality's own
    eta^(m) ~ Normal(mu_eta, s_eta)                             its own noise
    A, w ~ q(A, w)                                              gates and slabs, `self.edges`
    Here an encoder is  W x + network(x)  : a line, and a network for what is not a line.

Assumptions
    - A modality's latents are read from that modality alone, as equation (2) says.
    - Given x, coordinates y are independent; R makes the latents depend on one another.
    - Measured variables are known where they are measured.

What to change
    - `Encoder`: any module (subject, input) -> (subject, output). It is written for one chain;
      `EveryChain` holds one copy per restart and runs them together.
    - `forward`: the distributions. A site of every latent variable of the model must be there.

Where the size alone should differ, guide=partial(crl.AmortizedGuide, hidden=128) is enough.

Run
    python guides/amortized_guide.py [--quick]
"""

from __future__ import annotations

import argparse
import copy

import pyro
import pyro.distributions as dist
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

import pyrocrl as crl


class Encoder(nn.Module):
    """A line, and a network for what is not a line: measurements -> means and log deviations."""

    def __init__(self, inputs: int, outputs: int, hidden: int = 96) -> None:
        super().__init__()
        self.line = nn.Linear(inputs, outputs)
        self.curve = nn.Sequential(
            nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, outputs, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(subject, input) -> (subject, output)."""
        output: Tensor = self.line(x) + self.curve(x)
        return output


class EveryChain(nn.Module):
    """One copy of an encoder for every chain, evaluated together.

    Parameters lead with the chain dimension: chains share none, so that each trains as if alone.
    """

    def __init__(self, encoders: list[Encoder]) -> None:
        super().__init__()
        parameters, _ = stack_module_state(list(encoders))
        self.names = list(parameters)
        self.stacked = nn.ParameterList(parameters.values())
        # In a tuple it is no submodule: it lends its structure and has no parameters of its own.
        self.structure = (copy.deepcopy(encoders[0]).to("meta"),)

    def forward(self, cells: crl.Cells) -> tuple[Tensor, Tensor]:
        """Means and deviations of a batch, (chain, subject, output) each."""
        x = torch.cat([cells.values, (~cells.observed).to(cells.values.dtype)], -1)
        weights = dict(zip(self.names, self.stacked, strict=True))
        output = vmap(self._one, in_dims=(0, None))(weights, x)
        mean, log_deviation = output.chunk(2, -1)
        return mean, log_deviation.clamp(-7.0, 2.0).exp()

    def _one(self, weights: dict[str, Tensor], x: Tensor) -> Tensor:
        output: Tensor = functional_call(self.structure[0], weights, (x,))
        return output


class GuideWrittenOut(crl.AmortizedGuide):
    """q(z, eta | x) q(A, w), written out, with encoders of our own."""

    def __init__(self, model: crl.MultimodalSCM, data: crl.MultimodalData) -> None:
        super().__init__(model, data)
        self.encoders = nn.ModuleDict()
        for name, latents in self.latents.items():
            inputs, outputs = 2 * data[name].width, 2 * (latents + model.noise[name])
            copies = [Encoder(inputs, outputs) for _ in range(model.chains)]
            self.encoders[name] = EveryChain(copies)

    def forward(self, batch: crl.Batch) -> crl.guide.Encoding:
        """Draw the graph, and the latents and noises of a batch of subjects."""
        encoding = self.encode(batch)
        with pyro.plate("chain", self.chains, dim=-2):
            self.edges()
            with self.subject_plate(batch):
                pyro.sample("z", self.latent_posterior(encoding))
                for name, (mean, deviation) in encoding.eta.items():
                    pyro.sample(f"{name}.eta", dist.Normal(mean, deviation).to_event(1))
        return encoding


def main() -> None:
    """Fit a simulated case with both guides, and print what each finds."""
    parser = argparse.ArgumentParser(description="The amortized guide with encoders of one's own.")
    parser.add_argument("--quick", action="store_true", help="a few passes only, to try it out")
    quick = parser.parse_args().quick
    data, truth = crl.simulate.numerical_case(1, seed=202, n_subjects=300 if quick else 3000)
    for guide in (crl.AmortizedGuide, GuideWrittenOut):
        posterior = crl.fit(
            data,
            latents=2,
            guide=guide,
            restarts=2 if quick else 4,
            max_epochs=5 if quick else None,
            progress=not quick,
            seed=0,
        )
        mcc = crl.metrics.mcc(truth.latents, posterior.latents(), groups=truth.groups)
        elbo = posterior.restarts.held_out_elbo.max()
        print(f"{guide.__name__}: MCC {mcc:.3f}, held-out ELBO {elbo:.2f} nats per subject")


if __name__ == "__main__":
    main()
