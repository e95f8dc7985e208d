"""Paired differences between targets as a forest plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, inf
from typing import Literal

from evalkit.comparing import MORE_IS_WORSE, Metric, Verdict, words_of
from evalkit.comparing.deciding import Estimate, verdict_of
from evalkit.comparing.sentences import interval, margin_words, signed
from evalkit.plots.canvas import Canvas
from evalkit.plots.captions import counted, joined, of_all
from evalkit.plots.lettering import short_names, visible
from evalkit.plots.palette import Colour
from evalkit.plots.plot import Plot
from evalkit.plots.rows import Axis, Frame, Mark, Row, draw_rows, height_of
from evalkit.reporting.figure_nouns import Delta, DeltaPart

MOST_ROWS = 60
"""With more rows than these only the categories that moved are drawn, or none; the table has all."""
_LOOKS: dict[Verdict, tuple[Colour, str, bool]] = {
    "IMPROVED": ("good", "^", False), "REGRESSED": ("bad", "v", False), "HELD": ("ink", "o", False),
    "UNDERPOWERED": ("muted", "o", True), "INCOMPARABLE": ("muted", "X", True),
}  # fmt: skip
Detail = Literal["all", "moved", "none"]
_LEFT_OUT: dict[Detail, str] = {
    "all": "",
    "moved": "Of the categories only those that moved are drawn; the table has all.",
    "none": "Categories are in the table only.",
}
_INCOMPARABLE = "INCOMPARABLE ones are drawn from the pairs that can be compared."
_MOVED = ("IMPROVED", "REGRESSED")


def delta_plots(deltas: Sequence[Delta], categories: Sequence[str] = ()) -> tuple[Plot, ...]:
    """A plot for every metric by which targets were compared over probes that both answered.

    Categories stand in the order of ``categories``, those it does not name last.
    """
    found: dict[Metric, list[Delta]] = {}
    for delta in deltas:
        if delta.shown.delta is not None:
            places = {name: place for place, name in enumerate(dict.fromkeys(categories))}
            parts = sorted(delta.parts, key=lambda part: places.get(part.category, len(places)))
            found.setdefault(delta.metric, []).append(replace(delta, parts=tuple(parts)))
    return tuple(_plot(metric, own) for metric, own in found.items())


def part_verdict(delta: Delta, part: DeltaPart) -> Verdict:
    """A category's verdict by the rule of whole comparisons, p being adjusted for the other categories."""
    gains = (part.delta, -inf if part.low is None else part.low, inf if part.high is None else part.high)
    if delta.metric in MORE_IS_WORSE:
        gains = (-gains[0], -gains[2], -gains[1])
    return verdict_of(Estimate(*gains, part.adjusted_p, "", part.pairs), delta.comparison.margin)


def _plot(metric: Metric, deltas: Sequence[Delta]) -> Plot:
    names, shared = short_names(list(dict.fromkeys(label for one in deltas for label in (one.before, one.after))))
    detail = _detail(deltas)
    rows = _rows(deltas, names, detail)
    axis = _axis(metric, rows, deltas[0].comparison.margin)
    title = f"Paired differences in {words_of(metric)}"
    caption = _caption(metric, deltas, shared, detail)
    name = f"deltas-{metric.replace('_', '-')}"
    drawn = {}
    for kind, frame, width in (
        ("wide", Frame(8, 180, 480, 606, 606, 616, folds=detail == "all"), 720),
        ("narrow", Frame(8, 14, 222, 354, 354, 354, is_stacked=True), 360),
    ):
        canvas = Canvas(width, height_of(rows, frame, axis) + 4)
        draw_rows(canvas, 0, rows, frame, axis)
        drawn[kind] = canvas.svg(name=f"{name}-{kind}", kind=kind, title=title, description=caption)
    return Plot(name, title, caption, drawn["wide"], drawn["narrow"], _table(metric, deltas))


def _detail(deltas: Sequence[Delta]) -> Detail:
    """How many categories there is room for."""
    moved = [part for delta in deltas for part in delta.parts if part_verdict(delta, part) in _MOVED]
    if sum(len(delta.parts) + 2 for delta in deltas) <= MOST_ROWS:
        return "all"
    return "moved" if len(deltas) + len(moved) <= MOST_ROWS else "none"


