"""Priors over edges: those that are shipped, and any Pyro program that returns an adjacency.

An edge prior is a callable. It takes the `GraphSpace`, makes its `pyro.sample` statements and
returns an adjacency `A[..., child, parent]` of zeros and ones (`GraphSpace.admit` then drops what
is forbidden and adds what is required). It may have an attribute `slab`, the distribution of an
edge's weight; without one the slab is that of `SpikeAndSlab`. Nothing needs to be subclassed:

    def hierarchical(space):
        rate = pyro.sample("rate", dist.Beta(1, 9))
        return pyro.sample("adjacency", space.edges(rate))

The program runs inside the chain plate: what it draws has the leading shape (chain, 1), so index
from the right.
"""

from pyrocrl.scm.priors.hierarchical import HierarchicalEdges, ScaleFree
from pyrocrl.scm.priors.independent import BlockEdges, ExpertEdges, SpikeAndSlab
from pyrocrl.scm.priors.protocol import EdgePrior, ShippedPrior, describe
from pyrocrl.scm.priors.shrinkage import Horseshoe, LaplaceEdges
from pyrocrl.scm.priors.slabs import NormalScaleMixture, slab_of, slab_widths
from pyrocrl.scm.priors.stored import SHIPPED, prior_from_json, prior_to_json

__all__ = [
    "SHIPPED",
    "BlockEdges",
    "EdgePrior",
    "ExpertEdges",
    "HierarchicalEdges",
    "Horseshoe",
    "LaplaceEdges",
    "NormalScaleMixture",
    "ScaleFree",
    "ShippedPrior",
    "SpikeAndSlab",
    "describe",
    "prior_from_json",
    "prior_to_json",
    "slab_of",
    "slab_widths",
]
