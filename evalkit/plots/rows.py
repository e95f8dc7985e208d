"""Dots with whiskers in rows: the shape that rates, differences and trust are all drawn in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import nan
from typing import Any

from evalkit.plots.canvas import SMALL, TEXT, Anchor, Canvas
from evalkit.plots.lettering import fitted, lines_of
from evalkit.plots.palette import LIGHT, Colour

PITCH = 15.0
LINE = 17.0
TICKS = 20.0
DOT = 6.0
_NAME_LINE = 14.0


@dataclass(frozen=True, slots=True)
class Mark:
    """One dot: its value with the ends of its interval (None: none there), and the figures that stand beside it.

    ``aside`` stands muted behind them. A ``verdict`` is loud where something moved.
    """

    value: float | None
    low: float | None
    high: float | None
    figures: str
    aside: str = ""
    colour: Colour = "s1"
    marker: str = "o"
    is_hollow: bool = False
    verdict: str = ""
    is_loud: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """The marks under one name; a heading has none. ``is_bold`` sets the sum of other rows off from them."""

    name: str
    marks: tuple[Mark, ...] = ()
    is_bold: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """What stands along the bottom: ends, ticks with their words, lines that mean something (value, dashed).

    ``band`` is shaded. ``words`` stand under the ticks: left, middle, right.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    lines: tuple[tuple[float, bool], ...] = ()
    band: tuple[float, float] | None = None
    words: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """Where things stand, in pixels from the left: the panel, right ends of figures and asides, and the verdicts.

    With ``is_stacked`` a row's name stands above its marks, its verdict at the right end of the same line.
    """

    left: float
    panel: float
    panel_right: float
    figures: float
    aside: float
    verdict: float = 0.0
    is_stacked: bool = False
    has_names: bool = True
    gap: float = 7.0
    folds: bool = True

    def x(self, value: float, axis: Axis) -> float:
        """Where a value stands."""
        return self.panel + (value - axis.low) / (axis.high - axis.low) * (self.panel_right - self.panel)


def height_of(rows: Sequence[Row], frame: Frame, axis: Axis) -> float:
    """What ``draw_rows`` takes."""
    return sum(_height(row, frame) for row in rows) + TICKS + (LINE if axis.words else 0)


def draw_rows(canvas: Canvas, top: float, rows: Sequence[Row], frame: Frame, axis: Axis) -> None:
    """Rows from ``top`` downwards, the axis below them."""
    height = sum(_height(row, frame) for row in rows)
    panel = canvas.panel(
        frame.panel, top, frame.panel_right - frame.panel, height, (axis.low, axis.high), (height, 0.0)
    )
    placed: list[tuple[float, Mark]] = []
    stretches: list[tuple[float, float]] = []
    y = 0.0
    for row in rows:
        tall = _height(row, frame)
        if row.marks:
            stretches.append((y + _name_height(frame), y + tall))
            placed += _place(row, frame, y)
        _write(canvas, row, frame, top + y)
        y += tall
    _background(panel, axis, stretches)
    _draw_marks(panel, placed, axis)
    _write_axis(canvas, top + height, frame, axis)


def _height(row: Row, frame: Frame) -> float:
    if not row.marks:
        return LINE + frame.gap
    marks = PITCH * len(row.marks)
    if frame.is_stacked:
        return marks + frame.gap + LINE
    return max(marks, _NAME_LINE * len(_name_lines(row, frame))) + frame.gap


def _name_height(frame: Frame) -> float:
    return LINE + frame.gap / 2 if frame.is_stacked else 0.0


def _name_lines(row: Row, frame: Frame) -> list[str]:
    room = frame.panel - frame.left - 12
    if not frame.has_names:
        return []
    if not frame.folds:
        return [fitted(row.name, room, TEXT, is_bold=row.is_bold)]
    return lines_of(row.name, room, TEXT, is_bold=row.is_bold)


def _place(row: Row, frame: Frame, y: float) -> list[tuple[float, Mark]]:
    """The marks with the places of their middles."""
    spare = _height(row, frame) - PITCH * len(row.marks) - (LINE if frame.is_stacked else 0)
    first = y + spare / 2 + (LINE if frame.is_stacked else 0)
    return [(first + PITCH * (number + 0.5), mark) for number, mark in enumerate(row.marks)]


