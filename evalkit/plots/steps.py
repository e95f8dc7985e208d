"""Pass rates against the step of training that a checkpoint was taken at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evalkit.plots.canvas import SMALL, Anchor, Canvas
from evalkit.plots.captions import RATE_TICKS, bounds, counted, joined, of_all, percent, whiskers
from evalkit.plots.legend import Entry, Legend
from evalkit.plots.lettering import short_names, visible
from evalkit.plots.palette import DASHES, LIGHT, MARKERS, SERIES
from evalkit.plots.plot import Plot
from evalkit.plots.ticks import axis_of
from evalkit.reporting.figure_nouns import StepRow

NAME = "steps"
TITLE = "Pass rate by training step"
MOST_LINES = 6
"""More series than these are drawn in panels below one another."""
_PANEL = 240.0
_ABOVE, _BELOW, _APART = 6.0, 40.0, 46.0


def step_plots(rows: Sequence[StepRow]) -> tuple[Plot, ...]:
    """One plot of all trainings of which at least two steps were scored."""
    found: dict[str, list[StepRow]] = {}
    for row in rows:
        if row.passes.rate is not None:
            found.setdefault(row.series, []).append(row)
    series = {name: own for name, own in found.items() if len({row.step for row in own}) > 1}
    if not series:
        return ()
    names, shared = short_names(list(series))
    every = [row for own in series.values() for row in own]
    counts = sorted({row.passes.whole for row in every})
    n = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    caption = joined([
        f"Pass rates of {counted(len(every), 'checkpoint')} of {counted(len(series), 'training')} by step, "
        f"n = {n} scored trials each.",
        whiskers(row.passes for row in every).replace("Whiskers", "Bands"), of_all(shared),
    ])  # fmt: skip
    wide, narrow = [_draw(kind, series, names, caption) for kind in ("wide", "narrow")]
    return (Plot(NAME, TITLE, caption, wide, narrow, _table(every)),)


def _draw(kind: str, series: dict[str, list[StepRow]], names: dict[str, str], caption: str) -> str:
    width = 720 if kind == "wide" else 360
    labels = list(series)
    groups = [labels[place : place + MOST_LINES] for place in range(0, len(labels), MOST_LINES)]
    legends = [
        Legend([_entry(names[label], place) for place, label in enumerate(group)], 8, width - 4) for group in groups
    ]
    canvas = Canvas(width, sum(legend.height + _ABOVE + _PANEL + _BELOW for legend in legends))
    top = 0.0
    for group, legend in zip(groups, legends, strict=True):
        legend.draw(canvas, top)
        top += legend.height + _ABOVE
        _panel(canvas, top, [series[label] for label in group])
        top += _PANEL + _BELOW
    return canvas.svg(name=f"{NAME}-{kind}", kind=kind, title=TITLE, description=caption)


def _entry(name: str, place: int) -> Entry:
    return Entry(name, SERIES[place], MARKERS[place], dashes=DASHES[place])


def _panel(canvas: Canvas, top: float, lines: Sequence[Sequence[StepRow]]) -> None:
    left, right = 46.0, canvas.width - 22.0
    steps = sorted({row.step for own in lines for row in own})
    axis = axis_of(steps[0], steps[-1])
    panel = canvas.panel(left, top, right - left, _PANEL, (axis.low, axis.high), (0.0, 1.0))
    for value, words in RATE_TICKS:
        panel.plot((axis.low, axis.high), (value, value), color=LIGHT["grid"], lw=0.8, clip_on=False)
        _tick(canvas, left - 8, top + _PANEL * (1 - value), words, "right")
    last = -_APART
    for step in steps:
        x = left + (step - axis.low) / (axis.high - axis.low) * (right - left)
        if x - last >= _APART:
            _tick(canvas, x, top + _PANEL + 11, f"{step:,}", "center")
            last = x
    _tick(canvas, (left + right) / 2, top + _PANEL + 28, "training step", "center")
    for place, own in enumerate(lines):
        _line(panel, own, place)


def _tick(canvas: Canvas, x: float, y: float, words: str, anchor: Anchor) -> None:
    canvas.words(x, y, words, anchor=anchor, size=SMALL, colour="muted")


def _line(panel: Any, rows: Sequence[StepRow], place: int) -> None:
    colour, steps = LIGHT[SERIES[place]], [row.step for row in rows]
    panel.fill_between(steps, [row.passes.low for row in rows], [row.passes.high for row in rows], color=colour,
                       alpha=0.13, lw=0, clip_on=False)  # fmt: skip
    panel.plot(steps, [row.passes.rate for row in rows], color=colour, lw=1.8, ls=DASHES[place],
               marker=MARKERS[place], ms=6, mec=colour, mfc=colour, clip_on=False)  # fmt: skip


def _table(rows: Sequence[StepRow]) -> tuple[tuple[str, ...], ...]:
    head = ("training", "step", "target", "passed", "scored", "pass rate", "95 % interval")
    return (head, *(
        (visible(row.series), str(row.step), visible(row.target), str(row.passes.part), str(row.passes.whole),
         percent(row.passes.rate), bounds(row.passes.low, row.passes.high))
        for row in rows
    ))  # fmt: skip