def _rows(deltas: Sequence[Delta], names: dict[str, str], detail: Detail) -> list[Row]:
    """A heading for every base or, where categories are drawn, for every comparison."""
    rows: list[Row] = []
    headed = ""
    for delta in deltas:
        after, before, shown = names[delta.after], names[delta.before], delta.shown
        is_short = detail != "all" or not delta.parts
        heading = f"against {before}" if is_short else f"{after} against {before}"
        if heading != headed:
            rows.append(Row(heading))
            headed = heading
        whole = _mark(delta.metric, shown.delta, shown.low, shown.high, delta.comparison.verdict)
        parts = [(part, part_verdict(delta, part)) for part in delta.parts if detail != "none"]
        drawn = [
            Row(visible(part.category), (_mark(delta.metric, part.delta, part.low, part.high, verdict),))
            for part, verdict in parts
            if detail == "all" or verdict in _MOVED
        ]
        total = Row(after if is_short else "all categories", (whole,), is_bold=True)
        rows += [total, *drawn] if is_short else [*drawn, total]
    return rows


def _mark(metric: Metric, delta: float | None, low: float | None, high: float | None, verdict: Verdict) -> Mark:
    colour, marker, is_hollow = _LOOKS[verdict]
    figures = f"{signed(metric, delta)} {interval(metric, low, high)}"
    return Mark(delta, low, high, figures, "", colour, marker, is_hollow, verdict, verdict in _MOVED)


def _axis(metric: Metric, rows: Sequence[Row], margin: float) -> Axis:
    """Symmetrical about zero, with the zero line, and the margin where a loss begins to do harm."""
    ends = [abs(end) for row in rows for mark in row.marks for end in (mark.value, mark.low, mark.high)
            if end is not None]  # fmt: skip
    unit = 1.0 if metric == "mean_score" else 0.01
    reach = max(*ends, margin * 2, unit) / unit
    step = next(size for size in (0.5, 1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000) if reach / size <= 2.0 or
                size == 1000)  # fmt: skip
    most = ceil(reach / step) * step
    count = round(most / step)
    ticks = tuple((place * step * unit, _tick(place * step)) for place in range(-count, count + 1))
    loss = margin if metric in MORE_IS_WORSE else -margin
    sides = ("← better", "worse →") if metric in MORE_IS_WORSE else ("← worse", "better →")
    words = (sides[0], "score" if metric == "mean_score" else "points", sides[1])
    return Axis(-most * unit, most * unit, ticks, ((0.0, False), (loss, True)), (min(loss, 0.0), max(loss, 0.0)), words)


def _tick(value: float) -> str:
    return f"{value:+g}".replace("-", "−") if value else "0"


def _caption(metric: Metric, deltas: Sequence[Delta], shared: str, detail: Detail) -> str:
    pairs = [delta.shown.pairs for delta in deltas]
    count = f"{pairs[0]:,}" if len(set(pairs)) == 1 else f"{min(pairs):,} to {max(pairs):,}"
    methods = list(dict.fromkeys(delta.shown.method for delta in deltas))
    return joined([
        f"Difference in {words_of(metric)} over the probes that both targets answered, "
        f"{counted(len(deltas), 'comparison')}, n = {count} pairs.",
        f"Whiskers are 95 % intervals ({'; '.join(methods)}).",
        "Solid line: no difference. Dashed line: the loss that still does no harm "
        f"({margin_words(metric, deltas[0].comparison.margin)}).",
        "▲ IMPROVED, ▼ REGRESSED, ● HELD, ○ UNDERPOWERED; verdicts of categories take p adjusted by Holm.",
        _INCOMPARABLE if any(delta.comparison.verdict == "INCOMPARABLE" for delta in deltas) else "",
        _LEFT_OUT[detail],
        of_all(shared),
    ])  # fmt: skip


def _table(metric: Metric, deltas: Sequence[Delta]) -> tuple[tuple[str, ...], ...]:
    head = ("target", "against", "category", "pairs", "difference", "95 % interval", "worse", "better", "p", "verdict")
    rows: list[tuple[str, ...]] = [head]
    for delta in deltas:
        shown, who = delta.shown, (visible(delta.after), visible(delta.before))
        rows += [
            (*who, visible(part.category), str(part.pairs), signed(metric, part.delta),
             interval(metric, part.low, part.high), str(part.worse), str(part.better), f"{part.adjusted_p:.3f}",
             part_verdict(delta, part))
            for part in delta.parts
        ]  # fmt: skip
        rows.append((
            *who, "all", str(shown.pairs), signed(metric, shown.delta), interval(metric, shown.low, shown.high),
            str(shown.worse), str(shown.better), "–" if shown.p is None else f"{shown.p:.3f}",
            delta.comparison.verdict,
        ))  # fmt: skip
    return tuple(rows)
