"""An edge prior of one's own: an unknown edge rate for every pair of modalities, pooled in part.

System
    `crl.SpikeAndSlab(0.1)` says that every edge has the same chance of one in ten. Often some pairs
    of modalities are densely connected and others not at all, and nobody knows beforehand which.
    Here every pair (m -> m') has an edge rate of its own, all rates come from one distribution,
    and the data decide how dense each pair is. Shown on 150 simulated subjects: genes act on
    proteins by many weak effects, and one protein on one symptom.

Equations
    mu ~ Beta(2, 8)                                  how dense the graph is on the whole
    rate_{m -> m'} ~ Beta(5 mu, 5 (1 - mu))          how dense one pair of modalities is
    A_ij ~ Bernoulli(rate_{m(j) -> m(i)})            node j of modality m causes node i of m'
    One clear edge makes others of its pair more probable, and a little more those of all pairs;
    a pair without any makes its edges less probable (partial pooling).

Assumptions
    - Given the rates, edges are independent: nothing else makes one edge speak for another.
    - Edges inside a modality have a rate as well, that of the pair (m -> m).
    - The 5 says how firmly the rates hold together: five imagined edges a pair. Large values pool
      completely (one rate for all), small ones hardly at all.

What to change
    - Beta(2, 8) to what is known about the density of the graph; the 5 to how alike pairs are.
    - Nothing: `crl.HierarchicalEdges(dist.Beta(2.0, 8.0))` is this prior, ready made.
    - `group`: any other grouping of the nodes, such as latents against measured variables.
    - The data: all nodes are measured here, so that the two fits differ by their prior alone.
      Tables with latents behind them take the same prior, unchanged.

Nothing else is needed: the discrete site gets the edge guide, the continuous sites an autoguide.
The reported probabilities average over draws of the rates, weighted by how well they explain the
data; a warning says so if few draws carry the weight.

Run
    python models/hierarchical_edge_prior.py [--quick]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
import pyro
import pyro.distributions as dist
import torch

import pyrocrl as crl

POOLING = 5.0


def rate_of_each_pair(space: crl.GraphSpace) -> torch.Tensor:
    """The edge prior: a Pyro program that draws an adjacency, `A[..., child, parent]`.

    It runs in the plate of chains: a draw has leading dimensions, so index from the right.
    """
    group = space.group_index
    count = int(group.max()) + 1
    mean = pyro.sample("edge_rate.mean", dist.Beta(2.0, 8.0))[..., None, None]
    pooled = dist.Beta(POOLING * mean, POOLING * (1 - mean))
    each = pooled.expand((*mean.shape[:-2], count, count)).to_event(2)
    rate = pyro.sample("edge_rate", each)
    probability = rate[..., group[:, None], group[None, :]]
    adjacency: torch.Tensor = pyro.sample("adjacency", space.edges(probability))
    return adjacency


def simulate(seed: int = 2, subjects: int = 150) -> tuple[crl.MultimodalData, set[tuple[str, str]]]:
    """Genes, proteins and symptoms, four each, and the true edges as (parent, child)."""
    rng = np.random.default_rng(seed)
    columns = [f"v{k + 1}" for k in range(4)]
    present = rng.random((4, 4)) < 0.8
    effect = present * rng.uniform(0.2, 0.4, (4, 4)) * rng.choice([-1, 1], (4, 4))
    genes = rng.normal(size=(subjects, 4))
    proteins = genes @ effect.T + rng.normal(size=(subjects, 4))
    symptoms = rng.normal(size=(subjects, 4))
    symptoms[:, 0] += 0.4 * proteins[:, 0]
    measured = {"genes": genes, "proteins": proteins, "symptoms": symptoms}
    groups = {n: crl.Variables(pd.DataFrame(v, columns=columns)) for n, v in measured.items()}
    true = {(f"genes.v{j + 1}", f"proteins.v{i + 1}") for i, j in np.argwhere(present)}
    return crl.MultimodalData(groups), {*true, ("proteins.v1", "symptoms.v1")}


def compare(
    independent: crl.Posterior, pooled: crl.Posterior, true: set[tuple[str, str]]
) -> pd.DataFrame:
    """Mean probability of true and of absent edges under both priors, by pair of modalities."""
    edges = ["parent", "child"]
    table = independent.edge_table()[[*edges, "probability"]].merge(
        pooled.edge_table()[[*edges, "probability"]],
        on=edges,
        suffixes=("_independent", "_pooled"),
    )
    table["pair"] = [
        f"{parent.split('.')[0]} -> {child.split('.')[0]}"
        for parent, child in zip(table.parent, table.child, strict=True)
    ]
    table["truth"] = [
        "edge" if edge in true else "none" for edge in zip(table.parent, table.child, strict=True)
    ]
    return table.groupby(["pair", "truth"]).agg(
        edges=("child", "size"),
        independent=("probability_independent", "mean"),
        pooled=("probability_pooled", "mean"),
    )


def main() -> None:
    """Fit under both priors, and print how the edge probabilities differ."""
    parser = argparse.ArgumentParser(description="Edge probabilities under a hierarchical prior.")
    parser.add_argument("--quick", action="store_true", help="a few passes only, to try it out")
    quick = parser.parse_args().quick
    data, true = simulate()
    independent, pooled = (
        crl.fit(
            data,
            edge_prior=edge_prior,
            restarts=2,
            max_epochs=5 if quick else 20,  # every node is measured: there is little to train
            progress=not quick,
            seed=0,
        )
        for edge_prior in (crl.SpikeAndSlab(probability=0.1), rate_of_each_pair)
    )
    print("Mean P(edge) with independent edges and with pooled rates:")
    print(compare(independent, pooled, true).round(3).to_string())
    for warning in pooled.warnings:
        print("Note:", warning)


if __name__ == "__main__":
    main()
