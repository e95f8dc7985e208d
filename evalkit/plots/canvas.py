"""A matplotlib figure measured in pixels, from its upper left corner."""

from __future__ import annotations

from io import StringIO
from typing import Any, Literal

from evalkit.plots.palette import LIGHT, Colour
from evalkit.plots.svg import page_svg

Anchor = Literal["left", "center", "right"]
TEXT = 12.0
SMALL = 11.0
_POINTS_PER_INCH = 72


class Canvas:
    """One drawing. matplotlib never sees a word of it: it draws placeholders, so no name is markup, maths or a glyph
    that its font lacks.
    """

    def __init__(self, width: int, height: float) -> None:
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        self.width, self.height = width, round(height)
        self._figure = Figure((self.width / _POINTS_PER_INCH, self.height / _POINTS_PER_INCH), dpi=_POINTS_PER_INCH)
        FigureCanvasSVG(self._figure)
        self._words: dict[str, str] = {}

    def panel(
        self, left: float, top: float, width: float, height: float, x: tuple[float, float], y: tuple[float, float]
    ) -> Any:
        """Bare axes at this place, whose lower left corner is (x[0], y[0])."""
        box = (left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height)
        axes = self._figure.add_axes(box, xlim=x, ylim=y, frameon=False)
        axes.set_xticks([])
        axes.set_yticks([])
        return axes

    def words(
        self, x: float, y: float, text: str, *, anchor: Anchor = "left", size: float = TEXT, colour: Colour = "ink",
        is_bold: bool = False,
    ) -> None:  # fmt: skip
        """Text on the baseline that puts the middle of its letters at ``y``."""
        if not text:
            return
        placeholder = f"t{len(self._words)}"
        self._words[placeholder] = text
        self._figure.text(
            x / self.width, 1 - (y + 0.35 * size) / self.height, placeholder, ha=anchor, va="baseline", size=size,
            color=LIGHT[colour], weight="bold" if is_bold else "normal", parse_math=False,
        )  # fmt: skip

    def svg(self, *, name: str, kind: str, title: str, description: str) -> str:
        """The drawing as an inline ``<svg>``."""
        from matplotlib import rc_context

        written = StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Type", "Format"))
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "path.simplify": False}):
            self._figure.savefig(written, format="svg", metadata=nothing, transparent=True)
        return page_svg(
            written.getvalue(), self._words, name=f"plot-{name}", kind=kind, title=title, description=description,
            size=(self.width, self.height),
        )  # fmt: skip
