"""The plots of a run, each with its words and with its figures as a table."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.plots import Plot, missing
from evalkit.report_page.embedding import attribute, shown
from evalkit.report_page.table_markup import breakable

_NOTHING = "This run has nothing to plot."
_NOT_DRAWN = (
    "No plots were drawn: the end of a run draws them where the whole plan was run and there is enough to draw. "
    "Draw what there is with: evalkit report"
)


def plot_blocks(plots: Sequence[Plot] | None, run_id: str) -> str:
    """A figure for every plot, or why there is none; None where nobody tried to draw any."""
    if not plots:
        why = missing() or (f"{_NOT_DRAWN} {run_id}" if plots is None else _NOTHING)
        return f'<p class="quiet">{shown(why)}</p>'
    return "".join(_plot(plot) for plot in plots)


def _plot(plot: Plot) -> str:
    return (
        f'<figure class="plot-card" id="plot-{attribute(plot.name)}"><div class="drawing">{plot.svg}</div>'
        f"<figcaption><h3>{shown(plot.title)}</h3><p>{shown(plot.caption)}</p>{_figures(plot)}</figcaption></figure>"
    )


def _figures(plot: Plot) -> str:
    """What is drawn, for who cannot see it or wants the numbers."""
    if len(plot.table) < 2:
        return ""
    header = "".join(f'<th scope="col">{shown(name)}</th>' for name in plot.table[0])
    rows = "".join("<tr>" + "".join(f"<td>{breakable(cell)}</td>" for cell in row) + "</tr>" for row in plot.table[1:])
    label = attribute(f"{plot.title}: figures")
    return (
        '<details class="figures"><summary>The figures as a table</summary>'
        f'<div class="frame" role="region" tabindex="0" aria-label="{label}"><table>'
        f"<caption>{shown(plot.title)}</caption><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table></div></details>"
    )
