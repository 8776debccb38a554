"""What a latent does: its modality, decoded while the latent alone moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from pyrocrl.errors import ModelError, listing

if TYPE_CHECKING:
    import xarray

    from pyrocrl.posterior.posterior import Posterior

__all__ = ["STEPS", "traversal"]

STEPS = (-2.0, -1.33, -0.67, 0.0, 0.67, 1.33, 2.0)


@torch.no_grad()
def traversal(
    posterior: Posterior, latent: str, values: Sequence[float] = STEPS
) -> xarray.DataArray:
    """See `Posterior.traversal`."""
    import xarray as xr

    nodes, best = posterior.model.nodes, posterior.best
    latents = [name for name, own in zip(nodes.names, nodes.is_latent, strict=True) if own]
    if latent not in latents:
        raise ModelError(f"there is no latent {latent!r}; there are {listing(latents, limit=10)}")
    steps = np.asarray(values, dtype=np.float64)
    if steps.ndim != 1 or not len(steps) or not np.isfinite(steps).all():
        raise ModelError(f"values must be finite numbers, at least one, not {values!r}")
    place = nodes.names.index(latent)
    name, alignment = nodes.groups[place], posterior.alignment
    z = np.zeros((len(steps), len(nodes)))
    z[:, place] = steps
    own = np.empty_like(z)
    units = z * alignment.unit[best] * alignment.sign[best] + alignment.centre[best]
    own[:, alignment.permutation[best]] = units
    model, template = posterior.model, posterior.template[name]
    told = torch.from_numpy(own).to(model.zero).expand(model.chains, -1, -1)
    y = model.unmixing.mix(told)[..., model.shown[name]]
    eta = y.new_zeros(model.chains, len(steps), model.noise[name])
    cells = template.unmeasured(len(steps)).to(model.zero.device).cells()
    decoded = model.decoders[name](y, eta, cells).mean[best]
    return xr.DataArray(
        template.unstandardise(decoded),
        dims=["value", *template.coordinates()],
        coords={"value": steps, **template.coordinates()},
        name=latent,
    )
