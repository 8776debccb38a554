"""Latents that several modalities see: found, told from strong edges, aligned and merged."""

from __future__ import annotations

from pyrocrl.sharing.discover import discover
from pyrocrl.sharing.result import SharedLatents
from pyrocrl.sharing.wasserstein import Alignment, WassersteinSharing

__all__ = ["Alignment", "SharedLatents", "WassersteinSharing", "discover"]
