"""What the data can grant: are the conditions met under which latents are identified?"""

from __future__ import annotations

from pyrocrl.diagnose.sharing import SharedIdentifiability, shared_identifiability
from pyrocrl.diagnose.verdict import Identifiability, identifiability

__all__ = [
    "Identifiability",
    "SharedIdentifiability",
    "identifiability",
    "shared_identifiability",
]
