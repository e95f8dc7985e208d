"""What a noise makes of a text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Noised:
    """A text with noise. ``units`` are what the noise works on: words, letters or gaps between words.

    ``drawn`` of them were picked, and ``changed`` look different now.
    """

    text: str
    units: int = 0
    drawn: int = 0
    changed: int = 0
