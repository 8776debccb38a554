"""Variant MNIST: images of digits and of garments whose looks follow a causal graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from pyrocrl.data import Image, MultimodalData
from pyrocrl.data.idx import LabelledImages, read_labelled_images
from pyrocrl.errors import DataError, ModelError
from pyrocrl.simulate.generate import Truth, one_of, random_numbers
from pyrocrl.simulate.latents import NOISE_LAWS, NoiseLaw, draw_mechanisms, solve
from pyrocrl.simulate.mechanisms import MECHANISMS, MechanismName
from pyrocrl.simulate.painting import Placement, paint

__all__ = [
    "COLOURS",
    "LOOKS",
    "SETTINGS",
    "Colour",
    "Setting",
    "variant_mnist",
    "variant_mnist_images",
]

FloatArray = npt.NDArray[np.float64]
Setting = Literal["paper", "granted", "rotation", "identity"]
Colour = Literal["any", "red", "green", "blue"]

COLOURS = ("red", "green", "blue")
_CLASSES = 10
_REACH = 2.5
_DIGIT_EXTENT, _GARMENT_EXTENT = 0.7, 0.5
_GROUPS = ("digit", "digit", "garment", "garment")
_LATENTS = ("digit.z1", "digit.z2", "garment.z1", "garment.z2")


@dataclass(frozen=True)
class Look:
    """What the latents of a setting are seen as, and the graph that they follow.

    Attributes:
        digit: what the digit's two latents are seen as.
        garment: what the garment's two latents are seen as.
        edges: (parent, child), positions among the four latents.
    """

    digit: tuple[str, str]
    garment: tuple[str, str]
    edges: tuple[tuple[int, int], ...]

    @property
    def adjacency(self) -> npt.NDArray[np.int64]:
        """`A[child, parent]`, 1 where an edge is."""
        adjacency = np.zeros((4, 4), dtype=np.int64)
        for parent, child in self.edges:
            adjacency[child, parent] = 1
        return adjacency

    @property
    def names(self) -> dict[str, str]:
        """What each latent is seen as, by its name."""
        return dict(zip(_LATENTS, self.digit + self.garment, strict=True))


_CROSSED = ((0, 1), (0, 2), (1, 3))
LOOKS: Mapping[str, Look] = {
    "paper": Look(("position", "transparency"), ("height", "grey"), ((0, 1), (0, 2), (2, 3))),
    "granted": Look(("position", "transparency"), ("height", "grey"), _CROSSED),
    "rotation": Look(("position", "rotation"), ("height", "rotation"), _CROSSED),
    "identity": Look(("position", "class"), ("height", "class"), _CROSSED),
}
SETTINGS: tuple[Setting, ...] = get_args(Setting)


def variant_mnist(
    folder: str | Path,
    *,
    seed: int = 0,
    n_subjects: int = 10_000,
    setting: Setting = "paper",
    colour: Colour = "any",
    size: int = 28,
    part: str = "train",
    noise: NoiseLaw = "gaussian",
    mechanism: MechanismName = "additive",
) -> tuple[MultimodalData, Truth]:
    """Coloured digits and garments whose looks follow a causal graph.

    Args:
        folder: holds `mnist/` and `fashion_mnist/`; what the arguments mean stands in
            `variant_mnist_images`.
        seed: decides everything.
        n_subjects: number of pairs.
        setting: "paper", "granted", "rotation" or "identity".
        colour: "any", "red", "green" or "blue".
        size: height and width of the images in pixels.
        part: "train" or "test".
        noise: "gaussian" or "laplace".
        mechanism: "additive" or "nonadditive".

    Returns:
        The images, modalities "digit" and "garment", and the truth behind them. Digits that all
        have one colour have its channel alone, and are the same whichever it is.

    Raises:
        DataError: if the folder does not hold the pictures, or there are too few subjects.
        ModelError: if an argument is unknown or out of range.

    Source: Sun et al. (2025), section 6.2 and appendix D.2.
    """
    images, truth = variant_mnist_images(
        folder,
        seed=seed,
        n_subjects=n_subjects,
        setting=setting,
        colour=colour,
        size=size,
        part=part,
        noise=noise,
        mechanism=mechanism,
    )
    digit = Image(images["digit"])
    if colour != "any":
        # The other channels are black throughout.
        digit = Image(images["digit"][:, [COLOURS.index(colour)]], channels=[colour])
    return MultimodalData({"digit": digit, "garment": Image(images["garment"])}), truth


def variant_mnist_images(
    folder: str | Path,
    *,
    seed: int = 0,
    n_subjects: int = 10_000,
    setting: Setting = "paper",
    colour: Colour = "any",
    size: int = 28,
    part: str = "train",
    noise: NoiseLaw = "gaussian",
    mechanism: MechanismName = "additive",
) -> tuple[dict[str, npt.NDArray[np.uint8]], Truth]:
    """Images of coloured digits and of garments that follow a causal graph, as arrays.

    Each modality has two latents, drawn as in `numerical_case`. In the paper's setting the digit's
    horizontal position acts on its transparency and on the garment's vertical position, and this
    on the garment's grey level. Which digit and which garment is shown, and in which colour, is
    noise. Of the paper's graph theory grants the two positions alone; of the graph of the other
    settings, in which the digit's second latent has an effect of its own on the garment's second,
    it grants all four latents.

    | setting | digit.z1, digit.z2 | garment.z1, garment.z2 | edges |
    | --- | --- | --- | --- |
    | "paper" | position, transparency | height, grey level | z1 -> z2, z1 -> z1, then z1 -> z2 |
    | "granted" | position, transparency | height, grey level | z1 -> z2, z1 -> z1, z2 -> z2 |
    | "rotation" | position, rotation | height, rotation | as "granted" |
    | "identity" | position, class | height, class | as "granted" |

    Looks are straight in their latents up to 2.5 standard deviations from the mean: the centre
    moves over half of the canvas, the brightest pixel has a quarter of full brightness to all of
    it, a picture turns by 60 degrees either way; a class is the latent's decile.

    Args:
        folder: holds `mnist/` and `fashion_mnist/`, each with IDX files, see
            `read_labelled_images`.
        seed: decides everything.
        n_subjects: number of pairs; pictures are drawn with replacement.
        setting: "paper", "granted", "rotation" or "identity".
        colour: "any" (each digit has one of three), "red", "green" or "blue" (all have this one).
        size: height and width of the images in pixels, at least 8.
        part: "train" or "test", which pictures to draw from.
        noise: "gaussian" or "laplace".
        mechanism: "additive" or "nonadditive".

    Returns:
        "digit", uint8 (subject, 3, size, size), and "garment", uint8 (subject, 1, size, size); and
        the truth behind them, whose noise is class and colour as numbers.

    Raises:
        DataError: if the folder does not hold the pictures.
        ModelError: if an argument is unknown or out of range.

    Source: Sun et al. (2025), section 6.2 and appendix D.2. Strengths and shapes of the effects are
        not stated there; ours are those of `numerical_case`.
    """
    one_of("setting", setting, LOOKS)
    one_of("colour", colour, dict.fromkeys(("any", *COLOURS)))
    one_of("noise", noise, NOISE_LAWS)
    one_of("mechanism", mechanism, MECHANISMS)
    if n_subjects < 1 or size < 8:
        raise ModelError(
            f"n_subjects must be at least 1 and size at least 8 pixels, not {n_subjects} and {size}"
        )
    rng, look = random_numbers(seed), LOOKS[setting]
    pictures = [_pictures(Path(folder) / name, part) for name in ("mnist", "fashion_mnist")]
    own = NOISE_LAWS[noise]((n_subjects, len(_LATENTS)), rng)
    z = solve(draw_mechanisms(look.adjacency, mechanism, rng), look.adjacency, own)
    z = (z - z.mean(0)) / (z.std(0) + (n_subjects == 1))
    hues = _hues(colour, n_subjects, rng)
    digit, digit_class = _painted(pictures[0], look.digit, z[:, :2], np.eye(3)[hues], size, rng)
    garment, garment_class = _painted(
        pictures[1], look.garment, z[:, 2:], np.ones((n_subjects, 1)), size, rng
    )
    truth = Truth(
        latents=pd.DataFrame(z, columns=list(_LATENTS)),
        adjacency=pd.DataFrame(look.adjacency, index=list(_LATENTS), columns=list(_LATENTS)),
        noise=pd.DataFrame(
            {"digit.eta1": digit_class, "digit.eta2": hues, "garment.eta1": garment_class}
        ).astype(float),
        groups=_GROUPS,
    )
    return {"digit": digit, "garment": garment}, truth


def _pictures(folder: Path, part: str) -> LabelledImages:
    pictures = read_labelled_images(folder, part)
    absent = sorted(set(range(_CLASSES)) - set(pictures.labels.tolist()))
    if absent:
        raise DataError(f"{folder} has no {part} images of the classes {absent}")
    return pictures


def _hues(colour: Colour, n_subjects: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    if colour == "any":
        return rng.integers(len(COLOURS), size=n_subjects)
    return np.full(n_subjects, COLOURS.index(colour))


def _painted(
    pictures: LabelledImages,
    looks: tuple[str, str],
    z: FloatArray,
    tint: FloatArray,
    size: int,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images of one modality, and the class of what each one shows."""
    shown = dict(zip(looks, z.T, strict=True))
    classes = (
        np.minimum((_CLASSES * norm.cdf(shown["class"])).astype(np.int64), _CLASSES - 1)
        if "class" in shown
        else rng.integers(_CLASSES, size=len(z))
    )
    chosen = _one_of_each(pictures.labels, classes, rng)
    still = np.zeros(len(z))
    values = {name: LAWS[name](shown[name]) for name in shown if name in LAWS}
    shade = values.get("transparency", values.get("grey", still + 1.0))
    placement = Placement(
        right=values.get("position", still),
        down=values.get("height", still),
        angle=values.get("rotation", still),
        extent=_DIGIT_EXTENT if "position" in shown else _GARMENT_EXTENT,
        brightest=shade[:, None] * tint,
    )
    return paint(pictures.images[chosen], placement, size), classes


def _one_of_each(
    labels: npt.NDArray[np.int64], classes: npt.NDArray[np.int64], rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """For every class asked for, the position of a random picture of it."""
    chosen = np.empty_like(classes)
    for label in range(_CLASSES):
        wanted = classes == label
        chosen[wanted] = rng.choice(np.flatnonzero(labels == label), size=int(wanted.sum()))
    return chosen


def _within_reach(z: FloatArray) -> FloatArray:
    """-1 to 1, straight between 2.5 standard deviations below and above the mean."""
    return np.asarray(z.clip(-_REACH, _REACH) / _REACH)


# What a latent is seen as: its value in standard deviations -> halves of the canvas, degrees, or
# the brightness of the brightest pixel.
LAWS: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "position": lambda z: 0.5 * _within_reach(z),
    "height": lambda z: -0.5 * _within_reach(z),
    "rotation": lambda z: 60.0 * _within_reach(z),
    "transparency": lambda z: 0.625 - 0.375 * _within_reach(z),
    "grey": lambda z: 0.625 + 0.375 * _within_reach(z),
}
