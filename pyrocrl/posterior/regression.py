"""Some nodes given the others, and noises given the nodes: normal, around linear regressions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["NodeRegression", "NoiseRegression"]

_WIDER = 1.5

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NodeRegression:
    """Some nodes given the others: normal, linear, and wider than they are.

    Attributes:
        own: (node,), True for these nodes.
        slope: (chain, 1 + other, own), the intercept first.
        factor: (chain, own, own), of the covariance.
    """

    own: Tensor
    slope: Tensor
    factor: Tensor

    @classmethod
    def fit(
        cls, nodes: npt.NDArray[np.floating], deviations: FloatArray | None, own: Tensor
    ) -> NodeRegression:
        """Learn it from subjects.

        Args:
            nodes: (chain, subject, node), node values.
            deviations: likewise, how unsure these are; None where that is not known.
            own: (node,), True for the nodes to be foretold.
        """
        # Chains that diverged must not stop the others.
        z = torch.from_numpy(nodes).float().nan_to_num()
        told = _with_intercept(z[..., ~own])
        slope = torch.linalg.lstsq(told, z[..., own]).solution
        rest = z[..., own] - told @ slope
        covariance = rest.transpose(1, 2) @ rest / z.shape[1]
        unsure = torch.zeros(len(z), int(own.sum()))
        if deviations is not None:
            unsure = torch.from_numpy(deviations**2).float()[..., own].mean(1)
        covariance = covariance + torch.diag_embed(unsure.nan_to_num() + 1e-4)
        return cls(own, slope, _WIDER * torch.linalg.cholesky_ex(covariance).L)

    def draw(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """All nodes, (chain, row, node), with these drawn anew, and the log density of the draw."""
        own = self.own.to(z.device)
        mean = _with_intercept(z[..., ~own]) @ self.slope.to(z)
        given = torch.distributions.MultivariateNormal(
            mean, scale_tril=self.factor.to(z).unsqueeze(1), validate_args=False
        )
        drawn = given.sample()
        anew = z.clone()
        anew[..., own] = drawn
        density: Tensor = given.log_prob(drawn)
        return anew, density


@dataclass(frozen=True)
class NoiseRegression:
    """A modality's own noise given the nodes: normal, around a linear regression.

    In the model noises owe nothing to the nodes. What encoders make of real measurements may: where
    a noise says once more what latents say, a decoder that gets it drawn anew contradicts them.

    Attributes:
        slope: (chain, 1 + node, noise), the intercept first.
        deviation: (chain, 1, noise).
    """

    slope: Tensor
    deviation: Tensor

    @classmethod
    def fit(cls, z: Tensor, loc: Tensor, scale: Tensor) -> NoiseRegression:
        """Learn it from subjects who have the modality.

        Args:
            z: (chain, subject, node), node values.
            loc: (chain, subject, noise), means of the noises.
            scale: likewise, standard deviations.
        """
        told, loc = _with_intercept(z.nan_to_num()), loc.nan_to_num()
        slope = torch.linalg.lstsq(told, loc).solution
        rest = (loc - told @ slope).square().mean(1, keepdim=True)
        unsure = scale.nan_to_num().square().mean(1, keepdim=True)
        return cls(slope, (rest + unsure).sqrt())

    def draw(self, z: Tensor) -> Tensor:
        """Noises, (chain, row, noise), of rows with these nodes, (chain, row, node)."""
        mean = _with_intercept(z) @ self.slope.to(z)
        return mean + self.deviation.to(z) * torch.randn_like(mean)


def _with_intercept(z: Tensor) -> Tensor:
    return torch.cat([torch.ones_like(z[..., :1]), z], -1)
