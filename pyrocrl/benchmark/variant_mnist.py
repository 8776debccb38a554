"""Variant MNIST, as another setting of the benchmark: `pyrocrl benchmark variant-mnist`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pyrocrl.benchmark.results import Results
from pyrocrl.benchmark.run import pending, run
from pyrocrl.benchmark.scores import found_from_text
from pyrocrl.benchmark.settings import OURS, Setting
from pyrocrl.data import MultimodalData
from pyrocrl.errors import ConfigError, listing
from pyrocrl.markdown import markdown_table, write_page
from pyrocrl.simulate import Truth, variant_mnist
from pyrocrl.simulate.variant_mnist import COLOURS, LOOKS

__all__ = ["IMAGE_METHODS", "image_settings", "run_variant_mnist"]

IMAGE_METHODS = (OURS, "mcl", "beta-vae", "causal-vae", "untrained")

_SUBJECTS = 10_000
_NOISE = 4
_RESTARTS = 4
_COLUMNS = (
    *("setting", "method", "seeds", "MCC", "R2", "MCC granted"),
    *("each latent", "SHD", "SHD between", "processor s"),
)
_HEAD = """\
# Variant MNIST

Made by

    pyrocrl benchmark variant-mnist --data FOLDER

{subjects:,} pairs of images, 28 x 28 pixels; means over seeds. `pyrocrl.simulate.variant_mnist`
says how they are painted. Of the paper's graph theory grants the two positions (digit.z1,
garment.z1); of the graphs of the other settings, all four latents. Latents are matched within
their modality, R2 is held out, an edge is one with P > .5. Our fits take {restarts} restarts; each
modality has {noise} dimensions of noise of its own. All methods have the same encoders, and the
graph of the others is the posterior that our fits report, given their latents. Seconds are of a
processor.

The paper reports MCC .85 for its method on its graph (CausalVAE .74, MCL .63, beta-VAE .53), and R2
.90 (.50, .79, .68).
"""


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
    return write_page(out / "variant_mnist.md", _render(table))


def _render(table: pd.DataFrame) -> str:
    lines = []
    for (setting, method), rows in table.groupby(["setting", "method"], sort=False):
        found = pd.DataFrame([found_from_text(text) for text in rows.found]).mean()
        lines.append(
            [
                str(setting).removeprefix("variant-mnist-"),
                method,
                len(rows),
                *(f"{rows[score].mean():.3f}" for score in ("mcc", "r2", "mcc_granted")),
                ", ".join(f"{latent} {value:.2f}" for latent, value in found.items()),
                *(f"{rows[score].mean():.1f}" for score in ("shd", "shd_between")),
                f"{rows.cpu_seconds.mean():.0f}",
            ]
        )
    head = _HEAD.format(subjects=_SUBJECTS, restarts=_RESTARTS, noise=_NOISE)
    return f"{head}\n{markdown_table(_COLUMNS, lines)}\n"
