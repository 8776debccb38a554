"""Reports, plots and exports of a posterior."""

from __future__ import annotations

from pyrocrl.report.export import to_csv, to_graphml
from pyrocrl.report.html import write_report
from pyrocrl.report.notebook import summary_html
from pyrocrl.report.plots import (
    plot_agreement,
    plot_directions,
    plot_edges,
    plot_graph,
    plot_history,
    plot_latents,
    plot_prior_sensitivity,
    plot_traversal,
)

__all__ = [
    "plot_agreement",
    "plot_directions",
    "plot_edges",
    "plot_graph",
    "plot_history",
    "plot_latents",
    "plot_prior_sensitivity",
    "plot_traversal",
    "summary_html",
    "to_csv",
    "to_graphml",
    "write_report",
]
