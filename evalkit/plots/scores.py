"""How scores spread, target by target and condition by condition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from evalkit.plots.canvas import SMALL, TEXT, Canvas
from evalkit.plots.captions import counted, joined, of_all
from evalkit.plots.lettering import fitted, short_names, visible
from evalkit.plots.palette import LIGHT
from evalkit.plots.plot import Plot
from evalkit.plots.rows import Axis, Frame
from evalkit.plots.ticks import axis_of
from evalkit.reporting.figure_nouns import ScoreRow

MOST_PLOTS = 8
MOST_DOTS = 1_500
MOST_IN_A_ROW = 300
"""With more scores than these a row is a silhouette instead of dots."""
_ROW = 46.0
_LABEL = 17.0
_SWARM = 34.0
_DOT = 4.5


def score_plots(rows: Sequence[ScoreRow]) -> tuple[Plot, ...]:
    """A plot for every judge that gave scores in a suite; ``MOST_PLOTS`` at most, the last of which says so."""
    found: dict[tuple[str, str], list[ScoreRow]] = {}
    for row in rows:
        if row.category is None and row.values:
            found.setdefault((row.suite, row.judge), []).append(row)
    left = len(found) - MOST_PLOTS
    drawn = list(found.values())[:MOST_PLOTS]
    return tuple(
        _plot(number, own, left if number == MOST_PLOTS else 0) for number, own in enumerate(drawn, start=1)
    )  # fmt: skip


def _plot(number: int, rows: Sequence[ScoreRow], left_out: int) -> Plot:
    first = rows[0]
    names, shared = short_names([row.target for row in rows])
    title = f"Scores of {visible(first.suite)} by {visible(first.judge)}"
    is_dots = sum(row.n for row in rows) <= MOST_DOTS and max(row.n for row in rows) <= MOST_IN_A_ROW
    caption = _caption(rows, shared, is_dots, left_out)
    name = f"scores-{number}"
    wide, narrow = [
        _draw(name, kind, title, caption, rows, names, is_dots) for kind in ("wide", "narrow")
    ]  # fmt: skip
    return Plot(name, title, caption, wide, narrow, _table(rows))


def _caption(rows: Sequence[ScoreRow], shared: str, is_dots: bool, left_out: int) -> str:
    counts = sorted({row.n for row in rows})
    n = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    shape = "Each dot is one answer's score" if is_dots else "The shapes show how the scores spread"
    bounded = any(row.low is not None for row in rows)
    return joined([
        f"{shape}, {counted(len(rows), 'target')}, n = {n}{' each' if len(rows) > 1 else ''}.",
        "Diamonds are means with 95 % intervals (Student's, over families of probes), the upright strokes medians."
        if bounded else "Diamonds are means, the upright strokes medians; of so few there is no interval.",
        f"{counted(left_out, 'more score')} of other suites and judges {'is' if left_out == 1 else 'are'} in the "
        "tables only." if left_out > 0 else "",
        of_all(shared),
    ])  # fmt: skip


def _draw(
    name: str, kind: str, title: str, caption: str, rows: Sequence[ScoreRow], names: dict[str, str], is_dots: bool
) -> str:
    is_wide = kind == "wide"
    frame = Frame(8, 180, 566, 714, 714) if is_wide else Frame(8, 14, 346, 354, 354, is_stacked=True)
    pitch = _ROW if is_wide else _ROW + _LABEL
    axis = axis_of(min(row.values[0] for row in rows), max(row.values[-1] for row in rows))
    height = pitch * len(rows)
    canvas = Canvas(720 if is_wide else 360, height + 26)
    panel = canvas.panel(
        frame.panel, 4, frame.panel_right - frame.panel, height, (axis.low, axis.high), (height, 0)
    )  # fmt: skip
    _words(canvas, rows, names, frame, axis, pitch)
    for value, _ in axis.ticks:
        panel.plot((value, value), (0, height), color=LIGHT["grid"], lw=0.8, clip_on=False)
    unit = (axis.high - axis.low) / (frame.panel_right - frame.panel)
    for place, row in enumerate(rows):
        middle = pitch * place + pitch / 2 + (0 if is_wide else _LABEL / 2)
        _spread(panel, row, middle, unit, is_dots)
        _mean(panel, row, middle)
    return canvas.svg(name=f"{name}-{kind}", kind=kind, title=title, description=caption)


def _words(
    canvas: Canvas, rows: Sequence[ScoreRow], names: dict[str, str], frame: Frame, axis: Axis, pitch: float
) -> None:
    for place, row in enumerate(rows):
        label, figures = names[row.target], f"{row.mean:.2f} {_interval(row)}".replace("-", "−").rstrip()
        if frame.is_stacked:
            y = 4 + pitch * place + _LABEL / 2 + 2
            canvas.words(frame.left, y, fitted(label, 170, TEXT))
            canvas.words(frame.figures, y, figures, anchor="right", size=SMALL, colour="muted")
        else:
            y = 4 + pitch * (place + 0.5)
            canvas.words(frame.panel - 10, y, fitted(label, frame.panel - frame.left - 10, TEXT), anchor="right")
            canvas.words(frame.figures, y - 7, figures, anchor="right", size=SMALL)
            canvas.words(frame.figures, y + 8, f"n = {row.n:,}", anchor="right", size=SMALL, colour="muted")
    for value, words in axis.ticks:
        canvas.words(
            frame.x(value, axis), 4 + pitch * len(rows) + 11, words, anchor="center", size=SMALL, colour="muted"
        )


def _spread(panel: Any, row: ScoreRow, middle: float, unit: float, is_dots: bool) -> None:
    """The scores around ``middle``; ``unit`` is how much score one pixel is."""
    if is_dots:
        xs, ys = swarm(row.values, unit)
        panel.plot(xs, [middle + y for y in ys], marker="o", ms=_DOT, ls="", mfc=LIGHT["s1"], mew=0, alpha=0.55,
                   clip_on=False)  # fmt: skip
        return
    size = 6 * unit
    bins = Counter(round(value / size) for value in row.values)
    most = max(bins.values())
    places = range(min(bins) - 1, max(bins) + 2)
    xs = [(place + side) * size for place in places for side in (-0.5, 0.5)]
    halves = [bins[place] / most * _SWARM / 2 for place in places for _ in range(2)]
    panel.fill_between(xs, [middle - half for half in halves], [middle + half for half in halves],
                       color=LIGHT["s1"], alpha=0.45, lw=0, clip_on=False)  # fmt: skip


def swarm(values: Sequence[float], unit: float) -> tuple[list[float], list[float]]:
    """The values with offsets in pixels, so that as few dots as possible hide one another."""
    bins: dict[int, list[float]] = {}
    for value in values:
        bins.setdefault(round(value / (_DOT * unit)), []).append(value)
    most = max(map(len, bins.values()))
    step = min(_DOT, _SWARM / max(most - 1, 1))
    xs, ys = [], []
    for own in bins.values():
        for place, value in enumerate(own):
            xs.append(value)
            ys.append((place - (len(own) - 1) / 2) * step)
    return xs, ys


def _mean(panel: Any, row: ScoreRow, middle: float) -> None:
    ink = LIGHT["ink"]
    panel.plot((row.median, row.median), (middle - 9, middle + 9), color=ink, lw=1.8, clip_on=False)
    if row.low is not None and row.high is not None:
        panel.plot((row.low, row.high), (middle, middle), color=ink, lw=2.2, solid_capstyle="butt", clip_on=False)
    panel.plot((row.mean,), (middle,), marker="D", ms=7, ls="", mfc=LIGHT["paper"], mec=ink, mew=1.6, clip_on=False)


def _interval(row: ScoreRow) -> str:
    return "" if row.low is None or row.high is None else f"[{row.low:.2f}, {row.high:.2f}]"


def _table(rows: Sequence[ScoreRow]) -> tuple[tuple[str, ...], ...]:
    head = ("target", "n", "mean", "95 % interval", "median", "sd", "lowest", "highest")
    return (head, *(
        (visible(row.target), str(row.n), f"{row.mean:.2f}", _interval(row) or "–", f"{row.median:.2f}",
         "–" if row.sd is None else f"{row.sd:.2f}", f"{row.values[0]:.2f}", f"{row.values[-1]:.2f}")
        for row in rows
    ))  # fmt: skip
