"""What `discover` gives: which modalities see which latents, how surely, and the latents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pyrocrl.data import MultimodalData, Variables
from pyrocrl.errors import ModelError
from pyrocrl.posterior.membership import draw_membership
from pyrocrl.sharing.gauge import Gauge
from pyrocrl.sharing.lattice import Candidate, Lattice
from pyrocrl.sharing.opinions import Opinion

if TYPE_CHECKING:
    import arviz
    import matplotlib.axes
    import xarray

__all__ = ["SharedLatents"]

_ROWS_AT_A_TIME = 8192

FloatArray = npt.NDArray[np.float64]


class SharedLatents:
    """Latents that several modalities see.

    Attributes:
        table: one row per set of modalities and latent that was judged: latent (its name, empty if
            it does not count), modalities, probability that all of them see it, disagreement
            (1 - r^2 of held-out subjects), noise (the exogenous noise, in standard deviations of
            the effect, that an edge would need instead), told (the share of it that shared latents
            found before tell; above one half it is no further latent).
        most: largest number of latents of each modality.

    Args:
        data: the fitted subjects.
        lattice: what the search found.
        most: largest number of latents of each modality.
    """

    def __init__(self, data: MultimodalData, lattice: Lattice, most: Mapping[str, int]) -> None:
        self.most = dict(most)
        self.table = _table(lattice)
        self._template, self._lattice = data.select([]), lattice
        sets = [set(candidate.modalities) for candidate in lattice.found]
        self._beside = [[j for j in range(k) if own <= sets[j]] for k, own in enumerate(sets)]
        agreed = self._agreed(data)
        self._gauges: list[Gauge] = []
        for values, others in zip(agreed.T, self._beside, strict=True):
            self._gauges.append(Gauge.of(values, self._reported(agreed)[:, others]))
        self._values = self._named(self._reported(agreed), data)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the shared latents, by the modalities that see them: `m1+m2.z1`, ..."""
        return tuple(name for name in self.table["latent"] if name)

    def membership_probabilities(self) -> pd.DataFrame:
        """P(a latent is seen by a modality), (latent, modality).

        For modalities outside a latent's set it is the probability that what the larger set agrees
        on was shared.
        """
        rows = [self._seen_by(candidate) for candidate in self._lattice.found]
        frame = pd.DataFrame(rows, index=list(self.names), columns=list(self.most), dtype=float)
        return frame.rename_axis(index="latent", columns="modality")

    def membership(self) -> pd.DataFrame:
        """Which modality sees which latent, (latent, modality), a modality's own latents as well.

        Where fewer latents than the largest number are shared, the rest count as its own.
        """
        shared = [
            [name in candidate.modalities for name in self.most]
            for candidate in self._lattice.found
        ]
        own, names = [], list(self.names)
        for place, (modality, left) in enumerate(self.own.items()):
            for k in range(left):
                own.append([other == place for other in range(len(self.most))])
                names.append(f"{modality}.z{k + 1}")
        frame = pd.DataFrame(shared + own, index=names, columns=list(self.most), dtype=bool)
        return frame.rename_axis(index="latent", columns="modality")

    def latents(self, data: MultimodalData | Mapping[str, Any] | None = None) -> xarray.DataArray:
        """The shared latents, opinions of the modalities merged, in standard deviations.

        Of the functions that carry the same latent, one is reported that is about normal, with a
        spread that does not differ with the other latents that the same modalities share.

        Args:
            data: new subjects with the same modalities and columns; None gives the fitted ones.

        Returns:
            (subject, latent).

        Raises:
            DataError: if the new data do not have the fitted modalities and columns.
        """
        import xarray as xr

        frame = self._values if data is None else self._encoded(self._template.like(data))
        coords = {"subject": frame.index.to_numpy(), "latent": list(frame.columns)}
        return xr.DataArray(frame.to_numpy(), coords=coords, dims=list(coords), name="latents")

    def opinions(self, data: MultimodalData | Mapping[str, Any]) -> xarray.Dataset:
        """What each modality alone says of each shared latent, in the units of `latents`.

        Args:
            data: subjects with the fitted modalities and columns.

        Returns:
            `mean` and `deviation`, (subject, latent, modality), NaN where a modality does not see
            a latent.
        """
        import xarray as xr

        subjects = self._template.like(data)
        single, merged = self._lattice.opinions(subjects.batch())
        together = self._reported(_side_by_side(merged, subjects.n_subjects))
        coords = {
            "subject": subjects.subjects.to_numpy(),
            "latent": list(self.names),
            "modality": list(self.most),
        }
        mean, deviation = (np.full([len(own) for own in coords.values()], np.nan) for _ in range(2))
        for k, members in enumerate(single):
            gauge, beside = self._gauges[k], together[:, self._beside[k]]
            for name, opinion in members.items():
                place = list(self.most).index(name)
                loc, scale = (p.double().cpu().numpy() for p in (opinion.loc, opinion.scale))
                mean[:, k, place] = gauge(loc, beside)
                deviation[:, k, place] = scale * gauge.steepness(loc, beside)
        dims = list(coords)
        return xr.Dataset({"mean": (dims, mean), "deviation": (dims, deviation)}, coords=coords)

    def joined(self, data: MultimodalData | Mapping[str, Any]) -> MultimodalData:
        """The measurements with the shared latents as variables that their modalities show.

        `pyrocrl.fit(data, sharing=found)` does this: it looks for the other latents beyond the
        shared ones, and for the causes among all. New subjects for the posterior's queries come
        from here as well.

        Args:
            data: subjects with the fitted modalities and columns.

        Source: Sun et al. (2025), section 4: shared latents as separate modalities.
        """
        subjects = self._template.like(data)
        values = self._encoded(subjects)
        groups: dict[str, list[int]] = {}
        for k, name in enumerate(self.names):
            groups.setdefault(name.rpartition(".")[0], []).append(k)
        shared = []
        for group, columns in groups.items():
            labels = [self.names[k].rpartition(".")[2] for k in columns]
            frame = values.iloc[:, columns].set_axis(labels, axis=1)
            seen_by = self._lattice.found[columns[0]].modalities
            table = Variables(frame, seen_by=seen_by).read(group)
            shared.append(table.modality())
        return MultimodalData.from_modalities([*shared, *subjects], subjects.subjects)

    @property
    def own(self) -> dict[str, int]:
        """How many latents of each modality are left that no other sees."""
        seen = [candidate.modalities for candidate in self._lattice.found]
        return {name: most - sum(name in s for s in seen) for name, most in self.most.items()}

    def to_inference_data(self, draws: int = 1000, seed: int = 0) -> arviz.InferenceData:
        """Draws of `membership(chain, draw, latent, modality)`, in the group posterior.

        The first modality of a set always sees its latent; the others see it together or not, as
        what is not shared is a latent of each.

        Args:
            draws: number of draws.
            seed: decides them.

        Raises:
            ModelError: if nothing is shared, or `draws` is not positive.
        """
        import arviz as az

        if not self.names:
            raise ModelError("no latent was found to be shared, so there is nothing to draw")
        if draws < 1:
            raise ModelError(f"draws must be at least 1, not {draws}")
        sets = (candidate.modalities for candidate in self._lattice.found)
        seen = dict(zip(self.names, sets, strict=True))
        rng = np.random.default_rng(seed)
        drawn = draw_membership(seen, self.membership_probabilities(), draws, rng)
        return az.from_dict(
            posterior={"membership": drawn[None]},
            coords={"latent": list(self.names), "modality": list(self.most)},
            dims={"membership": ["latent", "modality"]},
        )

    def plot_membership(self, ax: matplotlib.axes.Axes | None = None) -> matplotlib.axes.Axes:
        """Draw the probabilities, a row per shared latent; returns the Axes."""
        import matplotlib.pyplot as plt

        shown = self.membership_probabilities()
        if ax is None:
            rows, columns = shown.shape
            size = (2.0 + 1.2 * columns, 1.0 + 0.5 * rows)
            ax = plt.subplots(figsize=size, layout="constrained")[1]
        ax.imshow(shown.to_numpy(), vmin=0, vmax=1, cmap="Blues", aspect="auto")
        ax.set_xticks(range(shown.shape[1]), list(shown.columns))
        ax.set_yticks(range(shown.shape[0]), list(shown.index))
        for (row, column), value in np.ndenumerate(shown.to_numpy()):
            colour = "white" if value > 0.6 else "black"
            ax.text(column, row, f"{value:.3f}", ha="center", va="center", color=colour)
        ax.set_title("Probability that a modality sees a latent")
        return ax

    def __repr__(self) -> str:
        found = [
            f"  {name}: P = {candidate.probability:.2f}"
            for name, candidate in zip(self.names, self._lattice.found, strict=True)
        ]
        head = f"SharedLatents: {len(found)} shared by {len(self.most)} modalities"
        return "\n".join([head, *found])

    def _seen_by(self, candidate: Candidate) -> list[float]:
        seen = []
        for name in self.most:
            larger = {*candidate.modalities, name}
            judged = [
                c.probability for c in self._lattice.candidates if set(c.modalities) == larger
            ]
            inside = name in candidate.modalities
            seen.append(candidate.probability if inside else judged[-1] if judged else 0.0)
        return seen

    def _encoded(self, data: MultimodalData) -> pd.DataFrame:
        return self._named(self._reported(self._agreed(data)), data)

    def _named(self, values: FloatArray, data: MultimodalData) -> pd.DataFrame:
        return pd.DataFrame(values, data.subjects, columns=list(self.names))

    def _agreed(self, data: MultimodalData) -> FloatArray:
        """What the members of each latent's set say together, (subject, latent)."""
        parts = [np.zeros((0, len(self.names)))]
        for start in range(0, data.n_subjects, _ROWS_AT_A_TIME):
            batch = data.batch(slice(start, start + _ROWS_AT_A_TIME))
            parts.append(_side_by_side(self._lattice.opinions(batch)[1], batch.size))
        return np.concatenate(parts)

    def _reported(self, agreed: FloatArray) -> FloatArray:
        """Values in the gauge of each latent, (subject, latent); 0 where it has none yet."""
        values = np.zeros_like(agreed)
        for k, gauge in enumerate(self._gauges):
            values[:, k] = gauge(agreed[:, k], values[:, self._beside[k]])
        return values


def _side_by_side(merged: Sequence[Opinion], subjects: int) -> FloatArray:
    """Means of merged opinions, (subject, latent)."""
    columns = [opinion.loc.double().cpu().numpy() for opinion in merged]
    return np.stack(columns, 1) if columns else np.zeros((subjects, 0))


def _table(lattice: Lattice) -> pd.DataFrame:
    rows, counts = [], dict[str, int]()
    for candidate in lattice.candidates:
        group, name = "+".join(candidate.modalities), ""
        if candidate.taken:
            counts[group] = counts.get(group, 0) + 1
            name = f"{group}.z{counts[group]}"
        left = min(candidate.evidence.held_out, 1 - 1e-6)
        noise = (left / (1 - left)) ** 0.5
        rows.append((name, group, candidate.probability, left, noise, candidate.evidence.told))
    columns = ["latent", "modalities", "probability", "disagreement", "noise", "told"]
    return pd.DataFrame(rows, columns=columns)
