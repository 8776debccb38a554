"""Partial transport between the latents of two modalities: each goes to one of the other, or alone.

POT solves the same problem (`ot.sinkhorn` on the padded costs), one pair at a time, and takes
seconds to import; this solves all chains and pairs at once inside a training step.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pyrocrl.errors import ModelError

__all__ = ["padded", "partial_transport"]


def padded(cost: Tensor, alone: float) -> tuple[Tensor, Tensor, Tensor]:
    """The costs with a dustbin on either side, and the masses to be moved.

    Args:
        cost: (..., row, column).
        alone: what it costs a pair to stay unmatched; half of it for each of the two.

    Returns:
        Costs (..., row + 1, column + 1), masses (row + 1,) and (column + 1,): a dustbin holds as
        much as the other side has.

    Example:
        >>> costs, rows, columns = padded(torch.zeros(1, 2), alone=1.0)
        >>> costs.tolist(), rows.tolist(), columns.tolist()
        ([[0.0, 0.0, 0.5], [0.5, 0.5, 0.0]], [1.0, 2.0], [1.0, 1.0, 1.0])
    """
    rows, columns = cost.shape[-2:]
    costs = nn.functional.pad(cost, (0, 1, 0, 1), value=alone / 2)
    corner = torch.ones_like(costs)
    corner[..., rows, columns] = 0.0
    ones = torch.ones(max(rows, columns) + 1).to(cost)
    row_mass, column_mass = ones[: rows + 1].clone(), ones[: columns + 1].clone()
    row_mass[rows], column_mass[columns] = columns, rows
    return costs * corner, row_mass, column_mass


def partial_transport(
    cost: Tensor, alone: float = 0.1, softness: float = 0.02, iterations: int = 30
) -> Tensor:
    """Which latent of one modality goes with which of the other, entropic and differentiable.

    Args:
        cost: (..., row, column), cost of each match, at least 0.
        alone: cost above which two latents had better stay unmatched.
        softness: weight of the plan's entropy, in units of the cost; near 0 the plan is hard.
        iterations: Sinkhorn steps, in the logarithms of the plan.

    Returns:
        (..., row, column), mass moved: rows and columns sum to 1 at most, the rest stays alone.

    Raises:
        ModelError: if a number is not positive.

    Source: Sarlin et al. (2020), SuperGlue, section 3.2, for the dustbin; Peyre and Cuturi (2019),
    Computational optimal transport, chapter 4, for the iterations.

    Example:
        >>> partial_transport(torch.tensor([[0.0, 1.0], [1.0, 0.9]])).round().tolist()
        [[1.0, 0.0], [0.0, 0.0]]
    """
    for name, value in (("alone", alone), ("softness", softness), ("iterations", iterations)):
        if not value > 0:
            raise ModelError(f"{name} must be positive, not {value}")
    costs, row_mass, column_mass = padded(cost, alone)
    log_rows, log_columns = row_mass.log().unsqueeze(-1), column_mass.log()
    log_plan = -costs / softness
    for _ in range(iterations):
        log_plan = log_rows + log_plan.log_softmax(-1)
        log_plan = log_columns + log_plan.log_softmax(-2)
    plan = log_plan.exp()
    return plan[..., :-1, :-1]
