"""The listing of all graphs stands by itself, and the posterior over graphs agrees with it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_t

from pyrocrl.errors import ModelError
from pyrocrl.trust.enumeration import acyclic_graphs, enumerate_posterior, linear_evidence
from pyrocrl.trust.exactness import Case, run_case


def test_evidence_is_that_of_a_multivariate_t():
    rng = np.random.default_rng(200)
    y, x = rng.normal(size=6), rng.normal(size=(6, 2))
    scale = 0.7 / 1.5 * (np.eye(6) + 4 * x @ x.T)
    expected = multivariate_t(np.zeros(6), scale, df=3).logpdf(y)
    assert linear_evidence(y, x, 4.0, 1.5, 0.7) == pytest.approx(expected)


def test_every_acyclic_graph_is_listed_once():
    graphs = acyclic_graphs(5)
    assert len(np.unique(graphs.reshape(len(graphs), -1), axis=0)) == len(graphs) == 29_281


def test_more_nodes_are_refused():
    with pytest.raises(ModelError, match="at most 5 nodes"):
        enumerate_posterior(np.zeros((3, 6)), 0.2, order_known=False)


@pytest.mark.parametrize("order", ["known", "unknown"])
def test_edges_agree_with_the_listing(order):
    edges, paths = run_case(Case("enumeration", order, 4, 200, 201))
    assert edges["worst"] <= 1e-9
    assert 0 < paths["worst"] <= paths["target"]
