"""How a posterior shows itself: plots, a report, files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import matplotlib.axes

    from pyrocrl.posterior.posterior import Posterior

__all__ = ["Shown"]


class Shown:
    """What a `Posterior` can show; all of it is drawn and written by `pyrocrl.report`."""

    def plot_graph(self, ax: matplotlib.axes.Axes | None = None, **options: Any) -> Any:
        """Draw the graph, edges by probability, nodes by modality; returns the Axes."""
        from pyrocrl.report import plot_graph

        return plot_graph(_own(self), ax, **options)

    def plot_edges(self, ax: matplotlib.axes.Axes | None = None, **options: Any) -> Any:
        """Draw intervals of the strongest edges (an ArviZ forest); returns the Axes."""
        from pyrocrl.report import plot_edges

        return plot_edges(_own(self), ax, **options)

    def plot_directions(self, ax: matplotlib.axes.Axes | None = None, **options: Any) -> Any:
        """Draw which way edges point, pair by pair; returns the Axes."""
        from pyrocrl.report import plot_directions

        return plot_directions(_own(self), ax, **options)

    def plot_prior_sensitivity(self, ax: matplotlib.axes.Axes | None = None, **options: Any) -> Any:
        """Draw how the edges' probabilities move with their prior; returns the Axes."""
        from pyrocrl.report import plot_prior_sensitivity

        return plot_prior_sensitivity(_own(self), ax, **options)

    def plot_latents(self, ax: matplotlib.axes.Axes | None = None, **options: Any) -> Any:
        """Draw what each latent means, its loadings; returns the Axes."""
        from pyrocrl.report import plot_latents

        return plot_latents(_own(self), ax, **options)

    def plot_traversal(
        self, latent: str, ax: matplotlib.axes.Axes | None = None, **options: Any
    ) -> Any:
        """Draw what a latent does to its modality while the others stay; returns the Axes."""
        from pyrocrl.report import plot_traversal

        return plot_traversal(_own(self), latent, ax, **options)

    def report(self, path: str | Path) -> Path:
        """Write one self-contained HTML file that explains the result; returns its path."""
        from pyrocrl.report import write_report

        return write_report(_own(self), path)

    def to_csv(self, path: str | Path) -> Path:
        """Write the edge table as CSV; returns its path."""
        from pyrocrl.report import to_csv

        return to_csv(_own(self), path)

    def to_graphml(self, path: str | Path, threshold: float = 0.1) -> Path:
        """Write the graph as GraphML, edges from a probability on; returns its path."""
        from pyrocrl.report import to_graphml

        return to_graphml(_own(self), path, threshold)

    def _repr_html_(self) -> str:
        from pyrocrl.report import summary_html

        return summary_html(_own(self))


def _own(shown: Shown) -> Posterior:
    return cast("Posterior", shown)
