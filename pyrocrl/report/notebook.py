"""How a posterior shows itself in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pyrocrl.errors import plural
from pyrocrl.report.story import edge_rows, headline

if TYPE_CHECKING:
    from pyrocrl.posterior import Posterior

__all__ = ["summary_html"]

_BAR = (
    '<span style="display:inline-block;width:80px;height:9px;background:#e4e9ee;'
    'margin-right:8px"><span style="display:block;height:9px;width:{width:.0f}%;'
    'background:#0072B2"></span></span>'
)


def summary_html(posterior: Posterior, top: int = 10) -> str:
    """A few lines and the most probable edges, as HTML for ``_repr_html_``.

    Args:
        posterior: what to show.
        top: how many edges at most.

    Returns:
        HTML; names that come from the data are escaped.
    """
    latents = sum(posterior.nodes.is_latent)
    variables = len(posterior.nodes.names) - latents
    contents = f"{plural(latents, 'latent')}, {plural(variables, 'variable')}"
    parts = [f"<p><b>Posterior over edges</b> ({contents}). {escape(headline(posterior))}</p>"]
    parts += [f"<p>⚠ {escape(warning)}</p>" for warning in posterior.warnings]
    rows = edge_rows(posterior)
    if rows:
        heads = ("cause", "effect", "probability", "strength (nats per subject)", "direct effect")
        parts.append("<table><thead><tr>")
        parts += [f'<th style="text-align:left">{head}</th>' for head in heads]
        parts.append("</tr></thead><tbody>")
        for row in rows[:top]:
            cells = (
                escape(row.parent),
                escape(row.child),
                _BAR.format(width=100 * row.p) + escape(row.probability),
                _with_interval(row.strength, row.strength_interval),
                _with_interval(row.effect, row.effect_interval),
            )
            aligned = "".join(f'<td style="text-align:left">{cell}</td>' for cell in cells)
            parts.append(f"<tr>{aligned}</tr>")
        parts.append("</tbody></table>")
    if len(rows) > top:
        parts.append(
            f"<p>{plural(len(rows) - top, 'more edge')} in <code>edge_table()</code>; "
            "<code>report(path)</code> writes everything.</p>"
        )
    return "".join(parts)


def _with_interval(value: str, interval: str) -> str:
    return f"{value} ({interval})" if interval else value
