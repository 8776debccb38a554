"""Recovery of known truth, measured: settings, every method on the same data, table, figures.

`pyrocrl benchmark identification` runs it. What the columns of the results mean stands in
`pyrocrl.benchmark.scores` and `pyrocrl.benchmark.results`.
"""

from __future__ import annotations

from pyrocrl.benchmark.choice import choose_methods, choose_settings, read_seeds
from pyrocrl.benchmark.jobs import Job, run_job
from pyrocrl.benchmark.publish import publish
from pyrocrl.benchmark.results import Results
from pyrocrl.benchmark.run import pending, run
from pyrocrl.benchmark.settings import GROUPS, METHODS, SETTINGS, Setting
from pyrocrl.benchmark.table import render
from pyrocrl.benchmark.targets import TARGETS, Target
from pyrocrl.benchmark.variant_mnist import IMAGE_METHODS, image_settings, run_variant_mnist

__all__ = [
    "GROUPS",
    "IMAGE_METHODS",
    "METHODS",
    "SETTINGS",
    "TARGETS",
    "Job",
    "Results",
    "Setting",
    "Target",
    "choose_methods",
    "choose_settings",
    "image_settings",
    "pending",
    "publish",
    "read_seeds",
    "render",
    "run",
    "run_job",
    "run_variant_mnist",
]
