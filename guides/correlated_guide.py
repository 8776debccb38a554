"""A guide richer than mean-field: latents that depend on one another given the measurements.

System
    Given all measurements of a subject, its latents are not independent: where a cause and its
    effect are both known with error, what is learned of one tells something of the other. This
    guide for `crl.MultimodalSCM` has a normal q(z | x) with a full covariance matrix.

Equations
    (mu, s)^(m) = encoder_m(x^(m), which cells are missing)     as in the amortized guide
    y = mu + diag(s) (I + T) e,   e ~ Normal(0, I)              T is strictly lower triangular
    z = y R                                                     all latents correlated
    eta^(m) ~ Normal(mu_eta, s_eta),   A, w ~ q(A, w)           as in the amortized guide
    T is learned, one for each restart; without it this is the amortized guide.

Assumptions
    - The correlations of y given x are the same for all subjects; their deviations are not.
    - Every node is a latent: measured variables are known exactly and have no covariance.

What to change
    - `T`: let a network give it, and the correlations may differ between subjects.
    - `latent_posterior`: any distribution with `rsample` and `log_prob`, such as a flow.

Run
    python guides/correlated_guide.py [--quick]
"""

from __future__ import annotations

import argparse

import pyro.distributions as dist
import torch
from torch import nn

import pyrocrl as crl


class CorrelatedGuide(crl.AmortizedGuide):
    """q(z | x) with a covariance matrix of its own."""

    def __init__(self, model: crl.MultimodalSCM, data: crl.MultimodalData) -> None:
        super().__init__(model, data)
        if self.variable_names:
            raise ValueError(f"measured variables have no covariance: {self.variable_names}")
        # Leads with the chain dimension, as every parameter must.
        self.below_diagonal = nn.Parameter(torch.zeros(model.chains, self.size, self.size))

    def latent_posterior(self, encoding: crl.guide.Encoding) -> dist.MultivariateNormal:
        """q(z | x) of a batch: a normal with batch shape (chain, subject)."""
        eye = torch.eye(self.size, device=encoding.loc.device)
        correlated = (eye + self.below_diagonal.tril(-1)).unsqueeze(1)
        unmixing = self.unmixing.matrix().unsqueeze(1)
        # Rows: what each independent e does to z, (chain, subject, e, z).
        factor = (correlated.mT * encoding.scale.unsqueeze(-2)) @ unmixing
        covariance = factor.mT @ factor
        # Unchecked: a restart that diverged must not stop the others.
        cholesky = torch.linalg.cholesky_ex(covariance).L
        mean = (encoding.loc.unsqueeze(-2) @ unmixing).squeeze(-2)
        return dist.MultivariateNormal(mean, scale_tril=cholesky, validate_args=False)


def main() -> None:
    """Fit a simulated case with both guides, and print what each finds."""
    parser = argparse.ArgumentParser(description="A guide with correlated latents.")
    parser.add_argument("--quick", action="store_true", help="a few passes only, to try it out")
    quick = parser.parse_args().quick
    data, truth = crl.simulate.numerical_case(1, seed=202, n_subjects=300 if quick else 3000)
    for guide in (crl.AmortizedGuide, CorrelatedGuide):
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
