"""Can the posterior be trusted? Its exactness and its calibration, measured on known truth.

`pyrocrl benchmark exactness`, `ranks`, `calibration` and `sachs` run it.
"""

from __future__ import annotations

from pyrocrl.trust.methods import choose_methods
from pyrocrl.trust.run import run_calibration, run_exactness, run_ranks, run_sachs

__all__ = ["choose_methods", "run_calibration", "run_exactness", "run_ranks", "run_sachs"]
