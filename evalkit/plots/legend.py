"""Which line, shape and colour stands for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.plots.canvas import TEXT, Canvas
from evalkit.plots.lettering import fitted, width_of
from evalkit.plots.palette import LIGHT, Colour, Dashes
from evalkit.plots.rows import DOT, LINE

_SAMPLE = 24.0
_SPACE = 18.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One name with its look."""

    name: str
    colour: Colour
    marker: str
    is_hollow: bool = False
    dashes: Dashes = (0, None)


class Legend:
    """Entries in as many lines as they need between two edges, in pixels."""

    def __init__(self, entries: Sequence[Entry], left: float, right: float) -> None:
        self._placed: list[tuple[float, float, str, Entry]] = []
        x, line = left, 0
        for entry in entries:
            name = fitted(entry.name, right - left - _SAMPLE - 6, TEXT)
            wide = _SAMPLE + 6 + width_of(name, TEXT)
            if x > left and x + wide > right:
                x, line = left, line + 1
            self._placed.append((x, LINE * (line + 0.5), name, entry))
            x += wide + _SPACE
        self.height = LINE * (line + 1) + 6 if entries else 4.0

    def draw(self, canvas: Canvas, top: float) -> None:
        if not self._placed:
            return
        panel = canvas.panel(0, top, canvas.width, self.height, (0, canvas.width), (self.height, 0))
        for x, y, name, entry in self._placed:
            colour = LIGHT[entry.colour]
            panel.plot((x, x + _SAMPLE), (y, y), color=colour, lw=1.6, ls=entry.dashes, clip_on=False)
            panel.plot((x + _SAMPLE / 2,), (y,), marker=entry.marker, ms=DOT, ls="", mec=colour, mew=1.3,
                       mfc=LIGHT["paper"] if entry.is_hollow else colour, clip_on=False)  # fmt: skip
            canvas.words(x + _SAMPLE + 6, top + y, name)
