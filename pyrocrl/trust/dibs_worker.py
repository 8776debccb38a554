"""DiBS on one data set: what `pyrocrl.trust.dibs` starts.

Runs under an interpreter of its own, which has dibs-lib and JAX but need not have pyrocrl:

    python dibs_worker.py data.npz edges.npz

The data hold `z`, (subject, variable); `rate`, the probability with which each pair of variables is
linked; `linear`, 0 or 1; and `steps` and `particles`. The answer holds `edges` and `weighted`,
probabilities of edges, (child, parent): shares of the particles, and weighted by their posterior
("DiBS+").

Source: Lorch, Rothfuss, Schoelkopf and Krause (2021), DiBS: differentiable Bayesian structure
learning, and the settings of dibs-lib's own examples: BGe with its defaults, networks with one
hidden layer of 5 and noise variance .1.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

__all__ = ["main"]


def main(data: str, answer: str) -> None:
    """Read the data, run DiBS, write the answer."""
    import jax
    import jax.numpy as jnp
    from dibs.inference import JointDiBS, MarginalDiBS
    from dibs.models import BGe, DenseNonlinearGaussian, ErdosReniDAGDistribution

    given = np.load(data)
    z = jnp.asarray(given["z"])
    n_nodes = z.shape[1]
    # That prior counts edges per node among pairs of nodes.
    edges_per_node = float(given["rate"]) * (n_nodes - 1) / 2
    setting: dict[str, Any] = {
        "x": z,
        "graph_model": ErdosReniDAGDistribution(n_nodes, n_edges_per_node=edges_per_node),
    }
    run = {
        "key": jax.random.PRNGKey(0),
        "n_particles": int(given["particles"]),
        "steps": int(given["steps"]),
    }
    if given["linear"]:
        dibs = MarginalDiBS(likelihood_model=BGe(n_vars=n_nodes), **setting)
        graphs = dibs.sample(**run)
        particles = dibs.get_mixture(graphs)
    else:
        networks = DenseNonlinearGaussian(n_vars=n_nodes, hidden_layers=(5,), obs_noise=0.1)
        dibs = JointDiBS(likelihood_model=networks, **setting)
        graphs, weights = dibs.sample(**run)
        particles = dibs.get_mixture(graphs, weights)
    # As in its own measures: graphs with cycles do not count.
    graphs = np.asarray(particles.g)
    log_weights = np.asarray(particles.logp, dtype=np.float64)
    kept = np.array([not _has_cycle(graph) for graph in graphs])
    if kept.any():
        graphs, log_weights = graphs[kept], log_weights[kept]
    share = np.exp(log_weights - log_weights.max())
    np.savez(
        answer,
        edges=graphs.mean(axis=0).T,
        weighted=np.einsum("g,gpc->cp", share / share.sum(), graphs),
    )


def _has_cycle(graph: np.ndarray[Any, Any]) -> bool:
    return bool(np.linalg.matrix_power(graph.astype(np.float64), len(graph)).any())


if __name__ == "__main__":
    main(*sys.argv[1:])
