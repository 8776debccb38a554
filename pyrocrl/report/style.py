"""Colours, canvases and furniture that all plots share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "INK",
    "MUTED",
    "NEGATIVE",
    "POSITIVE",
    "Picture",
    "blend",
    "drawn",
    "figure_of",
    "group_colours",
    "legend_beside",
    "note_beside",
    "plain",
    "say_instead",
    "share_rows",
    "shorten",
    "shown_axes",
]

INK = "#1f2933"
MUTED = "#5b6770"
POSITIVE = "#0072B2"
NEGATIVE = "#D55E00"

# Okabe and Ito (2008), Color universal design. Yellow comes last: on white it is hard to see.
_OKABE_ITO = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#4D4D4D",
    "#F0E442",
)


class Picture(Protocol):
    """Something that knows how large it wants to be and draws itself on Axes."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""

    def draw(self, ax: Axes) -> None:
        """Draw on ``ax``."""


def blend(colour: str, other: str, share: float) -> str:
    """Mix two ``#rrggbb`` colours.

    Args:
        colour: the colour to start from.
        other: the colour to mix in.
        share: how much of ``other``, 0 to 1.

    Returns:
        The mixed colour, ``#rrggbb``.

    >>> blend("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = zip(bytes.fromhex(colour[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def group_colours(groups: Iterable[str]) -> dict[str, str]:
    """A colour for each modality, in order of first appearance; from the ninth on, darker variants.

    >>> group_colours(["labs", "labs", "person"])
    {'labs': '#0072B2', 'person': '#D55E00'}
    """
    colours: dict[str, str] = {}
    for group in dict.fromkeys(groups):
        turn, place = divmod(len(colours), len(_OKABE_ITO))
        colour = _OKABE_ITO[place]
        colours[group] = blend(colour, "#000000", 1 - 0.6**turn) if turn else colour
    return colours


def plain(text: str) -> str:
    r"""Text that matplotlib shows as it is: one line, and a dollar sign starts no formula.

    >>> plain("cost $US$")
    'cost \\$US\\$'
    """
    return " ".join(text.split()).replace("$", r"\$")


def shorten(text: str, length: int) -> str:
    """The text, cut to ``length`` characters with an ellipsis where it is longer.

    >>> shorten("haemoglobin", 8)
    'haemogl…'
    """
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def drawn(picture: Picture, ax: Axes | None, *, whole: bool = False) -> Axes:
    """The picture on the Axes given, or on new ones of a fitting size that a notebook shows."""
    if ax is None:
        ax = shown_axes(picture.size, whole=whole)
    picture.draw(ax)
    return ax


def shown_axes(size: tuple[float, float], *, whole: bool = False) -> Axes:
    """New Axes that pyplot knows, so that a notebook shows them without further ado.

    Args:
        size: width and height of the figure in inches.
        whole: the Axes cover the whole figure, with no room for ticks and labels around them.
    """
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=size, layout=None if whole else "constrained")
    return figure.add_axes((0, 0, 1, 1)) if whole else figure.add_subplot()


def figure_of(picture: Picture, *, whole: bool = False) -> Figure:
    """The picture on a Figure of its own, unknown to pyplot: nothing to close, nothing pops up."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=picture.size, layout=None if whole else "constrained")
    picture.draw(figure.add_axes((0, 0, 1, 1)) if whole else figure.add_subplot())
    return figure


def say_instead(ax: Axes, text: str) -> None:
    """A sentence in place of a plot that would be empty."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, ha="center", va="center", color=MUTED, transform=ax.transAxes)


def note_beside(ax: Axes, text: str, height: float) -> None:
    """A remark to the right of the Axes, at a height in units of the data."""
    ax.annotate(
        text,
        (1.02, height),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=8.5,
        color=MUTED,
        annotation_clip=False,
    )


def share_rows(ax: Axes, labels: Sequence[str], size: float = 9.0) -> None:
    """Axes for numbers between 0 and 1, a named row each, the first on top.

    Args:
        ax: the Axes.
        labels: names of the rows at heights 0, 1, 2, ...
        size: of the labels, in points.
    """
    ax.set_yticks(range(len(labels)), labels)
    ax.set_xlim(0, 1)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.tick_params(labelsize=size, labelcolor=INK)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)


def legend_beside(ax: Axes) -> None:
    """The legend, to the right of the Axes."""
    ax.legend(
        fontsize=8.5,
        frameon=False,
        labelcolor=INK,
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
    )
