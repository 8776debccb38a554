"""DiBS in an environment of its own: its package needs JAX, which ours does not.

To make one: python -m venv dibs-venv; dibs-venv/bin/pip install dibs-lib==1.3.3
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from pyrocrl.clock import Clock
from pyrocrl.errors import ModelError
from pyrocrl.trust.answer import Answer
from pyrocrl.trust.simulated import Variables

__all__ = ["run_dibs"]

_WORKER = Path(__file__).with_name("dibs_worker.py")
_PARTICLES = 20
_STEPS = 1000
_LONGEST_ERROR = 200
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}


@lru_cache(maxsize=1)
def run_dibs(python: str, data: Variables) -> tuple[Answer, Answer]:
    """Run DiBS, with BGe on linear data and neural networks on others.

    Settings are those of its examples: 20 particles, 1,000 steps; its prior has the generator's
    rate of edges.

    Args:
        python: The interpreter of an environment that has dibs-lib.
        data: The data set.

    Returns:
        Answers by shares of particles and by particles weighted with their posterior ("DiBS+").

    Raises:
        ModelError: If it fails.

    Source: Lorch, Rothfuss, Schoelkopf and Krause (2021), DiBS: differentiable Bayesian structure
    learning.
    """
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "data.npz", Path(folder) / "edges.npz"
        np.savez(
            given,
            z=data.z,
            rate=data.rate,
            linear=data.linear,
            particles=_PARTICLES,
            steps=_STEPS,
        )
        ended = subprocess.run(
            # Isolated, or modules beside the worker would hide those of its environment.
            [python, "-I", str(_WORKER), str(given), str(answer)],
            capture_output=True,
            text=True,
            env={**os.environ, **_ONE_THREAD},
            check=False,
        )
        if ended.returncode:
            raise ModelError(f"DiBS failed: {ended.stderr.strip()[-_LONGEST_ERROR:]}")
        with np.load(answer) as edges:
            found = edges["edges"].astype(np.float64), edges["weighted"].astype(np.float64)
    took = clock.read()
    plain, weighted = (Answer(edges.clip(0.0, 1.0), took=took) for edges in found)
    return plain, weighted
