"""The model is equations (1) and (2); with its guide, every mechanism and prior can be trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyro
import pyro.distributions as dist
import pytest
import torch
from pyro import poutine
from torch import Tensor

import pyrocrl as crl
from pyrocrl.data import Batch, Cells
from pyrocrl.edge_guide import SpikeAndSlabGuide
from pyrocrl.errors import ModelError
from pyrocrl.model import sizes_per_modality
from pyrocrl.scm import EdgePrior
from pyrocrl.training import ChainELBO

CHAINS = 2


def hierarchical(space: crl.GraphSpace) -> Tensor:
    rate = pyro.sample("edge.rate", dist.Beta(1.0, 4.0))
    adjacency: Tensor = pyro.sample("adjacency", space.edges(rate))
    return adjacency


MECHANISMS = ("linear", "additive", "flow")
PRIORS: dict[str, EdgePrior] = {
    "spike and slab": crl.SpikeAndSlab(0.3),
    "laplace": crl.LaplaceEdges(0.5),
    "hierarchical": hierarchical,
}


def pair(
    data: crl.MultimodalData, seed: int = 0, **options: Any
) -> tuple[crl.MultimodalSCM, crl.AmortizedGuide]:
    """A model and its guide, away from where parameters start."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        options = {"latents": {"labs": 2, "scan": 1}, "chains": CHAINS, **options}
        model = crl.MultimodalSCM(data, **options)
        guide = crl.AmortizedGuide(model, data)
        with torch.no_grad():
            for parameter in {*model.parameters(), *guide.parameters()}:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model, guide


def with_gates(model: crl.MultimodalSCM, guide: crl.AmortizedGuide) -> crl.AmortizedGuide:
    assert not isinstance(guide.edges, SpikeAndSlabGuide)
    guide.edges = SpikeAndSlabGuide(model, guide.edges)
    return guide


@pytest.mark.parametrize("gates", [False, True], ids=["open edges", "gates"])
@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_elbo_is_finite_and_reaches_every_parameter(
    mixed_data: crl.MultimodalData, mechanism: str, prior: str, gates: bool
) -> None:
    model, guide = pair(mixed_data, mechanism=mechanism, edge_prior=PRIORS[prior])
    if gates:
        guide = with_gates(model, guide)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        losses = [ChainELBO().differentiable_loss(model, guide, mixed_data.batch())]
        losses += [ChainELBO().differentiable_loss(model, guide, mixed_data.batch())]
    loss = torch.stack(losses).sum()
    loss.backward()
    assert torch.isfinite(loss)
    for part in (model, guide):
        for name, parameter in part.named_parameters():
            if name in ("edges.logit", "edges.bond") and prior == "laplace":
                continue  # every edge is there: no gates to learn
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name
            assert (parameter.grad.flatten(1).abs().sum(1) > 0).all(), name


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("size", [50, 1])
def test_elbo_is_that_of_pyro(
    mixed_data: crl.MultimodalData, mechanism: str, prior: str, size: int
) -> None:
    model, guide = pair(mixed_data, mechanism=mechanism, edge_prior=PRIORS[prior])
    batch = mixed_data.batch(slice(0, size))
    elbos: list[Any] = [ChainELBO(), pyro.infer.Trace_ELBO()]
    losses = []
    for elbo in elbos:
        with torch.random.fork_rng():
            torch.manual_seed(3)
            losses.append(elbo.loss(model, guide, batch))
    assert losses[0] == pytest.approx(losses[1] / mixed_data.n_subjects, rel=1e-4)


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_model_runs_forward(mixed_data: crl.MultimodalData, mechanism: str, prior: str) -> None:
    model, _ = pair(mixed_data, mechanism=mechanism, edge_prior=PRIORS[prior])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trace = poutine.trace(model).get_trace(mixed_data.batch(slice(0, 40)))
    z = trace.nodes["_RETURN"]["value"]
    assert z.shape == (CHAINS, 40, len(model.nodes))
    assert torch.isfinite(z).all()
    assert {"z", "weight", "labs", "labs.eta", "person", "scan", "scan.eta"} <= set(trace.nodes)
    assert "person.eta" not in trace.nodes


@pytest.mark.parametrize("prior", PRIORS)
def test_graphs_respect_knowledge_and_have_no_cycle(
    mixed_data: crl.MultimodalData, prior: str
) -> None:
    knowledge = crl.BackgroundKnowledge(
        tiers=["person", "scan", "labs"],
        required=[("scan.z1", "labs.z2")],
        forbidden=[("person.age", "labs")],
    )
    model, _ = pair(mixed_data, edge_prior=PRIORS[prior], knowledge=knowledge, chains=300)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        with model.chain_plate():
            adjacency, weight = model.graph()
    assert weight.shape == (300, 1, 5, 5)
    drawn = adjacency.expand(300, 1, 5, 5).squeeze(1)
    name = model.nodes.names.index
    assert (drawn[:, name("labs.z2"), name("scan.z1")] == 1).all()
    assert (drawn[:, name("labs.z1"), name("person.age")] == 0).all()
    assert drawn[:, name("scan.z1"), name("person.age")].sum() > 0
    # A nilpotent adjacency is one without cycles.
    assert (torch.linalg.matrix_power(drawn, 5) == 0).all()


