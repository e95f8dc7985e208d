"""Takes out of a text what says nothing about it: line ends of another system, typographic quotes, leaked tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from evalkit.judging.masking import blank, code_extents

_NEWLINE = re.compile("\r\n|[\r\x85\u2028\u2029]")
_QUOTES = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032", "'") | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"')
)
_LINE_MARKS = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?)", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<![\w*_])[*_]{1,3}(?=[^\s*_])|(?<=[^\s*_])[*_]{1,3}(?![\w*_])")


@dataclass(frozen=True, slots=True)
class Normalisation:
    """What to make alike before counting. ``cut_at``: the text ends before the first of these outside code.

    ``markup`` takes emphasis, headings, quotation signs and back-ticks out, but not for the counter of marks.
    """

    newlines: bool = False
    quotes: bool = False
    ends: bool = False
    markup: bool = False
    cut_at: tuple[str, ...] = ()

    def of(self, text: str) -> tuple[str, str]:
        """The text to count in, and the same with its mark-up."""
        if self.newlines:
            text = _NEWLINE.sub("\n", text)
        if self.quotes:
            text = text.translate(_QUOTES)
        if self.cut_at:
            text = cut(text, self.cut_at)
        if self.ends:
            text = text.strip()
        return (without_markup(text) if self.markup else text), text


AS_IT_IS = Normalisation()


def cut(text: str, tokens: tuple[str, ...]) -> str:
    """The text up to the first of ``tokens`` that does not stand in code."""
    if not any(token in text for token in tokens):
        return text
    visible = blank(text, code_extents(text)) if "`" in text or "~~~" in text else text
    places = [place for place in map(visible.find, tokens) if place >= 0]
    return text[: min(places)] if places else text


def without_markup(text: str) -> str:
    """The text without emphasis, heading and quotation signs, and back-ticks."""
    return _EMPHASIS.sub("", _LINE_MARKS.sub("", text)).replace("`", "")
