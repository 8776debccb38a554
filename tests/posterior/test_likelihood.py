"""Log likelihoods are those of the model: exact where they can be computed, near it elsewhere."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

import pyrocrl as crl
from pyrocrl.edge_guide import OpenEdges
from pyrocrl.posterior.likelihood import log_likelihood
from pyrocrl.posterior.predictive import Sites, draw_graphs, predict

N, SIZE = 60, 4


@pytest.fixture
def variables() -> crl.MultimodalData:
    rng = np.random.default_rng(200)
    first = rng.normal(size=(N, 2))
    second = first @ [[0.8, 0.0], [0.3, 0.5]] + rng.normal(size=(N, 2))
    return crl.MultimodalData({"a": crl.Variables(first), "b": crl.Variables(second)})


def linear_model(data: crl.MultimodalData, **sizes: Any) -> crl.MultimodalSCM:
    """Networks as drawn, but for the noise of the mechanisms."""
    torch.manual_seed(201)
    model = crl.MultimodalSCM(data, mechanism="linear", chains=2, **sizes)
    with torch.no_grad():
        model.mechanism.log_scale.add_(0.2 * torch.randn_like(model.mechanism.log_scale))
        model.mechanism.intercept.add_(0.3)
    return model


def drawn_graphs(model: crl.MultimodalSCM, guide: crl.AmortizedGuide) -> list[Sites]:
    edges = np.broadcast_to(model.space.allowed, (3, 2, *model.space.allowed.shape)).copy()
    edges[1] = False
    assert isinstance(guide.edges, OpenEdges)
    with torch.no_grad():
        guide.edges.weight.add_(0.4 * torch.randn_like(guide.edges.weight))
    return draw_graphs(model, guide, edges)


def normal_of(model: crl.MultimodalSCM, graph: Sites, chain: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the nodes of a linear model."""
    weight = (graph["adjacency"] * graph["weight"])[chain, 0].double().numpy()
    effects = np.linalg.inv(np.eye(len(weight)) - weight)
    scale = model.mechanism.scale()[chain, 0].detach().double().numpy()
    mean = effects @ model.mechanism.intercept[chain, 0].detach().double().numpy()
    return mean, effects @ np.diag(scale**2) @ effects.T


def test_variables_alone_have_the_density_of_the_causal_model(
    variables: crl.MultimodalData,
) -> None:
    model = linear_model(variables)
    guide = crl.AmortizedGuide(model, variables)
    graphs = drawn_graphs(model, guide)
    by_chain = [
        log_likelihood(model, guide, variables, variables, graphs, 1500, {chain: 1.0})
        for chain in range(2)
    ]
    z = np.concatenate([variables.table(name).values.double().numpy() for name in "ab"], 1)
    for chain, found in enumerate(by_chain):
        assert found["joint"].shape == (3, N)
        for draw, graph in enumerate(graphs):
            mean, covariance = normal_of(model, graph, chain)
            joint = multivariate_normal(mean, covariance).logpdf(z)
            np.testing.assert_allclose(found["joint"][draw], joint, atol=1e-3)
            first = multivariate_normal(mean[:2], covariance[:2, :2]).logpdf(z[:, :2])
            second = multivariate_normal(mean[2:], covariance[2:, 2:]).logpdf(z[:, 2:])
            # These integrate two nodes out, by sampling.
            for name, rest in (("b", first), ("a", second)):
                error = found[name][draw] - (joint - rest)
                assert np.abs(error).mean() < 0.1
                assert abs(error.mean()) < 0.05
    mixed = log_likelihood(model, guide, variables, variables, graphs, 2, {0: 0.25, 1: 0.75})
    each = [found["joint"] + np.log(w) for found, w in zip(by_chain, (0.25, 0.75), strict=True)]
    np.testing.assert_allclose(mixed["joint"], logsumexp(each, axis=0), atol=1e-3)