def _background(panel: Any, axis: Axis, stretches: Sequence[tuple[float, float]]) -> None:
    """Band and lines, left out where names stand."""
    joined: list[tuple[float, float]] = []
    for start, end in stretches:
        if joined and joined[-1][1] == start:
            start = joined.pop()[0]
        joined.append((start, end))
    ys = [y for start, end in joined for y in (start, end, nan)]
    if axis.band:
        panel.fill_betweenx(ys, *axis.band, color=LIGHT["band"], lw=0, clip_on=False)
    meant = [value for value, _ in axis.lines]
    for value, _ in axis.ticks:
        if value not in meant:
            panel.plot([value] * len(ys), ys, color=LIGHT["grid"], lw=0.8, clip_on=False)
    for value, is_dashed in axis.lines:
        dashes = (0, (3, 3)) if is_dashed else "-"
        panel.plot([value] * len(ys), ys, color=LIGHT["muted"], lw=1.1, ls=dashes, clip_on=False)


def _write(canvas: Canvas, row: Row, frame: Frame, top: float) -> None:
    """The row's name, figures and verdicts."""
    tall = _height(row, frame)
    if not row.marks:
        name = fitted(row.name, canvas.width - frame.left - 8, TEXT, is_bold=True)
        canvas.words(frame.left, top + frame.gap / 2 + LINE / 2, name, is_bold=True)
    elif frame.is_stacked:
        room = canvas.width - frame.left - 12 - (106 if row.marks[0].verdict else 0)
        name = fitted(row.name, room, TEXT, is_bold=row.is_bold)
        canvas.words(frame.left, top + frame.gap / 2 + LINE / 2, name, is_bold=row.is_bold)
    else:
        lines = _name_lines(row, frame)
        first = top + tall / 2 - _NAME_LINE * (len(lines) - 1) / 2
        for number, line in enumerate(lines):
            canvas.words(frame.panel - 10, first + _NAME_LINE * number, line, anchor="right", is_bold=row.is_bold)
    for y, mark in _place(row, frame, top):
        canvas.words(frame.figures, y, mark.figures, anchor="right", size=SMALL)
        canvas.words(frame.aside, y, mark.aside, anchor="right", size=SMALL, colour="muted")
        if mark.verdict:
            colour: Colour = mark.colour if mark.is_loud else "muted"
            canvas.words(
                frame.verdict, top + frame.gap / 2 + LINE / 2 if frame.is_stacked else y, mark.verdict, size=SMALL,
                anchor="right" if frame.is_stacked else "left", colour=colour, is_bold=mark.is_loud,
            )  # fmt: skip


def _write_axis(canvas: Canvas, y: float, frame: Frame, axis: Axis) -> None:
    for value, words in axis.ticks:
        canvas.words(frame.x(value, axis), y + 10, words, anchor="center", size=SMALL, colour="muted")
    if axis.words:
        places = (frame.panel, (frame.panel + frame.panel_right) / 2, frame.panel_right)
        anchors: tuple[Anchor, ...] = ("left", "center", "right")
        for x, words, anchor in zip(places, axis.words, anchors, strict=True):
            canvas.words(x, y + 27, words, anchor=anchor, size=SMALL, colour="muted")


def _draw_marks(panel: Any, placed: Sequence[tuple[float, Mark]], axis: Axis) -> None:
    """Whiskers first, then dots; one artist for all that look alike."""
    drawn = [(y, mark) for y, mark in placed if mark.value is not None]
    for colour, alike in groupby(sorted(drawn, key=_colour), key=_colour):
        xs, ys = [], []
        for y, mark in alike:
            xs += [axis.low if mark.low is None else mark.low, axis.high if mark.high is None else mark.high, nan]
            ys += [y, y, nan]
        panel.plot(xs, ys, color=LIGHT[colour], lw=1.6, solid_capstyle="butt", clip_on=False)
    for (colour, marker, is_hollow), alike in groupby(sorted(drawn, key=_look), key=_look):
        points = list(alike)
        panel.plot(
            [mark.value for _, mark in points], [y for y, _ in points], marker=marker, ms=DOT, ls="",
            mfc=LIGHT["paper"] if is_hollow else LIGHT[colour], mec=LIGHT[colour], mew=1.3, clip_on=False,
        )  # fmt: skip


def _colour(placed: tuple[float, Mark]) -> Colour:
    return placed[1].colour


def _look(placed: tuple[float, Mark]) -> tuple[Colour, str, bool]:
    mark = placed[1]
    return mark.colour, mark.marker, mark.is_hollow
