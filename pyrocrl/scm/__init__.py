"""The latent causal model: nodes, possible graphs, edge priors, mechanisms, p(z | A)."""

from pyrocrl.scm.cpdag import compelled_edges, has_path
from pyrocrl.scm.cyclic import CyclicSCM
from pyrocrl.scm.distribution import SCM
from pyrocrl.scm.graph_space import ORDERS, GraphSpace
from pyrocrl.scm.knowledge import BackgroundKnowledge
from pyrocrl.scm.mechanisms import (
    AdditiveNoise,
    Flow,
    LinearGaussian,
    Mechanism,
    mechanism_name,
    mechanism_named,
)
from pyrocrl.scm.nodes import Nodes
from pyrocrl.scm.priors import (
    BlockEdges,
    EdgePrior,
    ExpertEdges,
    HierarchicalEdges,
    Horseshoe,
    LaplaceEdges,
    NormalScaleMixture,
    ScaleFree,
    SpikeAndSlab,
)

__all__ = [
    "ORDERS",
    "SCM",
    "AdditiveNoise",
    "BackgroundKnowledge",
    "BlockEdges",
    "CyclicSCM",
    "EdgePrior",
    "ExpertEdges",
    "Flow",
    "GraphSpace",
    "HierarchicalEdges",
    "Horseshoe",
    "LaplaceEdges",
    "LinearGaussian",
    "Mechanism",
    "Nodes",
    "NormalScaleMixture",
    "ScaleFree",
    "SpikeAndSlab",
    "compelled_edges",
    "has_path",
    "mechanism_name",
    "mechanism_named",
]
