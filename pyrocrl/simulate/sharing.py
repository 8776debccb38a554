"""Latents that several modalities see: data with a known membership of every latent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.data import MultimodalData
from pyrocrl.errors import ModelError
from pyrocrl.simulate.generate import Laws, Truth, one_of, random_numbers
from pyrocrl.simulate.latents import NOISE_LAWS, NoiseLaw, draw_mechanisms
from pyrocrl.simulate.mechanisms import Additive, AnyMechanism, MechanismName
from pyrocrl.simulate.mixing import MIXINGS, Mixing
from pyrocrl.simulate.order import Adjacency, is_acyclic, strong_components
from pyrocrl.simulate.sharing_graphs import PATTERNS, draw_sharing_graph, membership_of

__all__ = ["SharedTruth", "from_membership", "multiview_case", "shared_case"]

FloatArray = npt.NDArray[np.float64]
BoolMatrix = npt.NDArray[np.bool_]

_VIEWS = ("12345", "12356", "12346", "12456")


@dataclass(frozen=True)
class SharedTruth(Truth):
    """What generated data in which modalities share latents.

    Latents are named by the modalities that see them, as in `m1+m2.z1`, and `groups` holds that
    part of their names.

    Attributes:
        membership: (latent, modality), True where a modality sees a latent.
    """

    membership: pd.DataFrame


def shared_case(
    case: str = "a",
    *,
    seed: int = 0,
    n_subjects: int = 10_000,
    mixing: Mixing = "expand",
    noise: NoiseLaw = "gaussian",
    mechanism: MechanismName = "additive",
    strength: float = 0.5,
    granted: bool = True,
) -> tuple[MultimodalData, SharedTruth]:
    """Modalities that share latents in one of several patterns, with 15 columns and one noise each.

    Latents that one modality alone sees are joined one to one between modalities; each latent may
    cause those that only some of its modalities see (probability .3), never the other way round.

    Args:
        case: "a" (two modalities, one shared latent, two own each), "b" (three; one latent seen by
            all, one by a pair), "c" (four with four latents each of six, no two of which the same
            modalities see), "all" (three; one seen by all), "pairs" (three; each pair shares one),
            "nested" (four; seen by all, by three, by two), "chain" (four, each shares one with the
            next) or "none".
        seed: decides everything.
        n_subjects: number of subjects.
        mixing: "expand" or "square", see `from_graph`.
        noise: "gaussian" or "laplace".
        mechanism: "additive" or "nonadditive".
        strength: standard deviation of a latent's own noise, in standard deviations of what its
            parents do to it. Near 0 an edge can hardly be told from sharing.
        granted: draw the graph again until theory grants every latent.

    Returns:
        The data and the truth behind them.

    Raises:
        ModelError: if a name is unknown, a number is out of range, or no granted graph is found.

    Source: Sun et al. (2025), appendix E, "shared latent variables": cases "a" and "all" are its
    two and three modalities, whose graphs it leaves open.

    Example:
        >>> data, truth = shared_case("a", n_subjects=50)
        >>> truth.membership.astype(int).to_numpy().tolist()
        [[1, 1], [1, 0], [1, 0], [0, 1], [0, 1]]
        >>> list(truth.latents)
        ['m1+m2.z1', 'm1.z1', 'm1.z2', 'm2.z1', 'm2.z2']
    """
    one_of("case", case, PATTERNS)
    laws, rng = Laws(n_subjects, mixing, noise, mechanism), random_numbers(seed)
    membership = membership_of(PATTERNS[case])
    graph = draw_sharing_graph(membership, rng, granted=granted)
    names = [f"m{m + 1}" for m in range(membership.shape[1])]
    return _generate(graph, pd.DataFrame(membership, columns=names), 15, 1, laws, strength, rng)


def from_membership(
    membership: pd.DataFrame | Mapping[str, npt.ArrayLike],
    adjacency: npt.ArrayLike | None = None,
    *,
    columns: int = 15,
    noises: int = 1,
    seed: int = 0,
    n_subjects: int = 10_000,
    mixing: Mixing = "expand",
    noise: NoiseLaw = "gaussian",
    mechanism: MechanismName = "additive",
    strength: float = 0.5,
) -> tuple[MultimodalData, SharedTruth]:
    """Data whose latents are seen by given modalities.

    Args:
        membership: (latent, modality), True where a modality sees a latent.
        adjacency: `A[child, parent]` over the same latents, acyclic; None draws one as for
            `shared_case`, without asking whether theory grants it.
        columns: of each modality.
        noises: dimensions of each modality's own noise.
        seed: decides everything that is random.
        n_subjects: number of subjects.
        mixing: "expand" or "square", see `from_graph`.
        noise: "gaussian" or "laplace".
        mechanism: "additive" or "nonadditive".
        strength: see `shared_case`.

    Returns:
        The data and the truth behind them.

    Raises:
        ModelError: if no modality sees a latent or a modality sees none, the graph is no acyclic
            one over the latents, or a number or a name cannot be used.

    Example:
        >>> seen = {"gut": [True, True, False], "brain": [True, False, True]}
        >>> data, truth = from_membership(seen, n_subjects=50)
        >>> data.names, list(truth.latents)
        (('gut', 'brain'), ['gut+brain.z1', 'gut.z1', 'brain.z1'])
    """
    laws, rng = Laws(n_subjects, mixing, noise, mechanism), random_numbers(seed)
    seen = _checked_membership(pd.DataFrame(membership))
    if adjacency is None:
        graph = draw_sharing_graph(seen.to_numpy(), rng, granted=False)
    else:
        graph = _checked_graph(adjacency, len(seen))
    return _generate(graph, seen, columns, noises, laws, strength, rng)


def multiview_case(
    *, seed: int = 0, n_subjects: int = 10_000, dependent: bool = False
) -> tuple[MultimodalData, SharedTruth]:
    """Four views of six latents, each of which sees five through an invertible network.

    The latents are normal: independent, or with a covariance drawn from a Wishart distribution,
    which is that of a full linear graph. The views are (1, 2, 3, 4, 5), (1, 2, 3, 5, 6),
    (1, 2, 3, 4, 6) and (1, 2, 4, 5, 6); they have five columns and no noise of their own.

    Args:
        seed: decides everything.
        n_subjects: number of subjects.
        dependent: whether the latents depend on each other.

    Returns:
        The data and the truth behind them.

    Raises:
        ModelError: if a number cannot be used.

    Source: Yao et al. (2024), Multi-view causal representation learning with partial observability,
    the numerical experiment; our networks are those of `from_graph(mixing="square")`.

    Example:
        >>> data, truth = multiview_case(n_subjects=50)
        >>> truth.membership.sum().tolist(), truth.latents.shape
        ([5, 5, 5, 5], (50, 6))
    """
    laws, rng = Laws(n_subjects, "square", "gaussian", "additive"), random_numbers(seed)
    seen = pd.DataFrame(
        {f"m{v + 1}": [str(k + 1) in view for k in range(6)] for v, view in enumerate(_VIEWS)}
    )
    own = rng.normal(size=(n_subjects, 6))
    edges = np.zeros((6, 6), dtype=np.int64)
    if dependent:
        draws = rng.normal(size=(12, 6))
        own = own @ np.linalg.cholesky(draws.T @ draws).T
        edges = np.tril(np.ones((6, 6), dtype=np.int64), -1)
    return _measured(own, edges, seen, 5, 0, laws, rng)


def _generate(
    graph: Adjacency,
    membership: pd.DataFrame,
    columns: int,
    noises: int,
    laws: Laws,
    strength: float,
    rng: np.random.Generator,
) -> tuple[MultimodalData, SharedTruth]:
    if not strength > 0:
        raise ModelError(f"strength must be above 0, not {strength}")
    noise = NOISE_LAWS[laws.noise]((laws.n_subjects, len(graph)), rng)
    z = np.zeros_like(noise)
    drawn = draw_mechanisms(graph, laws.mechanism, rng)
    for (latent,) in strong_components(graph):
        mechanism = _with_noise(drawn[latent], z, strength)
        z[:, latent] = mechanism.value(z, noise[:, latent])
    return _measured(z, graph, membership, columns, noises, laws, rng)


def _with_noise(mechanism: AnyMechanism, z: FloatArray, strength: float) -> AnyMechanism:
    """The mechanism with noise that is so strong beside the effects of its parents."""
    if not mechanism.effects:
        return mechanism
    effects = Additive(mechanism.effects, 0.0).value(z, np.zeros(len(z)))
    return replace(mechanism, deviation=strength * float(effects.std()))


def _measured(
    z: FloatArray,
    graph: Adjacency,
    membership: pd.DataFrame,
    columns: int,
    noises: int,
    laws: Laws,
    rng: np.random.Generator,
) -> tuple[MultimodalData, SharedTruth]:
    """Each modality mixes the latents that it sees with its own noise."""
    widest = int(membership.sum().max()) + noises
    if columns < widest:
        raise ModelError(f"columns must be at least {widest}, latents and noises, not {columns}")
    groups = ["+".join(row.index[row]) for _, row in membership.iterrows()]
    names = [f"{group}.z{groups[: k + 1].count(group)}" for k, group in enumerate(groups)]
    z = (z - z.mean(0)) / z.std(0) if len(z) > 1 else z
    tables, etas = {}, {}
    for modality, seen in membership.items():
        eta = NOISE_LAWS[laws.noise]((laws.n_subjects, noises), rng)
        inside = np.hstack([z[:, seen.to_numpy()], eta])
        mix = MIXINGS[laws.mixing](inside.shape[1], columns, rng)
        tables[str(modality)] = pd.DataFrame(
            mix(inside), columns=[f"x{k + 1}" for k in range(columns)]
        )
        etas.update({f"{modality}.eta{k + 1}": eta[:, k] for k in range(noises)})
    truth = SharedTruth(
        latents=pd.DataFrame(z, columns=names),
        adjacency=pd.DataFrame(graph, index=names, columns=names),
        noise=pd.DataFrame(etas, index=range(laws.n_subjects)),
        groups=tuple(groups),
        membership=membership.set_axis(names, axis=0).rename_axis("latent", axis=0),
    )
    return MultimodalData(tables), truth


def _checked_membership(membership: pd.DataFrame) -> pd.DataFrame:
    seen = membership.astype(bool)
    if not seen.size:
        raise ModelError("membership is empty; give a row for each latent, a column per modality")
    if not seen.any(axis=1).all():
        raise ModelError("membership: every latent must be seen by a modality; drop empty rows")
    blind = [str(name) for name in seen.columns[~seen.any(axis=0)]]
    if blind:
        raise ModelError(f"membership: modality {blind[0]!r} sees no latent")
    return seen


def _checked_graph(adjacency: npt.ArrayLike, latents: int) -> Adjacency:
    graph = np.asarray(adjacency)
    if graph.shape != (latents, latents) or not np.isin(graph, (0, 1)).all():
        raise ModelError(
            f"adjacency must hold 0 and 1 with a row and a column for each of the {latents} latents"
        )
    if not is_acyclic(graph):
        raise ModelError("adjacency must be acyclic; remove an edge of each cycle")
    return graph.astype(np.int64)
