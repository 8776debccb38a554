"""Arguments of edge priors, checked: every message names the prior and the argument."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np
import pyro.distributions as dist
import torch
from torch.distributions import constraints

from pyrocrl.errors import PriorError

__all__ = ["check_positive", "check_probability", "checked_rate", "on_device"]


def check_positive(value: Any, what: str) -> float:
    """A positive number as a float.

    Raises:
        PriorError: if it is none.
    """
    if not _is_number(value) or not 0 < value < np.inf:
        raise PriorError(f"{what} must be positive, not {value!r}")
    return float(value)


def check_probability(value: Any, what: str) -> float:
    """A number from 0 to 1 as a float.

    Raises:
        PriorError: if it is none.
    """
    if not _is_number(value) or not 0 <= value <= 1:
        raise PriorError(f"{what} must be between 0 and 1, not {reprlib.repr(value)}")
    return float(value)


def checked_rate(distribution: dist.TorchDistribution, what: str) -> dist.TorchDistribution:
    """A distribution of one number between 0 and 1, such as `dist.Beta(1.0, 9.0)`.

    Raises:
        PriorError: if it is a distribution of something else.
    """
    support = distribution.support
    inside = isinstance(support, constraints.interval | constraints.half_open_interval) and (
        float(support.lower_bound) >= 0 and float(support.upper_bound) <= 1
    )
    if distribution.batch_shape or distribution.event_shape or not inside:
        raise PriorError(
            f"{what}: a distribution must be that of one number between 0 and 1, such as "
            f"dist.Beta(1.0, 9.0), not {distribution}"
        )
    return distribution


def on_device(
    distribution: dist.TorchDistribution, device: torch.device | str | None = None
) -> dist.TorchDistribution:
    """A distribution with its parameters on a device, None for the present default one."""
    where = torch.get_default_device() if device is None else torch.device(device)
    parameters = {name: getattr(distribution, name) for name in distribution.arg_constraints}
    if all(value.device == where for value in parameters.values()):
        return distribution
    return type(distribution)(**{name: value.to(where) for name, value in parameters.items()})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
