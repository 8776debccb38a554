"""How far the measurements determine the latents."""

from __future__ import annotations

import pandas as pd

__all__ = ["reliability_of"]


def reliability_of(values: pd.DataFrame, deviations: pd.DataFrame) -> pd.Series:
    """Share of each latent's variance that the measurements determine, between 0 and 1.

    Args:
        values: (subject, latent), posterior means.
        deviations: (subject, latent), posterior standard deviations.

    Example:
        >>> values = pd.DataFrame({"labs.z1": [-1.0, 0.0, 1.0]})
        >>> reliability_of(values, 0 * values + 1.0).to_dict()
        {'labs.z1': 0.5}
    """
    signal, noise = values.var(), (deviations**2).mean()
    return (signal / (signal + noise)).rename("reliability")
