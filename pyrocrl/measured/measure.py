"""One fit, measured against the truth and against regressions that are told more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

import pyrocrl as crl
from pyrocrl import metrics
from pyrocrl.clock import Clock
from pyrocrl.data import MultimodalData
from pyrocrl.measured.cases import LACKING, Case
from pyrocrl.simulate import Truth, measured_case, numerical_case

__all__ = ["measure"]

FloatArray = npt.NDArray[np.float64]

_SUBJECTS = 10_000
_LACK = 0.3
_DRAWS = 100
_INTERVAL = (0.05, 0.95)


def measure(
    case: Case, n_subjects: int | None = None, max_epochs: int | None = None
) -> dict[str, Any]:
    """Simulate, fit and score.

    Args:
        case: what is measured.
        n_subjects: of the simulation, if not those of the case.
        max_epochs: of the fit, see `pyrocrl.fit`.

    Returns:
        A row of the results, see `pyrocrl.measured.page` for what the columns mean.
    """
    scores = _likelihood if case.check == "likelihood" else _missing
    row = {"check": case.check, "case": case.case, "fitted": case.fitted, "seed": case.seed}
    told = {"restarts": case.restarts, "version": crl.__version__}
    return {**row, **told, **scores(case, n_subjects, max_epochs)}


def _likelihood(case: Case, n_subjects: int | None, max_epochs: int | None) -> dict[str, Any]:
    data, truth = measured_case(case.case, seed=case.seed, n_subjects=n_subjects or _SUBJECTS)
    posterior, taken = _fit(data, case, max_epochs)
    found = posterior.latents().to_numpy()
    return {
        "mcc": metrics.mcc(truth.latents, found, truth.groups),
        "ceiling": _ceiling(data, truth),
        **taken,
    }


def _missing(case: Case, n_subjects: int | None, max_epochs: int | None) -> dict[str, Any]:
    drawn = LACKING[case.case]
    subjects = n_subjects or drawn.subjects
    whole, truth = numerical_case(
        drawn.number, seed=case.seed, n_subjects=subjects, mixing=drawn.mixing
    )
    tables = {name: whole.frame(name) for name in whole.names}
    lack = np.random.default_rng(case.seed).random(subjects) < _LACK
    posterior, taken = _fit(_seen(tables, drawn.modality, lack, case.fitted), case, max_epochs)
    found = posterior.latents(tables).to_numpy()
    row = {"mcc": metrics.mcc(truth.latents, found, truth.groups), **taken}
    if case.fitted == "incomplete":
        row.update(_imputed(posterior, tables, drawn.modality))
    return row


def _seen(
    tables: Mapping[str, pd.DataFrame], lacked: str, lack: npt.NDArray[np.bool_], fitted: str
) -> MultimodalData:
    if fitted == "dropped":
        return MultimodalData({name: table[~lack] for name, table in tables.items()})
    if fitted == "incomplete":
        return MultimodalData(
            {name: table[~lack] if name == lacked else table for name, table in tables.items()},
            align="union",
        )
    return MultimodalData(tables)


def _fit(
    data: MultimodalData, case: Case, max_epochs: int | None
) -> tuple[crl.Posterior, dict[str, float]]:
    clock = Clock()
    posterior = crl.fit(
        data, restarts=case.restarts, seed=case.seed, max_epochs=max_epochs, progress=False
    )
    # A fit takes Ctrl-C as a wish to end early; here it is a wish to stop.
    if posterior.history_record.interrupted:
        raise KeyboardInterrupt
    return posterior, clock.read()


def _imputed(
    posterior: crl.Posterior, tables: Mapping[str, pd.DataFrame], lacked: str
) -> dict[str, float]:
    """The lacked modality of those who lack it: imputed, and foretold by regressions."""
    imputed = posterior.impute(draws=_DRAWS)
    without = imputed.draws[lacked].indexes["subject"]
    true, table = tables[lacked].loc[without].to_numpy(), tables[lacked].drop(index=without)
    rest = pd.concat([own for name, own in tables.items() if name != lacked], axis=1)
    told = _standardised(rest)
    known, new = told.loc[table.index].to_numpy(), told.loc[without].to_numpy()
    foretold = _regressions(known, table.to_numpy(), new)
    low, high = np.quantile(imputed.draws[lacked].to_numpy(), _INTERVAL, axis=0)
    return {
        "imputed_r2": _r2(true, imputed.frame(lacked).loc[without].to_numpy()),
        "regression_r2": max(_r2(true, own) for own in foretold),
        "coverage": float(((true > low) & (true < high)).mean()),
    }


def _regressions(known: FloatArray, target: FloatArray, new: FloatArray) -> list[FloatArray]:
    """A network of all columns, and boosted trees of each."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    trees = [
        HistGradientBoostingRegressor(random_state=0).fit(known, own).predict(new)
        for own in target.T
    ]
    centre, spread = target.mean(0), target.std(0)
    network = _network().fit(known, (target - centre) / spread)
    return [network.predict(new) * spread + centre, np.column_stack(trees)]


def _ceiling(data: MultimodalData, truth: Truth) -> float:
    """Mean correlation of the true latents with a network that was taught them, held out."""
    scores = []
    labels = np.array(truth.groups)
    for name in data.names:
        told, z = data[name].features().values, truth.latents.to_numpy()[:, labels == name]
        guess = _network().fit(told[::2], z[::2]).predict(told[1::2])
        scores += [np.corrcoef(one, own)[0, 1] for one, own in zip(guess.T, z[1::2].T, strict=True)]
    return float(np.mean(scores))


def _network() -> Any:
    from sklearn.neural_network import MLPRegressor

    return MLPRegressor(
        hidden_layer_sizes=(64, 64), alpha=1e-3, early_stopping=True, random_state=0
    )


def _standardised(table: pd.DataFrame) -> pd.DataFrame:
    return (table - table.mean()) / table.std()


def _r2(true: FloatArray, guess: FloatArray) -> float:
    missed = ((true - guess) ** 2).mean(0)
    return float((1 - missed / true.var(0)).mean())
