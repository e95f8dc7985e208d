"""One line of plain prose, read once: whatever it cannot hold need not be looked for in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 400
_CAPITAL, _SMALL = "A-ZÀ-ÖØ-Þ", "a-zß-öø-ÿ"
_WORD = rf"(?:[{_CAPITAL}]*+[{_SMALL}]++|[{_CAPITAL}]++|[0-9]++(?:[.,:][0-9]++)*+)"
_CHUNK = rf"{_WORD}(?:['’-]{_WORD})*+[.,;:!?%]?"
_LINE = re.compile(rf"{_CHUNK}(?: {_CHUNK})*+")
_WORDS = re.compile(rf"[{_SMALL}]+|[0-9]+")
_TOKENS = re.compile(rf"[{_SMALL}]+|[0-9]+|[^{_SMALL}0-9 ]")
_ENDS = ".!?;"


@dataclass(frozen=True, slots=True)
class PlainLine:
    """What detectors ask of a line before they search it; ``may_…`` beside each of them says when it has to.

    A plain line has at most 400 characters: words of Western Europe's letters in small letters, in capitals or with the
    first few of them capitals, whole numbers and such as 3.14, single blanks, a hyphen or an apostrophe inside a word
    and at most one of ``.,;:!?%`` behind it. So it holds no code, table, quotation, bracket or markup, no other script,
    no heap of marks and no glued words, and nothing that is said of a second line. Many short answers are one.

    ``words`` are its runs of letters and of digits in small letters, ``again`` says how many words and marks were said
    before, ``sentences`` how many there are at most, ``longest`` the characters of its longest stretch without a blank.
    """

    text: str
    words: tuple[str, ...]
    distinct: frozenset[str]
    again: int
    sentences: int
    longest: int

    @classmethod
    def of(cls, text: str) -> PlainLine | None:
        """The line, None for any other text."""
        if len(text) > LONGEST or _LINE.fullmatch(text) is None:
            return None
        lowered = text.lower()
        words = tuple(_WORDS.findall(lowered))
        tokens = _TOKENS.findall(lowered)
        return cls(
            text, words, frozenset(words), len(tokens) - len(set(tokens)),
            1 + sum([text.count(end, 0, -1) for end in _ENDS]), max(map(len, text.split())),
        )  # fmt: skip
