"""Can the posterior be trusted? Its exactness and its calibration, measured on known truth.

`pyrocrl benchmark exactness` and `pyrocrl benchmark calibration` run it.
"""

from __future__ import annotations

from pyrocrl.trust.calibration import choose_methods
from pyrocrl.trust.run import run_calibration, run_exactness

__all__ = ["choose_methods", "run_calibration", "run_exactness"]
