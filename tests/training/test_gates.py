"""The gates' gradient is that of the ELBO: checked where the sum over graphs can be written out."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch

import pyrocrl as crl
from pyrocrl.edge_guide import OpenEdges, SpikeAndSlabGuide
from pyrocrl.structure import EdgePriorMixture, KnownOrderPosterior
from pyrocrl.training.gates import _leave_one_out, fit_gates
from pyrocrl.training.history import History
from pyrocrl.training.progress import Silence

N = 40


@pytest.mark.parametrize("logit", [-1.0, 0.5])
def test_gradient_of_the_gate_is_unbiased(logit: float) -> None:
    rng = np.random.default_rng(3)
    cause = rng.normal(size=N)
    effect = 0.25 * cause + rng.normal(size=N)
    data = crl.MultimodalData(
        {
            "a": crl.Variables(pd.DataFrame({"x": cause})),
            "b": crl.Variables(pd.DataFrame({"y": effect})),
        }
    )
    model = crl.MultimodalSCM(data, mechanism="linear", edge_prior=crl.SpikeAndSlab(0.2, slab=2.0))
    guide = crl.AmortizedGuide(model, data)
    assert isinstance(guide.edges, OpenEdges)
    edges = SpikeAndSlabGuide(model, guide.edges)
    precision = math.exp(6) * torch.eye(2).expand_as(edges.unit)
    edges.begin_at(
        torch.full_like(edges.centre, 0.3), precision, torch.full_like(edges.logit, logit)
    )
    z = torch.stack([data.table("a").values[:, 0], data.table("b").values[:, 0]], -1).unsqueeze(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        gradients = []
        for _ in range(400):
            loss, _ = _leave_one_out(model, edges, z, N)
            (gradient,) = torch.autograd.grad(loss, edges.logit)
            gradients.append(-gradient[0, 0] * N)
    sampled = torch.stack(gradients)
    others = ~torch.tensor([[False, False], [True, False]])
    assert (sampled[:, others] == 0).all()

    # ELBO(q) = q f(1) + (1 - q) f(0) - KL(gate) - q KL(slab); f(0) has no weight in it.
    x, y = z[0, :, 0].double(), z[0, :, 1].double()
    s = math.exp(-3.0)
    gain = 0.5 * float((y**2).sum() - ((y - 0.3 * x) ** 2).sum() - s**2 * (x**2).sum())
    slab = math.log(2.0 / s) + (s**2 + 0.3**2) / (2 * 2.0**2) - 0.5
    q = 1 / (1 + math.exp(-logit))
    exact = q * (1 - q) * (gain - slab - logit + math.log(0.2 / 0.8))
    found = sampled[:, 1, 0]
    error = float(found.std()) / math.sqrt(len(found))
    assert error < 0.15 * abs(exact)
    assert abs(float(found.mean()) - exact) < 4 * error


def test_columns_that_are_nearly_copies_do_not_stop_the_gates() -> None:
    rng = np.random.default_rng(5)
    one = rng.normal(size=3000)
    copy = one + 1e-5 * rng.normal(size=3000)
    data = crl.MultimodalData(
        {
            name: crl.Variables(pd.DataFrame({"x": values}))
            for name, values in {"a": one, "b": copy, "c": one + rng.normal(size=3000)}.items()
        }
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = crl.MultimodalSCM(data, mechanism="linear")
        guide = crl.AmortizedGuide(model, data)
        fit_gates(model, guide, (data,), History([], []), Silence(), max_epochs=3)
    gates = guide.gate_probabilities()
    assert gates is not None
    assert bool(torch.isfinite(gates).all())
    assert all(bool(torch.isfinite(p).all()) for p in guide.edges.parameters())


@pytest.mark.parametrize(("subjects", "largest"), [(200, 0.25), (5000, 0.05)])
def test_gates_are_near_the_exact_sum_where_parents_are_correlated(
    subjects: int, largest: float
) -> None:
    rng = np.random.default_rng(7)
    cause = rng.normal(size=subjects)
    near = 0.8 * cause + 0.6 * rng.normal(size=subjects)
    weak = 2.5 / np.sqrt(subjects)
    effect = 0.5 * near + weak * cause + rng.normal(size=subjects)
    z = np.column_stack([cause, near, effect])
    z = (z - z.mean(0)) / z.std(0)
    data = crl.MultimodalData(
        {name: crl.Variables(pd.DataFrame({"x": z[:, k]})) for k, name in enumerate("abc")}
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        prior = crl.SpikeAndSlab(0.1)
        model = crl.MultimodalSCM(data, mechanism="linear", edge_prior=prior)
        guide = crl.AmortizedGuide(model, data)
        assert isinstance(guide.edges, OpenEdges)
        with torch.no_grad():
            residuals = np.ones(3)
            for child in (1, 2):
                fitted = np.linalg.lstsq(z[:, :child], z[:, child], rcond=None)[0]
                residuals[child] = (z[:, child] - z[:, :child] @ fitted).std()
            model.mechanism.log_scale[:] = torch.from_numpy(np.log(residuals))
        fit_gates(model, guide, (data,), History([], []), Silence())
    gates = guide.gate_probabilities()
    assert gates is not None
    forward = np.tril(np.ones((3, 3), dtype=bool), -1)
    exact = KnownOrderPosterior.fit(
        z, forward, EdgePriorMixture.fixed(np.full((3, 3), 0.1)), rope=0.0, nonlinear=False
    )
    error = np.abs(gates[0, 0].numpy() - exact.inclusion)[forward]
    assert error.max() < largest
