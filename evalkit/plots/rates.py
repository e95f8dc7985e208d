"""Pass rates by target and category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evalkit.plots.canvas import SMALL, TEXT, Canvas
from evalkit.plots.captions import RATE_TICKS, bounds, counted, joined, of_all, percent, whiskers
from evalkit.plots.legend import Entry, Legend
from evalkit.plots.lettering import fitted, short_names, visible, width_of
from evalkit.plots.palette import MARKERS, SERIES
from evalkit.plots.plot import Plot
from evalkit.plots.rows import Axis, Frame, Mark, Row, draw_rows, height_of
from evalkit.reporting.figure_nouns import FigureRow

MOST_TOGETHER = 4
"""So many targets stand under each category in one panel; more of them get a panel for every category."""
NAME = "rates"
TITLE = "Pass rates"
ALL = "all categories"
_AXIS = Axis(0.0, 1.0, RATE_TICKS)
_PANEL_HEAD = 20.0
_GAP = 12.0


def rate_plots(rows: Sequence[FigureRow]) -> tuple[Plot, ...]:
    """One plot of all rates; none where nothing was scored."""
    targets = list(dict.fromkeys(row.target for row in rows))
    if not any(row.scored for row in rows):
        return ()
    names, shared = short_names(targets)
    roles = {row.target: row.role for row in rows}
    names = {label: f"{name} (reference)" if roles[label] == "reference" else name for label, name in names.items()}
    categories: list[str | None] = list(dict.fromkeys(row.category for row in rows if row.category is not None))
    groups = [*categories, None] if len(categories) != 1 else categories
    found = {(row.target, row.category): row for row in rows}
    caption = _caption([row for row in rows if row.category is None], len(categories), shared)
    if len(targets) <= MOST_TOGETHER:
        wide, narrow = [_together(kind, targets, names, groups, found, caption) for kind in ("wide", "narrow")]
    else:
        wide, narrow = [_apart(kind, targets, names, groups, found, caption) for kind in ("wide", "narrow")]
    return (Plot(NAME, TITLE, caption, wide, narrow, _table(rows)),)


def _caption(totals: Sequence[FigureRow], categories: int, shared: str) -> str:
    unscored, errors = sum(row.unscoreds.part for row in totals), sum(row.errors.part for row in totals)
    left_out = [words for count, words in ((unscored, f"{unscored} unscored"), (errors, f"{errors} with an error"))
                if count]  # fmt: skip
    said = (
        f"Pass rates of {counted(len(totals), 'target')} in {counted(categories, 'category', 'categories')}: passed of "
        f"scored trials, n = {sum(row.scored for row in totals):,}."
    )
    return joined([
        said, f"Left out: {', '.join(left_out)}." if left_out else "", whiskers(row.passes for row in totals),
        "Hollow: a reference target, which may fail." if any(row.role == "reference" for row in totals) else "",
        of_all(shared),
    ])  # fmt: skip


def _table(rows: Sequence[FigureRow]) -> tuple[tuple[str, ...], ...]:
    head = ("target", "category", "passed", "scored", "pass rate", "95 % interval", "unscored", "errors")
    return (head, *(
        (visible(row.target), ALL if row.category is None else visible(row.category), str(row.passes.part),
         str(row.scored), "–" if row.passes.rate is None else f"{100 * row.passes.rate:.1f} %",
         bounds(row.passes.low, row.passes.high) if row.scored else "–", str(row.unscoreds.part), str(row.errors.part))
        for row in rows
    ))  # fmt: skip


def _mark(row: FigureRow | None, place: int) -> Mark:
    if row is None:
        return Mark(None, None, None, "", "not asked")
    colour, marker = SERIES[place], MARKERS[place]
    share, hollow = row.passes, row.role == "reference"
    if share.rate is None:
        return Mark(None, None, None, "", "none scored", colour, marker, hollow)
    return Mark(share.rate, share.low, share.high, percent(share.rate), f"{share.part}/{share.whole}", colour, marker,
                hollow)  # fmt: skip


def _together(
    kind: str, targets: Sequence[str], names: dict[str, str], groups: Sequence[str | None],
    found: dict[tuple[str, str | None], FigureRow], caption: str,
) -> str:  # fmt: skip
    """All targets under each category, told apart by shape and colour."""
    rows = [
        Row(ALL if group is None else visible(group),
            tuple(_mark(found.get((label, group)), place) for place, label in enumerate(targets)), group is None)
        for group in groups
    ]  # fmt: skip
    frame = Frame(8, 200, 592, 650, 714) if kind == "wide" else Frame(8, 14, 234, 290, 354, is_stacked=True)
    frame = _with_room(frame, rows)
    width = 720 if kind == "wide" else 360
    entries = [
        Entry(names[label], SERIES[place], MARKERS[place], found[label, None].role == "reference")
        for place, label in enumerate(targets)
    ]
    legend = Legend(entries if len(targets) > 1 else (), frame.left, width - 4)
    canvas = Canvas(width, legend.height + height_of(rows, frame, _AXIS))
    legend.draw(canvas, 0)
    draw_rows(canvas, legend.height, rows, frame, _AXIS)
    return canvas.svg(name=f"{NAME}-{kind}", kind=kind, title=TITLE, description=caption)


def _apart(
    kind: str, targets: Sequence[str], names: dict[str, str], groups: Sequence[str | None],
    found: dict[tuple[str, str | None], FigureRow], caption: str,
) -> str:  # fmt: skip
    """A panel for every category, all over the same targets in the same order, the whole first."""
    ordered = sorted(groups, key=lambda group: group is not None)
    if kind == "wide":
        frames = [
            Frame(8, 156, 330, 378, 426, gap=3, folds=False),
            Frame(434, 444, 618, 666, 714, has_names=False, gap=3, folds=False),
        ]
    else:
        frames = [Frame(8, 132, 256, 304, 354, gap=3, folds=False)]
    panels = [[Row(names[label], (_mark(found.get((label, group)), 0),)) for label in targets] for group in ordered]
    frames = [_with_room(frame, [row for panel in panels for row in panel]) for frame in frames]
    tall = [_PANEL_HEAD + height_of(rows, frames[0], _AXIS) + _GAP for rows in panels]
    lines = [max(tall[place : place + len(frames)]) for place in range(0, len(panels), len(frames))]
    canvas = Canvas(720 if kind == "wide" else 360, sum(lines) - _GAP)
    for place, (group, rows) in enumerate(zip(ordered, panels, strict=True)):
        frame = frames[place % len(frames)]
        top = sum(lines[: place // len(frames)])
        title = ALL if group is None else visible(group)
        canvas.words(frame.panel, top + 9, fitted(title, frame.aside - frame.panel, TEXT, is_bold=True), is_bold=True)
        draw_rows(canvas, top + _PANEL_HEAD, rows, frame, _AXIS)
    return canvas.svg(name=f"{NAME}-{kind}", kind=kind, title=TITLE, description=caption)


def _with_room(frame: Frame, rows: Sequence[Row]) -> Frame:
    """The frame with its panel narrowed where counts are long."""
    longest = max(width_of(mark.aside, SMALL) for row in rows for mark in row.marks)
    figures = min(frame.figures, frame.aside - longest - 6)
    return replace(frame, figures=figures, panel_right=min(frame.panel_right, figures - width_of("100 %", SMALL) - 8))
