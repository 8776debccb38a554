"""The plots of a posterior: each draws on the Axes it is given, or on new ones."""

from __future__ import annotations

from pyrocrl.report.directions import plot_directions
from pyrocrl.report.edges import plot_edges
from pyrocrl.report.graph import plot_graph
from pyrocrl.report.history import plot_agreement, plot_history
from pyrocrl.report.latents import plot_latents
from pyrocrl.report.sensitivity import plot_prior_sensitivity
from pyrocrl.report.traversal import plot_traversal

__all__ = [
    "plot_agreement",
    "plot_directions",
    "plot_edges",
    "plot_graph",
    "plot_history",
    "plot_latents",
    "plot_prior_sensitivity",
    "plot_traversal",
]
