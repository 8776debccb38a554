"""`pyrocrl benchmark sharing`: is it found who sees what, and how surely?"""

from __future__ import annotations

from pyrocrl.benchmark.sharing.run import run_sharing
from pyrocrl.benchmark.sharing.settings import SHARING_SETTINGS

__all__ = ["SHARING_SETTINGS", "run_sharing"]
