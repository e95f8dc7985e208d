"""Measures whether small words stand in an order that sentences have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from evalkit.judging.collapse.order_tables import TABLES

_TOKEN = re.compile(
    r"(?P<word>[^\W\d_]{1,7}['’](?=[^\W\d_])(?![tsdm]\b|re\b|ve\b|ll\b)|[^\W\d_]+(?:['’](?:[tsdm]|re|ve|ll)\b)?)"
    r"|(?P<number>\d[\d.,]*)|(?P<stop>[.!?]+(?=[\s\"'”’)»]|$))|(?P<comma>[,;:](?=\s|$))|(?P<other>\n|[^\w\s])"
)
STOP, COMMA, NUMBER, CONTENT = ".", ",", "#", "~"
_BREAK = -1
_DRIFT = 0.2
_ZERO = 4
_BAD_BITS = -2
_SUFFIX = 2
_PRONOUN = "I"


@dataclass(frozen=True, slots=True)
class OrderTable:
    """Classes of words by number, and for each pair of them the bits by which a text makes it likelier than chance."""

    numbers: dict[str, int]
    bits: tuple[tuple[int, ...], ...]

    def number(self, word: str) -> int:
        """A function word's own class, or that of its last two letters."""
        known = self.numbers.get(word)
        if known is not None:
            return known
        content = self.numbers[CONTENT]
        return self.numbers.get(CONTENT + word[-_SUFFIX:], content) if len(word) > _SUFFIX + 1 else content


@dataclass(frozen=True, slots=True)
class Disorder:
    """Characters ``start`` to ``end`` hold ``words`` words whose order speaks against a sentence by ``bits``.

    ``bad`` are the extents of the pairs that hardly any sentence has.
    """

    start: int
    end: int
    words: int
    bits: float
    bad: tuple[tuple[int, int], ...]


def order_table(language: str) -> OrderTable | None:
    """The table of a language, None where there is none."""
    return _table(language) if language in TABLES else None


@cache
def _table(language: str) -> OrderTable:
    classes, rows = TABLES[language]
    numbers = {name: number for number, name in enumerate(classes.split())}
    return OrderTable(numbers, tuple(tuple(int(digit) - _ZERO for digit in row) for row in rows))


def classes_of(text: str, table: OrderTable) -> list[tuple[int, int, int]]:
    """Class (-1: says nothing), start and end of every word and mark; what begins a text follows a full stop."""
    found_classes = [(table.numbers[STOP], 0, 0)]
    for found in _TOKEN.finditer(text):
        kind, start, end = found.lastgroup, *found.span()
        if kind == "word":
            word = found.group()
            is_letter = len(word) == 1 and (
                (word.isupper() and word != _PRONOUN and found_classes[-1][0] != table.numbers[STOP])
                or text[end : end + 1] in (".", ")", "=")
            )
            number = _BREAK if is_letter else table.number(word.lower().replace("’", "'"))
        elif kind == "other":
            number = _BREAK
        else:
            number = table.numbers[{"number": NUMBER, "stop": STOP, "comma": COMMA}[str(kind)]]
        found_classes.append((number, start, end))
    return found_classes


def find_disorder(text: str, table: OrderTable) -> Disorder | None:
    """The stretch whose order speaks most against a sentence, by cumulated bits (Page's CUSUM, 1954)."""
    classes = classes_of(text, table)
    best = total = 0.0
    begin = first = last = 0
    for place, ((left, _, _), (right, _, _)) in enumerate(pairwise(classes)):
        if left < 0 or right < 0:
            continue
        if total <= 0:
            total, begin = 0.0, place
        total -= table.bits[left][right] + _DRIFT
        if total > best:
            best, first, last = total, begin, place + 1
    if best <= 0:
        return None
    stretch = classes[first : last + 1]
    return Disorder(stretch[0][1], stretch[-1][2], _words(stretch, text), best, tuple(_bad(stretch, table)))


def bits_of(text: str, table: OrderTable) -> float:
    """How much the order of a text speaks for this language, in bits; negative where it speaks against."""
    classes = classes_of(text, table)
    return float(
        sum(table.bits[left][right] for (left, _, _), (right, _, _) in pairwise(classes) if min(left, right) >= 0)
    )


def _words(stretch: Sequence[tuple[int, int, int]], text: str) -> int:
    return sum(text[start:end][:1].isalpha() for _, start, end in stretch)


def _bad(stretch: Sequence[tuple[int, int, int]], table: OrderTable) -> list[tuple[int, int]]:
    return [
        (start, end)
        for (left, start, _), (right, _, end) in pairwise(stretch)
        if min(left, right) >= 0 and table.bits[left][right] <= _BAD_BITS
    ]
