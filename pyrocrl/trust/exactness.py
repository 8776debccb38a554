"""Edge and path probabilities against full enumeration, Markov chains against exact sums, time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pyrocrl.clock import Clock
from pyrocrl.rows import Key
from pyrocrl.structure import (
    GAUSSIAN,
    EdgePriorMixture,
    KnownOrderPosterior,
    NormalInverseGamma,
    UnknownOrderPosterior,
    sufficient_statistics,
)
from pyrocrl.structure.children import EdgeQuestion, edge_probabilities, score_children
from pyrocrl.structure.graph_mcmc import sample_graphs
from pyrocrl.structure.graph_sum import sum_graphs
from pyrocrl.trust.enumeration import enumerate_posterior, reachable
from pyrocrl.trust.simulated import draw_variables

__all__ = ["COLUMNS", "KEY", "Case", "cases", "run_case"]

FloatArray = npt.NDArray[np.float64]
Row = dict[str, Any]

KEY = ("check", "order", "nodes", "subjects", "seed")
COLUMNS = (*KEY, "worst", "mean", "target", "seconds", "cpu_seconds")

_SUBJECTS = (50, 200, 1000, 5000)
_PRIOR = 0.2
_DRAWS = 20_000
_EDGE_TARGET = 1e-6
_CHAIN_TARGET = 0.05
_SECONDS_TARGET = 5.0


@dataclass(frozen=True)
class Case:
    """One data set and what is checked on it.

    Attributes:
        check: "enumeration" gives two rows, of edges and of paths; "mcmc" and "time" one.
        order: "known" or "unknown".
        nodes: Number of nodes.
        subjects: Number of subjects.
        seed: Of the data.
    """

    check: str
    order: str
    nodes: int
    subjects: int
    seed: int

    def is_done(self, done: Collection[Key]) -> bool:
        """Whether its rows are among these."""
        names = ("edges", "paths") if self.check == "enumeration" else (self.check,)
        place = (self.order, str(self.nodes), str(self.subjects), str(self.seed))
        return all((name, *place) in done for name in names)


def cases(seeds: Collection[int]) -> list[Case]:
    """All that is checked, for every seed of the data.

    Example:
        >>> len(cases([0]))
        19
    """
    return [
        case
        for seed in seeds
        for case in (
            *(
                Case("enumeration", order, nodes, subjects, seed)
                for order in ("known", "unknown")
                for nodes in (4, 5)
                for subjects in _SUBJECTS
            ),
            Case("time", "unknown", 10, 500, seed),
            Case("mcmc", "unknown", 10, 500, seed),
            Case("mcmc", "unknown", 12, 500, seed),
        )
    ]


def run_case(case: Case) -> Iterator[Row]:
    """Measure; errors are largest and mean absolute differences of probabilities.

    Args:
        case: What to measure.

    Yields:
        Rows of the table.

    Example:
        >>> rows = list(run_case(Case("enumeration", "known", 4, 50, 200)))
        >>> [(row["check"], row["worst"] <= row["target"]) for row in rows]
        [('edges', True), ('paths', True)]
    """
    yield from _CHECKS[case.check](case)


def _against_enumeration(case: Case) -> Iterator[Row]:
    z = _linear_data(case)
    exact = enumerate_posterior(z, _PRIOR, order_known=case.order == "known")
    prior = EdgePriorMixture.fixed(np.full((case.nodes,) * 2, _PRIOR))
    clock = Clock()
    posterior: KnownOrderPosterior | UnknownOrderPosterior
    if case.order == "known":
        allowed = np.tri(case.nodes, k=-1, dtype=np.bool_)
        posterior = KnownOrderPosterior.fit(z, allowed, prior, rope=0.0, nonlinear=False)
    else:
        allowed = ~np.eye(case.nodes, dtype=np.bool_)
        posterior = UnknownOrderPosterior.fit(
            z, allowed, prior, rope=0.0, nonlinear=False, noise_laws=(GAUSSIAN,)
        )
    taken = clock.read()
    yield _row(case, "edges", posterior.inclusion - exact.edges, _EDGE_TARGET, taken)
    drawn = posterior.sample(_DRAWS, np.random.default_rng(case.seed)).adjacency
    error = reachable(drawn).mean(axis=0) - exact.paths
    # Paths are counted in draws: five standard errors is what chance may do.
    yield _row(case, "paths", error, 2.5 / _DRAWS**0.5, clock.read())


def _chains_against_sum(case: Case) -> Iterator[Row]:
    z = _linear_data(case)
    prior = EdgePriorMixture.fixed(np.full((case.nodes,) * 2, _PRIOR))
    question = EdgeQuestion.of(
        case.nodes, ~np.eye(case.nodes, dtype=np.bool_), prior, None, None
    ).without_loops()
    children = score_children(
        sufficient_statistics(z, 0),
        question,
        replace(NormalInverseGamma.equivalent(), smooth=(0.0,)),
        0.0,
    )
    infer = partial(edge_probabilities, children)
    exact = sum_graphs(children, prior, question.possible, np.random.default_rng(case.seed))
    clock = Clock()
    chains = sample_graphs(children, prior, question.possible, np.random.default_rng(case.seed))
    taken = clock.read()
    error = infer(chains.set_probability)[0] - infer(exact.set_probability)[0]
    yield _row(case, "mcmc", error, _CHAIN_TARGET, taken)


def _time(case: Case) -> Iterator[Row]:
    z = draw_variables(case.seed, case.nodes, case.subjects, "nonlinear", "gaussian").z
    prior = EdgePriorMixture.fixed(np.full((case.nodes,) * 2, _PRIOR))
    clock = Clock()
    UnknownOrderPosterior.fit(z, ~np.eye(case.nodes, dtype=np.bool_), prior)
    taken = clock.read()
    yield _row(case, "time", np.full(1, np.nan), _SECONDS_TARGET, taken)


def _linear_data(case: Case) -> FloatArray:
    return draw_variables(case.seed, case.nodes, case.subjects, "linear", "gaussian").z


def _row(case: Case, check: str, error: FloatArray, target: float, taken: Row) -> Row:
    return {
        "check": check,
        "order": case.order,
        "nodes": case.nodes,
        "subjects": case.subjects,
        "seed": case.seed,
        "worst": float(np.abs(error).max()),
        "mean": float(np.abs(error).mean()),
        "target": target,
        **taken,
    }


_CHECKS: dict[str, Callable[[Case], Iterator[Row]]] = {
    "enumeration": _against_enumeration,
    "mcmc": _chains_against_sum,
    "time": _time,
}
