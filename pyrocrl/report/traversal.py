"""What a latent does to an image or a series, drawn while the latent alone moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pyrocrl.posterior.traversal import STEPS
from pyrocrl.report.style import NEGATIVE, POSITIVE, blend, drawn, plain

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes

    from pyrocrl.posterior import Posterior

__all__ = ["TraversalPicture", "plot_traversal"]

_GAP = 1


@dataclass(frozen=True)
class TraversalPicture:
    """A modality, decoded from low values of a latent to high ones.

    Attributes:
        kind: of the modality.
        decoded: (value, ...), in the data's units.
    """

    kind: str
    decoded: xarray.DataArray

    @classmethod
    def of(
        cls, posterior: Posterior, latent: str, values: Sequence[float] = STEPS
    ) -> TraversalPicture:
        """Decode a latent's sweep.

        Raises:
            ModelError: there is no such latent.
        """
        decoded = posterior.traversal(latent, values)
        modality = posterior.nodes.groups[posterior.nodes.names.index(latent)]
        return cls(posterior.template[modality].kind, decoded)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        if self.kind == "image":
            _, _, height, width = self.decoded.shape
            return 6.5, 6.5 * height / (width * len(self.decoded)) + 0.45
        return 6.5, 2.4

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``."""
        draw = {"image": self._images, "series": self._series}.get(self.kind, self._columns)
        draw(ax)
        ax.spines[["top", "right"]].set_visible(False)

    def _images(self, ax: Axes) -> None:
        strip = side_by_side(self.decoded.to_numpy())
        ax.imshow(strip, cmap="gray" if strip.ndim == 2 else None, vmin=0, vmax=1)
        width = self.decoded.shape[-1]
        middles = [k * (width + _GAP) + width / 2 - 0.5 for k in range(len(self.decoded))]
        ax.set_xticks(middles, self._labels())
        ax.set_yticks([])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_xlabel(f"{plain(str(self.decoded.name))}, standard deviations")

    def _series(self, ax: Axes) -> None:
        values = self.decoded.to_numpy()
        centre, spread = values.mean((0, 1)), values.std((0, 1)) + 1e-12
        channels = self.decoded.coords["channel"].to_numpy()
        times = np.asarray(self.decoded.coords["time"].to_numpy(), dtype=np.float64)
        for row in range(len(channels)):
            for curve, colour in zip(values[..., row], self._colours(), strict=True):
                ax.plot(times, (curve - centre[row]) / spread[row] - 6 * row, color=colour, lw=1.2)
        ax.set_yticks(
            [-6.0 * row for row in range(len(channels))], [plain(str(c)) for c in channels]
        )
        ax.set_xlabel("time")
        ax.set_title(f"{plain(str(self.decoded.name))}, low to high", fontsize=9, loc="left")

    def _columns(self, ax: Axes) -> None:
        values = self.decoded.to_numpy()
        shift = (values - values.mean(0)) / (values.std(0) + 1e-12)
        for step, colour in zip(shift, self._colours(), strict=True):
            ax.plot(step, color=colour, lw=1.2, marker="o", ms=3)
        names = [plain(str(c)) for c in self.decoded.coords["column"].to_numpy()]
        ax.set_xticks(range(len(names)), names, rotation=90)
        ax.set_title(f"{plain(str(self.decoded.name))}, low to high", fontsize=9, loc="left")

    def _labels(self) -> list[str]:
        return [f"{value:+.1f}" if value else "0" for value in self.decoded.coords["value"].values]

    def _colours(self) -> list[str]:
        shares = np.linspace(0, 1, len(self.decoded))
        return [blend(NEGATIVE, POSITIVE, float(share)) for share in shares]


def side_by_side(images: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Images as one strip, between 0 (the darkest value of all) and 1.

    Args:
        images: (image, channel, height, width).

    Returns:
        (height, width of the strip, 3), or (height, width of the strip) unless there are three
        channels, of which the mean is shown.

    Example:
        >>> side_by_side(np.arange(8.0).reshape(2, 1, 2, 2)).shape
        (2, 5)
    """
    low, high = images.min(), images.max()
    scaled = (images - low) / max(high - low, 1e-12)
    if images.shape[1] != 3:
        scaled = scaled.mean(axis=1, keepdims=True)
    tiles = np.pad(scaled, ((0, 0), (0, 0), (0, 0), (0, _GAP)), constant_values=1.0)
    strip = np.concatenate(list(tiles), axis=-1)[..., :-_GAP]
    return np.moveaxis(strip, 0, -1) if len(strip) == 3 else strip[0]


def plot_traversal(
    posterior: Posterior, latent: str, ax: Axes | None = None, values: Sequence[float] = STEPS
) -> Axes:
    """Draw what a latent does to its modality while all other latents stay at their means.

    Args:
        posterior: what to draw.
        latent: its name.
        ax: where to draw; new Axes of a fitting size where None.
        values: of the latent, in standard deviations.

    Returns:
        The Axes: a strip of images, curves over time, or the columns of a table, from low values of
        the latent to high ones; curves and columns in standard deviations of what is shown.

    Raises:
        ModelError: there is no such latent, or a value is not finite.
    """
    return drawn(TraversalPicture.of(posterior, latent, values), ax)
