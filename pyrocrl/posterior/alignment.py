"""Chains aligned: latents are known only up to order within a modality and a monotone map."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pyrocrl.metrics import correlations, match_within_groups
from pyrocrl.scm import Nodes

__all__ = ["Alignment", "align_chains"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Alignment:
    """How each chain's nodes become the nodes of the reference chain.

    Attributes:
        permutation: (chain, node), which of the chain's nodes stands in each place.
        sign: (chain, node), 1 or -1.
        centre: (chain, node), mean of each latent over the fitted subjects; 0 for variables.
        unit: (chain, node), its standard deviation; 1 for variables.
        agreement: (chain,), mean absolute correlation of aligned latents with the reference's.
    """

    permutation: npt.NDArray[np.intp]
    sign: FloatArray
    centre: FloatArray
    unit: FloatArray
    agreement: FloatArray

    def values(self, z: FloatArray, chain: int) -> FloatArray:
        """A chain's node values, (..., node), in the reference's order and sign, standardised."""
        own = z[..., self.permutation[chain]] - self.centre[chain]
        return np.asarray(own * self.sign[chain] / self.unit[chain])

    def edges(self, per_edge: npt.NDArray[np.generic], chain: int) -> npt.NDArray[np.generic]:
        """A chain's edge quantities, (..., child, parent), in the reference's order."""
        own = self.permutation[chain]
        return per_edge[..., own[:, None], own[None, :]]


def align_chains(
    z: FloatArray,
    nodes: Nodes,
    reference: int,
    orientation: npt.NDArray[np.floating],
    fixed: Collection[str] = (),
) -> Alignment:
    """Match every chain's latents to those of a reference chain, within each modality.

    Args:
        z: (chain, subject, node), node values of the same subjects in every chain.
        nodes: the nodes.
        reference: the chain that the others are matched to.
        orientation: (node,), 1 or -1: sign that the reference's latents are given.
        fixed: names of latents that background knowledge singles out; latents of their modalities
            stay in their places.

    Returns:
        The alignment.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> one = rng.normal(size=(100, 2))
        >>> nodes = Nodes(("a.z1", "a.z2"), ("a", "a"), (True, True))
        >>> aligned = align_chains(np.stack([one, -one[:, ::-1]]), nodes, 0, np.ones(2))
        >>> aligned.permutation.tolist(), aligned.sign.tolist()
        ([[0, 1], [1, 0]], [[1.0, 1.0], [-1.0, -1.0]])
    """
    # A measured variable is its own group, so that it is matched to nothing but itself.
    in_place = {
        group for name, group in zip(nodes.names, nodes.groups, strict=True) if name in fixed
    }
    groups = [
        group if latent and group not in in_place else name
        for group, name, latent in zip(nodes.groups, nodes.names, nodes.is_latent, strict=True)
    ]
    latent = np.array(nodes.is_latent)
    permutation = np.tile(np.arange(len(nodes)), (len(z), 1))
    sign = np.ones(permutation.shape)
    centre, unit = np.zeros(permutation.shape), np.ones(permutation.shape)
    agreement = np.ones(len(z))
    for chain, own in enumerate(z):
        if not np.isfinite(own).all():
            agreement[chain] = 0.0
            continue
        r = correlations(z[reference], own)
        permutation[chain] = match_within_groups(np.abs(r), groups)
        matched = own[:, permutation[chain]]
        found = r[np.arange(len(nodes)), permutation[chain]]
        sign[chain] = np.where(latent & (found < 0), -1.0, 1.0) * np.where(latent, orientation, 1)
        centre[chain] = np.where(latent, matched.mean(0), 0.0)
        unit[chain] = np.where(latent, matched.std(0), 1.0)
        agreement[chain] = np.abs(found[latent]).mean() if latent.any() else 1.0
    return Alignment(permutation, sign, centre, np.where(unit > 0, unit, 1.0), agreement)
