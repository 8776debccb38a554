"""A training step makes every tensor where the model lives.

The meta device holds no values, but refuses to mix with the CPU just as a GPU does.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyro
import pyro.distributions as dist
import pytest
import torch
from torch import Tensor, nn

import pyrocrl as crl
from pyrocrl.data import Series
from pyrocrl.training import Objective, StepWeights, keep_latents
from pyrocrl.training.contrast import causal_contrast


def hierarchical(space: crl.GraphSpace) -> Tensor:
    """An edge prior with a continuous site."""
    logit = pyro.sample("logit", dist.Normal(-2.0, 1.0))
    edges: Tensor = pyro.sample("adjacency", space.edges(torch.sigmoid(logit)))
    return edges


def move_to_meta(module: nn.Module) -> None:
    """Put a module's parameters and buffers on the meta device, shared ones once."""
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None and parameter.device.type != "meta":
                part._parameters[name] = nn.Parameter(parameter.detach().to("meta"))
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = buffer.to("meta")


# Beta rates cannot be drawn on the meta device.
PRIORS: dict[str, crl.EdgePrior] = {
    "fixed": crl.SpikeAndSlab(),
    "shared rate": crl.SpikeAndSlab(dist.Uniform(0.0, 0.5)),
    "blocks": crl.BlockEdges(),
    "expert": crl.ExpertEdges(pd.DataFrame({"m1": {"m2": 0.3}})),
    "laplace": crl.LaplaceEdges(),
    "horseshoe": crl.Horseshoe(),
    "program": hierarchical,
}


@pytest.mark.parametrize("mechanism", ["linear", "additive"])
@pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS.keys())
def test_a_step_stays_on_the_models_device(mechanism: str, prior: crl.EdgePrior) -> None:
    data, _ = crl.simulate.numerical_case(1, n_subjects=60)
    model = crl.MultimodalSCM(data, latents=2, chains=2, mechanism=mechanism, edge_prior=prior)
    guide = crl.AmortizedGuide(model, data)
    contrast = causal_contrast(model, torch.ones(4, 4))
    for module in (model, guide, contrast):
        move_to_meta(module)
    batch = data.batch().to("meta")
    objective = Objective(contrast, torch.ones(4, 4, device="meta"))
    objective.weights = StepWeights(kl=1.0, contrast=1.0, turn=1.0, sparsity=1.0)
    with pyro.validation_enabled(False):
        loss = objective(model, guide)(batch)
    loss.backward()
    assert loss.device.type == "meta"
    gradients = [parameter.grad for parameter in guide.encoders.parameters()]
    assert all(gradient is not None and gradient.device.type == "meta" for gradient in gradients)


def test_what_draws_series_is_made_on_the_models_device() -> None:
    rng = np.random.default_rng(0)
    days = Series(rng.normal(size=(40, 12, 1)), channels="pulse")
    data = crl.MultimodalData({"days": days, "table": pd.DataFrame(rng.normal(size=(40, 3)))})
    model = crl.MultimodalSCM(data, latents=1, chains=2)
    guide = crl.AmortizedGuide(model, data)
    for module in (model, guide):
        move_to_meta(module)
    assert list(keep_latents(model, guide, data)) == ["days"]
    assert {parameter.device.type for parameter in guide.parameters()} == {"meta"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_fit_runs_on_cuda() -> None:
    data, _ = crl.simulate.numerical_case(1, n_subjects=300)
    posterior = crl.fit(data, restarts=2, max_epochs=3, progress=False, device="cuda")
    assert posterior.latents().shape == (300, 4)
