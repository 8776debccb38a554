"""Variant MNIST, as another setting of the benchmark: `pyrocrl benchmark variant-mnist`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyrocrl.benchmark.results import Results
from pyrocrl.benchmark.run import pending, run
from pyrocrl.benchmark.settings import OURS, Setting
from pyrocrl.benchmark.variant_mnist_page import render_variant_mnist
from pyrocrl.data import MultimodalData
from pyrocrl.errors import ConfigError, listing
from pyrocrl.markdown import write_page
from pyrocrl.simulate import Truth, variant_mnist
from pyrocrl.simulate.variant_mnist import COLOURS, LOOKS

__all__ = ["IMAGE_METHODS", "image_settings", "run_variant_mnist"]

IMAGE_METHODS = (OURS, "mcl", "beta-vae", "causal-vae", "untrained")

_SUBJECTS = 10_000
_NOISE = 4
_RESTARTS = 4


@dataclass(frozen=True)
class ImageSetting(Setting):
    """A setting whose pictures lie in a folder, which no result depends on."""

    folder: Path = Path()

    def simulate(self, seed: int) -> tuple[MultimodalData, Truth]:
        """Paint the images, and give the truth behind them."""
        return variant_mnist(self.folder, seed=seed, **self.keywords)


def image_settings(folder: Path, subjects: int = _SUBJECTS) -> dict[str, ImageSetting]:
    """The settings by name: the looks, and the paper's in each of the colours.

    Args:
        folder: holds `mnist/` and `fashion_mnist/`.
        subjects: pairs of images.

    Example:
        >>> list(image_settings(Path()))
        ['paper', 'granted', 'rotation', 'identity', 'paper-red', 'paper-green', 'paper-blue']
    """
    told = {look: {"setting": look} for look in LOOKS}
    told |= {f"paper-{colour}": {"setting": "paper", "colour": colour} for colour in COLOURS}
    return {
        name: ImageSetting(
            f"variant-mnist-{name}",
            "variant_mnist",
            {"n_subjects": subjects, **keywords},
            noise=_NOISE,
            methods=IMAGE_METHODS,
            fit={"restarts": _RESTARTS},
            folder=folder,
        )
        for name, keywords in told.items()
    }


def run_variant_mnist(
    folder: Path,
    names: Sequence[str],
    seeds: Sequence[int],
    methods: Sequence[str],
    out: Path,
    *,
    render: bool = False,
    say: Callable[[str], object] = print,
) -> Path | None:
    """Fit what does not stand in variant_mnist.csv, then write variant_mnist.md.

    Args:
        folder: holds `mnist/` and `fashion_mnist/`.
        names: of settings, see `image_settings`.
        seeds: of the data.
        methods: some of `IMAGE_METHODS`.
        out: folder of the results.
        render: run nothing, only write the page.
        say: called with a line for each row.

    Returns:
        The page; None where there are no results.

    Raises:
        ConfigError: if a setting or method is unknown.
    """
    settings = image_settings(folder)
    for what, given, known in (
        ("setting", names, tuple(settings)),
        ("method", methods, IMAGE_METHODS),
    ):
        unknown = [name for name in given if name not in known]
        if unknown:
            raise ConfigError(
                f"there is no {what} {listing(unknown)}; there are {listing(known, limit=10)}"
            )
    results = Results(out / "variant_mnist.csv")
    if not render:
        chosen = [settings[name] for name in names]
        run(pending(chosen, seeds, methods, results.keys(failed=False)), results, say=say)
    table = results.frame(settings.values())
    table = table[table.error.isna()]
    if table.empty:
        return None
    page = render_variant_mnist(table, subjects=_SUBJECTS, restarts=_RESTARTS, noise=_NOISE)
    return write_page(out / "variant_mnist.md", page)
