"""Tables of rates as HTML: a figure, its counts, and its interval as a small drawing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evalkit.report_page.embedding import attribute, shown
from evalkit.report_page.links import trials_link
from evalkit.stats import percent
from evalkit.tally import Share

_WIDTH, _HEIGHT = 96, 12
_QUIET = ' class="quiet"'
_JOINT = re.compile(r"[_:+/](?=\w)")


@dataclass(frozen=True, slots=True)
class Cell:
    """Markup that is safe already, and whether it is so usual that it may step back."""

    markup: str
    is_quiet: bool = False


def words(text: object, *, is_quiet: bool = False) -> Cell:
    """A cell of plain text."""
    return Cell(shown(text), is_quiet)


def rate_cell(share: Share, **chosen: str | None) -> Cell:
    """A rate with its counts and interval, a link to the trials of these facets; nothing of nothing is a dash."""
    if share.rate is None:
        return Cell('<span class="rate">–</span>', is_quiet=True)
    drawing = interval_drawing(share.rate, share.low, share.high)
    return Cell(f'<div class="drawn">{drawing}<div>{_figure(share, chosen)}</div></div>')


def incident_cell(share: Share, **chosen: str | None) -> Cell:
    """A rate that one hopes is nothing, with its counts and interval also where it is: of few trials, none says little.

    A link to the trials of these facets, where there are any.
    """
    if share.rate is None:
        return words("–", is_quiet=True)
    return Cell(_figure(share, chosen if share.part else {}), is_quiet=not share.part)


def bounded_cell(found: tuple[float, float, float] | None) -> Cell:
    """A rate with its interval, without counts."""
    if found is None:
        return words("–", is_quiet=True)
    rate, low, high = found
    return Cell(f'<span class="rate">{percent(rate)}</span>{_bounds(low, high)}')


def interval_drawing(rate: float, low: float, high: float) -> str:
    """The interval on the way from 0 to 100 %; the figures stand beside it, so it is silent for a screen reader."""
    left, right, dot = (3 + (_WIDTH - 6) * value for value in (low, high, rate))
    middle = _HEIGHT / 2
    return (
        f'<svg class="interval" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
        'aria-hidden="true">'
        f'<line class="track" x1="3" x2="{_WIDTH - 3}" y1="{middle:g}" y2="{middle:g}"/>'
        f'<line class="range" x1="{left:.1f}" x2="{right:.1f}" y1="{middle:g}" y2="{middle:g}"/>'
        f'<circle class="dot" cx="{dot:.1f}" cy="{middle:g}" r="3.5"/></svg>'
    )


def table(
    caption: str, header: Sequence[str], rows: Iterable[tuple[str, Sequence[Cell]]], *, groups: str = "",
    total: str = "", kind: str = "",
) -> str:  # fmt: skip
    """A table in a frame that scrolls by itself; ``groups`` is a row of markup above the header.

    The row named ``total`` stands out.
    """
    head = "".join(f'<th scope="col">{breakable(name)}</th>' for name in header)
    body = "".join(_row(name, cells, is_total=bool(total) and name == total) for name, cells in rows)
    return (
        f'<div class="frame {kind}" role="region" tabindex="0" aria-label="{attribute(caption)}"><table>'
        f"<caption>{shown(caption)}</caption><thead>{groups}<tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def breakable(name: str) -> str:
    """A name that a narrow column breaks where its parts meet."""
    return _JOINT.sub(r"\g<0><wbr>", shown(name))


def _row(name: str, cells: Sequence[Cell], *, is_total: bool) -> str:
    inner = "".join(f"<td{_QUIET if cell.is_quiet else ''}>{cell.markup}</td>" for cell in cells)
    kind = ' class="total"' if is_total else ""
    return f'<tr{kind}><th scope="row">{breakable(name)}</th>{inner}</tr>'


def _figure(share: Share, chosen: Mapping[str, str | None]) -> str:
    rate = f'<span class="rate">{percent(share.rate)}</span>'
    linked = trials_link(rate, **chosen) if chosen else rate
    return f'{linked} <span class="counts">{share.part}/{share.whole}</span>{_bounds(share.low, share.high)}'


def _bounds(low: float, high: float) -> str:
    return f'<span class="bounds">{100 * low:.1f}–{100 * high:.1f}</span>'
