"""The report: one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyrocrl.errors import plural
from pyrocrl.report.directions import direction_rows, directions_in_words
from pyrocrl.report.edges import EdgesPicture
from pyrocrl.report.export import output_path
from pyrocrl.report.graph import GraphPicture
from pyrocrl.report.history import AgreementPicture, HistoryPicture
from pyrocrl.report.latents import LatentsPicture
from pyrocrl.report.sensitivity import sensitivity_in_words
from pyrocrl.report.story import EdgeRow, edge_rows, findings, headline, latent_stories
from pyrocrl.report.style import Picture, figure_of, group_colours
from pyrocrl.report.tables import ranked_restarts, rows
from pyrocrl.report.traversal import TraversalPicture
from pyrocrl.report.wording import (
    count,
    duration,
    gap,
    number,
    percent,
    variance_share,
)
from pyrocrl.scm import ORDERS

if TYPE_CHECKING:
    from markupsafe import Markup

    from pyrocrl.posterior import Posterior

__all__ = ["svg_uri", "write_report"]

_DRAWN_FROM = 0.1
_SHOWN_ROWS = 25
_FEW_ROWS = 5  # not worth folding away
_UNBROKEN = 22  # characters of a name that stay on one line
_PAGE = 16.0  # inches: a wider graph is scrolled, not shrunk until nobody can read it

_SETTING_NAMES = {
    "latents": "Latents per modality",
    "noise": "Noise dimensions per modality",
    "edge prior": "Prior over edges",
    "rope": "Strength that counts as none (rope), nats per subject",
    "order": "Causal order",
}

_ADDITIVE = (
    "Edge probabilities are computed as if each node were a sum of smooth functions of its causes, "
    "one for each, plus Gaussian noise: causes do not modify each other's influence."
)
_LINEAR = (
    "Edge probabilities are computed as if each node were a weighted sum of its causes plus "
    "Gaussian noise: an influence that bends may be missed."
)

_GIVEN_ORDER = (
    "The causal order of the modalities was given, not found: an edge runs only from a modality to "
    "a later one, as they were listed or as background knowledge says. The data say whether it is "
    "there, not which way it points. Between latents of one modality an edge may run either way."
)

_LEARNED_ORDER = (
    "The causal order was not given: edges may run either way, and every graph that was considered "
    "is free of cycles. Where the data cannot tell cause from effect, as with straight lines and "
    "Gaussian noise, both directions keep a part of the probability."
)
_NO_ORDER = (
    "Graphs may have cycles: each node may cause any other, and values are those at which all "
    "causes and effects agree."
)
_ORDERS = {
    ORDERS["modality"]: _GIVEN_ORDER,
    ORDERS["learned"]: _LEARNED_ORDER,
    ORDERS["cyclic"]: _NO_ORDER,
}


def write_report(posterior: Posterior, path: str | Path) -> Path:
    """Write the report as one self-contained HTML file.

    Pictures and style stand in the file; it loads nothing and runs no scripts. Names that come
    from the data are escaped.

    Args:
        posterior: what to report.
        path: the file to write; folders on the way are made.

    Returns:
        The path written to.

    Raises:
        PyrocrlError: the path cannot be a file.
    """
    import jinja2

    path = output_path(path)
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = resources.files("pyrocrl.report").joinpath("template.html")
    environment.filters["breakable"] = _breakable
    page = environment.from_string(template.read_text(encoding="utf-8"))
    path.write_text(page.render(_context(posterior)), encoding="utf-8")
    return path


def _breakable(name: str) -> Markup:
    """A name, escaped, that may be broken across lines after a dot or an underscore."""
    from markupsafe import Markup, escape

    safe = escape(name)
    if len(name) <= _UNBROKEN:
        return safe
    return safe.replace("_", Markup("_<wbr>")).replace(".", Markup(".<wbr>"))


def svg_uri(picture: Picture, *, whole: bool = False) -> str:
    """The picture as an SVG in a ``data:`` address, the same each time it is drawn.

    Args:
        picture: what to draw.
        whole: the picture fills its figure, with no room for ticks and labels around it.
    """
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "pyrocrl", "svg.fonttype": "path"}):
        figure = figure_of(picture, whole=whole)
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _context(posterior: Posterior) -> dict[str, Any]:
    settings = posterior.settings
    rope = float(settings.get("rope", 0.0))
    edges = edge_rows(posterior)
    drawn = sum(row.p >= _DRAWN_FROM for row in edges)
    shown = min(max(drawn, _FEW_ROWS), _SHOWN_ROWS)
    if len(edges) - shown <= _FEW_ROWS:
        shown = len(edges)
    graph = GraphPicture.of(posterior, _DRAWN_FROM)
    forest = EdgesPicture.of(posterior)
    latents = LatentsPicture.of(posterior)
    stories = latent_stories(posterior)
    several = len(posterior.restarts) > 1
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "tiles": _tiles(posterior),
        "warnings": posterior.warnings,
        "headline": headline(posterior),
        "findings": findings(posterior),
        "rope": f"{rope:g}",
        "rope_share": percent(variance_share(rope)) if rope > 0 else "",
        "drawn_from": f"{_DRAWN_FROM:g}",
        "graph": svg_uri(graph, whole=True),
        "graph_alt": f"Graph of {plural(len(graph.nodes), 'node')} and "
        f"{plural(len(graph.edges), 'edge')}; the table of edges has the same content.",
        "graph_scrolls": f"{graph.size[0] * 72:.0f}" if graph.size[0] > _PAGE else "",
        "graph_edges": len(graph.edges),
        "graph_left_out": plural(graph.left_out, "weaker edge") if graph.left_out else "",
        "rows": edges[:shown],
        "more_rows": edges[shown:],
        "more_most": _at_most(edges[shown:]),
        "forest": "" if forest.edges.empty else svg_uri(forest),
        "directions": directions_in_words(posterior),
        "direction_rows": direction_rows(posterior),
        "sensitivity": sensitivity_in_words(posterior),
        "stories": stories,
        "looks": _looks(posterior),
        "colours": group_colours(posterior.nodes.groups),
        "heatmap": svg_uri(latents) if stories else "",
        "heatmap_left_out": plural(latents.left_out, "column") if latents.left_out else "",
        "history": "" if posterior.history.empty else svg_uri(HistoryPicture.of(posterior)),
        "agreement": svg_uri(AgreementPicture.of(posterior)) if several else "",
        "starts": int(settings.get("restarts", len(posterior.restarts))),
        "restarts": _restarts(posterior),
        "stages": _stages(posterior),
        "data": _data(posterior),
        "settings": [
            (_SETTING_NAMES.get(key, key.replace("_", " ").capitalize()), _setting(key, value))
            for key, value in settings.items()
        ],
        "order": _ORDERS.get(str(settings.get("order")), ""),
        "mechanism": _LINEAR if settings.get("mechanism") == "linear" else _ADDITIVE,
        "edge_prior": str(settings.get("edge prior", "")),
        "has_latents": bool(stories),
    }


def _looks(posterior: Posterior) -> dict[str, str]:
    """A picture of what each latent of an image or a series does, by its name."""
    summary = posterior.data_summary
    kinds = dict(zip(summary.modality, summary.kind, strict=True))
    return {
        name: svg_uri(TraversalPicture.of(posterior, name))
        for name, group in zip(posterior.nodes.names, posterior.nodes.groups, strict=True)
        if kinds[group] in ("image", "series")
    }


def _at_most(edges: list[EdgeRow]) -> str:
    if not edges:
        return ""
    text = edges[0].probability
    return text.replace("<", "below") if text.startswith("<") else f"at most {text}"


def _setting(key: str, value: str | int | float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return count(value) if isinstance(value, int) and key != "seed" else str(value)


def _tiles(posterior: Posterior) -> list[tuple[str, str]]:
    data = posterior.data_summary
    tiles = []
    subjects = posterior.settings.get("subjects")
    if subjects is not None:
        tiles.append((count(int(subjects)), "subjects"))
    latents = sum(posterior.nodes.is_latent)
    variables = len(posterior.nodes.names) - latents
    measured = int(data.loc[data["kind"] == "table", "columns"].sum())
    likely = int((posterior.edge_table()["probability"] > 0.5).sum())
    counts = (
        (measured, "measured column", "measured columns"),
        (latents, "latent inferred", "latents inferred"),
        (variables, "measured variable", "measured variables"),
        (likely, "edge with P > 0.5", "edges with P > 0.5"),
        (len(posterior.restarts), "restart trained to the end", "restarts trained to the end"),
    )
    for value, one, many in counts:
        # A kind of node that the fit has none of is no news; no likely edge is.
        if value or one.startswith("edge"):
            tiles.append((count(value), one if value == 1 else many))
    return tiles


def _restarts(posterior: Posterior) -> list[tuple[str, ...]]:
    return [
        (
            f"{row.restart} (reported)" if i == 0 else str(row.restart),
            number(row.held_out_elbo, 5),
            gap(row.difference, row.difference_se) if row.difference else "best",
            number(row.edges, 2),
            percent(row.weight),
            number(row.agreement),
        )
        for i, row in enumerate(rows(ranked_restarts(posterior.restarts)))
    ]


def _stages(posterior: Posterior) -> list[tuple[str, ...]]:
    return [
        (
            str(i),
            str(row.stage),
            str(getattr(row, "purpose", "")),
            count(int(row.epochs)),
            duration(row.seconds),
            str(row.reason),
        )
        for i, row in enumerate(rows(posterior.stages), start=1)
    ]


def _data(posterior: Posterior) -> list[tuple[str, str, str, str]]:
    kinds = {"table": "table, explained by latents", "variables": "causal variables themselves"}
    return [
        (
            str(row.modality),
            kinds.get(str(row.kind), str(row.kind)),
            count(int(row.columns)),
            percent(row.missing),
        )
        for row in rows(posterior.data_summary)
    ]