def test_latents_are_integrated_out() -> None:
    data = crl.simulate.numerical_case(1, seed=202, n_subjects=40)[0]
    # Measurements so noisy that an untrained guide is near the posterior of the latents.
    model = linear_model(data, latents=1, noise=0, floor=3.0)
    guide = crl.AmortizedGuide(model, data)
    graphs = drawn_graphs(model, guide)[:2]
    found_in = [log_likelihood(model, guide, data, data, graphs, 3000, {k: 1.0}) for k in (0, 1)]
    grid = np.linspace(-8, 8, 321)
    cell = np.log(grid[1] - grid[0])
    latent = torch.from_numpy(grid).float()[None, :, None].expand(2, -1, 1)
    for chain, (draw, graph) in product(range(2), enumerate(graphs)):
        found = found_in[chain]
        by_modality = []
        for name in data.names:
            decoded = model.decoders[name](latent, latent[..., :0], data[name].cells())
            x = data.table(name).values.double().numpy()
            mean, scale = (
                part[chain].detach().double().numpy() for part in (decoded.mean, decoded.stddev)
            )
            by_modality.append(norm(mean[None], scale[None]).logpdf(x[:, None]).sum(-1))
        mean, covariance = normal_of(model, graph, chain)
        first, second = np.meshgrid(grid, grid, indexing="ij")
        prior = multivariate_normal(mean, covariance).logpdf(np.stack([first, second], -1))
        each = prior + by_modality[0][:, :, None] + by_modality[1][:, None, :]
        exact = logsumexp(each, axis=(1, 2)) + 2 * cell
        alone = logsumexp(each - by_modality[1][:, None, :], axis=(1, 2)) + 2 * cell
        np.testing.assert_allclose(found["joint"][draw], exact, atol=0.25)
        assert abs((found["joint"][draw] - exact).mean()) < 0.05
        conditional = found["m2"][draw] - (exact - alone)
        assert abs(conditional.mean()) < 0.05


def test_missing_cells_count_nothing(variables: crl.MultimodalData) -> None:
    tables = {name: variables.frame(name) for name in variables.names}
    tables["b"].iloc[:30] = np.nan
    half = crl.MultimodalData({name: crl.Variables(table) for name, table in tables.items()})
    model = linear_model(half)
    guide = crl.AmortizedGuide(model, half)
    graphs = drawn_graphs(model, guide)[:1]
    found = log_likelihood(model, guide, half, half, graphs, 2000, {0: 1.0})
    mean, covariance = normal_of(model, graphs[0], 0)
    z = half.table("a").values[:30].double().numpy()
    exact = multivariate_normal(mean[:2], covariance[:2, :2]).logpdf(z)
    assert abs((found["joint"][0, :30] - exact).mean()) < 0.05
    assert abs(found["b"][0, :30].mean()) < 0.05


def test_predictive_draws_are_those_of_the_causal_model(variables: crl.MultimodalData) -> None:
    model = linear_model(variables)
    guide = crl.AmortizedGuide(model, variables)
    graph = drawn_graphs(model, guide)[0]
    torch.manual_seed(203)
    drawn = predict(model, [graph], variables, subjects=20_000)
    for chain in range(2):
        mean, covariance = normal_of(model, graph, chain)
        for name, own in (("a", slice(0, 2)), ("b", slice(2, 4))):
            values = drawn.measurements[name][chain, 0]
            modality = variables.table(name)
            standard = (values - modality.mean) / modality.std
            np.testing.assert_allclose(standard.mean(0), mean[own], atol=0.06)
            np.testing.assert_allclose(np.cov(standard.T), covariance[own, own], atol=0.1)
    assert (drawn.adjacency[:, 0] == model.space.allowed).all()
    prior = predict(model, [{}] * 200, variables, subjects=1)
    share = prior.adjacency.mean((0, 1))[model.space.allowed]
    np.testing.assert_allclose(share, 0.1, atol=0.08)
    assert (prior.adjacency[..., ~model.space.allowed] == 0).all()