def test_likelihood_is_that_of_the_observed_cells(mixed_data: crl.MultimodalData) -> None:
    model, guide = pair(mixed_data)
    batch = mixed_data.batch(slice(0, 30))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        terms = ChainELBO().terms(model, guide, batch)
        torch.manual_seed(0)
        trace = poutine.trace(guide).get_trace(batch)
    y = model.unmixing.mix(trace.nodes["z"]["value"])
    expected = torch.zeros(CHAINS, 30)
    for name in ("labs", "scan"):
        cells = model.decoders[name](
            y[..., model.positions[name]], trace.nodes[f"{name}.eta"]["value"], batch[name]
        )
        log_prob = cells.log_prob(batch[name].values) * batch[name].observed
        expected = expected + log_prob.sum(-1)
    assert not batch["labs"].observed.all()
    torch.testing.assert_close(terms.likelihood, expected, atol=1e-3, rtol=1e-4)


def test_hidden_values_under_the_mask_do_not_count(mixed_data: crl.MultimodalData) -> None:
    model, guide = pair(mixed_data)
    batch = mixed_data.batch(slice(0, 60))
    hidden = {
        name: torch.where(batch[name].observed, batch[name].values, torch.tensor(5.0))
        for name in batch
    }
    for name in hidden:
        assert not torch.equal(hidden[name], batch[name].values)
    cells = {name: Cells.of(own, batch[name].observed) for name, own in hidden.items()}
    other = Batch(cells, batch.size)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trace = poutine.trace(guide).get_trace(batch)
    densities = []
    for measured in (batch, other):
        replayed = poutine.trace(poutine.replay(model, trace)).get_trace(measured)
        replayed.compute_log_prob(lambda name, site: name in ("labs", "person", "scan"))
        densities.append({n: replayed.nodes[n]["log_prob"] for n in ("labs", "person", "scan")})
    for name in densities[0]:
        assert torch.equal(densities[0][name], densities[1][name])
        assert torch.isfinite(densities[0][name]).all()


def test_measured_variables_are_their_nodes(mixed_data: crl.MultimodalData) -> None:
    model, guide = pair(mixed_data)
    batch = mixed_data.batch()
    z = poutine.trace(guide).get_trace(batch).nodes["z"]["value"]
    own, seen = z[..., model.positions["person"]], batch["person"].observed
    assert torch.equal(own[:, seen], batch["person"].values[seen].expand(CHAINS, -1))


def test_nodes_are_named_by_modality(mixed_data: crl.MultimodalData) -> None:
    model, _ = pair(mixed_data)
    assert model.nodes.names == ("labs.z1", "labs.z2", "person.age", "person.ill", "scan.z1")
    assert model.nodes.is_latent == (True, True, False, False, True)


def test_a_modality_without_noise(mixed_data: crl.MultimodalData) -> None:
    model, guide = pair(mixed_data, noise={"labs": 0, "scan": 2})
    assert np.isfinite(ChainELBO().loss(model, guide, mixed_data.batch()))


def test_subclasses_change_a_line(mixed_data: crl.MultimodalData) -> None:
    class Wide(crl.MultimodalSCM):
        def exogenous(self, name: str) -> dist.TorchDistribution:
            return dist.Laplace(self.zero, 1.0).expand([self.noise[name]]).to_event(1)

    model = Wide(mixed_data, latents=1, chains=CHAINS)
    guide = crl.AmortizedGuide(model, mixed_data)
    assert np.isfinite(ChainELBO().loss(model, guide, mixed_data.batch()))


@pytest.mark.parametrize("name", ["z", "weight", "values", "type"])
def test_modalities_whose_names_are_taken(name: str) -> None:
    rng = np.random.default_rng(0)
    tables = {name: pd.DataFrame(rng.normal(size=(30, 3))), "other": rng.normal(size=(30, 3))}
    data = crl.MultimodalData({key: np.asarray(table) for key, table in tables.items()})
    with pytest.raises(ModelError, match=f"modality '{name}'.*choose another"):
        crl.MultimodalSCM(data, latents=1)


def test_only_a_modality_that_shows_variables_may_have_no_latents() -> None:
    rng = np.random.default_rng(0)
    age = pd.DataFrame({"years": rng.normal(size=60)})
    data = crl.MultimodalData(
        {
            "age": crl.Variables(age, seen_by=["labs"]),
            "labs": rng.normal(size=(60, 4)),
            "scan": rng.normal(size=(60, 4)),
        }
    )
    model = crl.MultimodalSCM(data, latents={"labs": 0, "scan": 1})
    assert model.nodes.names == ("age.years", "scan.z1")
    with pytest.raises(ModelError, match="'scan' must be at least 1, not 0, as it shows no var"):
        crl.MultimodalSCM(data, latents=0)


@pytest.mark.parametrize(
    ("sizes", "says"),
    [
        (0, "latents of modality 'labs' must be at least 1, not 0"),
        (9, "latents of modality 'labs' is 9, but it has only 6 columns"),
        (1.5, "modality 'labs' must be a whole number, not 1.5"),
        (True, "modality 'labs' must be a whole number, not True"),
        ({"labs": 2}, "latents: modality 'scan' is missing"),
        ({"labs": 2, "scan": 1, "mri": 1}, "latents: there is no modality 'mri' with latents"),
    ],
)
def test_sizes_that_do_not_fit(mixed_data: crl.MultimodalData, sizes: Any, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        sizes_per_modality(sizes, [mixed_data["labs"], mixed_data["scan"]], "latents", at_least=1)
