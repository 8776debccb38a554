"""Data with known truth: the settings of Sun et al. (2025), appendices D.1 and E, and harder ones.

A generator draws a graph. What follows is the same for all: latents obey the graph, and each
modality mixes its latents with its own noise. What the paper leaves open, and what we chose:

graph
    Stated by each generator: `numerical_case`, `many_modalities`, `unknown_order_case`,
    `latent_count_case`, `sparsity_ablation`, `cyclic_case`; `from_graph` takes one.
noise law
    Standard normal (`noise="gaussian"`), or Laplace with the same standard deviation ("laplace"),
    for the noise of latents and of modalities.
noise of a latent
    Standard deviation 1 for a root and for a latent on a cycle, .5 for any other.
effect of a parent
    Strength times 1.2 tanh(1.5 v), leaky(v) (slope .2 below 0) or v + .5 sin(2 v), of the parent's
    value v. Strengths are uniform between .8 and 1.6, signs random. No effect is linear: with
    Gaussian noise, two linear edges can be turned together without any change in the data.
additive mechanism
    z = sum of effects + d e, where e is the noise and d its standard deviation.
nonadditive mechanism
    z = g(sum of effects + d (e + b tanh(e) tanh(z_q))): spread and shape of the noise depend on q,
    one of the parents; b is uniform between .5 and .9, its sign random. g(y) = .7 y + .15 sin(2 y)
    rises with slopes from .4 to 1. A map like g alone could be absorbed, as latents are known up to
    monotone maps only; a noise that depends on a parent cannot.
cycles
    Among latents that cause each other, what a parent does (strength and b) is scaled to one and
    the same steepest slope, small enough for the product around any cycle to be at most .7 and for
    z = f(z, e) to have exactly one solution, found by iteration to 1e-10. Effects on a cycle
    reinforce each other (the product of their signs is positive): opposed ones hide each other.
scale of the latents
    Standardised at the end; effects act on the values before that.
mixing
    Three layers with leaky ReLU between them (slope .2); each layer's weights are uniform, its
    columns have unit length, and of 50 draws the best conditioned is taken. "expand": columns are
    made in the first layer, which is nearly linear; "square": latents and noise keep their
    dimension in all layers, each with a leaky ReLU, then comes an orthonormal lift.

Where modalities share latents (`shared_case`, `from_membership`), a modality mixes all that it sees
with its own noise, and the noise of a latent is a stated share of what its parents do to it.
"""

from pyrocrl.simulate.cases import (
    CASES,
    Case,
    many_modalities,
    numerical_case,
    unknown_order_case,
)
from pyrocrl.simulate.experiments import cyclic_case, latent_count_case, sparsity_ablation
from pyrocrl.simulate.generate import Truth, from_graph
from pyrocrl.simulate.latents import NoiseLaw
from pyrocrl.simulate.measurements import MEASURED, measured_case
from pyrocrl.simulate.mechanisms import MechanismName
from pyrocrl.simulate.mixing import Mixing
from pyrocrl.simulate.sharing import SharedTruth, from_membership, multiview_case, shared_case
from pyrocrl.simulate.stand_in import stand_in_pictures
from pyrocrl.simulate.variant_mnist import variant_mnist, variant_mnist_images

__all__ = [
    "CASES",
    "MEASURED",
    "Case",
    "MechanismName",
    "Mixing",
    "NoiseLaw",
    "SharedTruth",
    "Truth",
    "cyclic_case",
    "from_graph",
    "from_membership",
    "latent_count_case",
    "many_modalities",
    "measured_case",
    "multiview_case",
    "numerical_case",
    "shared_case",
    "sparsity_ablation",
    "stand_in_pictures",
    "unknown_order_case",
    "variant_mnist",
    "variant_mnist_images",
]
