"""The horseshoe: no edge is absent, most are weak; beside spike and slab and Laplace.

System
    Spike and slab asks whether an effect is there. Where nothing in nature is exactly zero, one may
    rather ask which effects are large. Shrinkage priors say so: all edges are there, most of them
    close to zero. Shown on simulated measurements with three effects that matter and many that
    are tiny but real.

Equations
    spike and slab   A_ij ~ Bernoulli(.1),  w_ij ~ Normal(0, 2)
    Laplace          A_ij = 1,              w_ij ~ Laplace(0, .3)
    horseshoe        A_ij = 1,              w_ij ~ Normal(0, .05 l_ij),  l_ij ~ HalfCauchy(1)
    z_i = sum_j A_ij w_ij z_j + s_i eps_i

Assumptions
    - P(edge) is P(stronger than the rope): .02 nats per subject here, what the report calls an
      effect worth the name. Without a rope every edge would have probability 1 under the last two.
    - The reported posterior takes a slab as a mixture of normals of a few widths, one width for all
      parents of a child (`crl.Horseshoe` says what that leaves out).

What to change
    - The scale, .05: how weak a typical effect is, in standard deviations of the nodes.
    - The rope: from which strength on an effect is worth its name.
    - The slab: any distribution of one number; `crl.NormalScaleMixture.of(dist.LogNormal(-2, 1))`
      makes one of a distribution of widths. A prior of one's own that takes it is `every_edge`.

Run
    python models/horseshoe_prior.py [--quick]
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
import pyro.distributions as dist
import torch

import pyrocrl as crl

LARGE = {("causes.c1", "effects.e1"): 0.6, ("causes.c2", "effects.e2"): -0.6}
BORDERLINE = {("causes.c3", "effects.e3"): 0.25}
TINY = 0.03


def every_edge(space: crl.GraphSpace) -> torch.Tensor:
    """A shrinkage prior of one's own: all edges are there; the slab says how strong they are."""
    return space.admit(torch.ones(len(space.nodes), len(space.nodes)))


every_edge.slab = crl.NormalScaleMixture.of(dist.LogNormal(-2.5, 1.0))  # type: ignore[attr-defined]

PRIORS: dict[str, crl.EdgePrior] = {
    "spike and slab": crl.SpikeAndSlab(0.1),
    "laplace": crl.LaplaceEdges(0.3),
    "horseshoe": crl.Horseshoe(0.05),
    "log-normal widths": every_edge,
}


def simulate(subjects: int = 400, seed: int = 200) -> crl.MultimodalData:
    """Four causes and four effects, all measured; every cause moves every effect a little."""
    rng = np.random.default_rng(seed)
    slopes = TINY * rng.choice([-1.0, 1.0], size=(4, 4))
    for (cause, effect), slope in {**LARGE, **BORDERLINE}.items():
        slopes[int(effect[-1]) - 1, int(cause[-1]) - 1] = slope
    causes = rng.normal(size=(subjects, 4))
    effects = causes @ slopes.T + rng.normal(size=(subjects, 4))
    tables = {
        "causes": pd.DataFrame(causes, columns=[f"c{k}" for k in range(1, 5)]),
        "effects": pd.DataFrame(effects, columns=[f"e{k}" for k in range(1, 5)]),
    }
    return crl.MultimodalData({name: crl.Variables(table) for name, table in tables.items()})


def edges(data: crl.MultimodalData, prior: crl.EdgePrior, *, quick: bool) -> pd.DataFrame:
    """P(edge) and the slope's posterior mean, by (parent, child), of causes and effects."""
    posterior = crl.fit(
        data,
        edge_prior=prior,
        mechanism="linear",
        restarts=2,
        max_epochs=3 if quick else 20,  # every node is measured: there is little to train
        progress=False,
        seed=0,
    )
    table = posterior.edge_table().set_index(["parent", "child"])
    return table.loc[[edge for edge in table.index if edge[1].startswith("effects")]]


def main() -> None:
    """Fit under four priors, and print P(edge) and slopes of large, borderline and tiny ones."""
    parser = argparse.ArgumentParser(description="Shrinkage priors beside spike and slab.")
    parser.add_argument("--quick", action="store_true", help="a few passes only, to try it out")
    quick = parser.parse_args().quick
    data = simulate()
    kinds = {**dict.fromkeys(LARGE, "large"), **dict.fromkeys(BORDERLINE, "borderline")}
    rows = {}
    for name, prior in PRIORS.items():
        found = edges(data, prior, quick=quick)
        of = [kinds.get(edge, "tiny") for edge in found.index]
        chance = found.probability.groupby(of).mean().add_prefix("P(edge), ")
        slope = found.effect.abs().groupby(of).mean().drop("tiny").add_prefix("slope, ")
        rows[name] = pd.concat([chance, slope])
    table = pd.DataFrame(rows).T
    print(
        "Means over two large, one borderline and 13 tiny effects; slopes, given that the edge is"
    )
    print("there, in standard deviations (simulated: about .5, .24, .03):")
    print(table.round(3).to_string())


if __name__ == "__main__":
    main()
