"""One plot of a report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing with its words; ``title``, ``caption`` and ``table`` are plain text, to be escaped by who shows them.

    ``name`` is unique among a report's plots and fit for an id. ``wide`` and ``narrow`` are the same figures as inline
    ``<svg>``, 720 and 360 pixels wide, to be put into HTML as they are. ``table`` holds the figures drawn: its header,
    then a row for every mark.
    """

    name: str
    title: str
    caption: str
    wide: str
    narrow: str
    table: tuple[tuple[str, ...], ...]

    @property
    def svg(self) -> str:
        """Both drawings; ``PLOT_CSS`` shows the one that fits the screen."""
        return self.wide + self.narrow
