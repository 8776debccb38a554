"""Every kind of measurement on known truth: likelihoods, and modalities that subjects lack.

`pyrocrl benchmark measurements` runs it.
"""

from __future__ import annotations

from pyrocrl.measured.cases import CHECKS, Case, cases
from pyrocrl.measured.run import run_measurements

__all__ = ["CHECKS", "Case", "cases", "run_measurements"]
