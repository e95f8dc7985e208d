"""Finds loops of words, loops of characters, and copies of a whole text, in time linear in the text."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evalkit.judging.masking import Extent

# A letter of a script written without spaces is a token of its own.
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|\w+|[^\w\s]")
_LAUGHTER = re.compile(r"(?:(?:[hj][aeiou])+|(?:[aeiou][hj])+|(?:xd)+)", re.IGNORECASE)
_RUNS_LOOKED_AT = 8
_LAUGHTER_FACTOR = 4
_DIGITS_FACTOR = 4
_TAIL = 0.1
REPEATED_WORDS = 4
LONG = 10_000
"""Characters from which on a text is searched without a look: to keep what looks count would take more memory."""
_SHORT_UNIT = 2
_INTERJECTION = 3
_HEAD, _HEAD_CHARS = 240, 8


@dataclass(frozen=True, slots=True)
class LoopSize:
    """How much consecutive repetition is a loop: copies, tokens and characters covered, all three reached."""

    copies: float
    tokens: int
    chars: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """Characters ``start`` to ``end`` hold ``unit`` about ``copies`` times; ``share`` for scattered repetition."""

    start: int
    end: int
    unit: str
    copies: float


@dataclass(frozen=True)
class Tokens:
    """Words and marks of a text as numbers (equal when equal ignoring case), with where each starts and ends.

    What lies in ``hidden`` (sorted extents) is left out; a number below zero stands for it and breaks every repetition.
    ``words`` are the numbers of words alone, ``again`` says how many words and marks were said before, ``head`` are the
    first of them as they are written.
    """

    text: str
    hidden: tuple[Extent, ...]
    row: list[int]
    words: list[int]
    again: int
    head: list[str]

    @classmethod
    def of(cls, text: str, hidden: Sequence[Extent] = ()) -> Tokens:
        """Tokens of ``text``."""
        said: list[str] = []
        gaps: list[int] = []
        position = 0
        for start, end in hidden:
            said += _TOKEN.findall(text, position, max(position, start))
            position = max(position, start)
            gaps.append(len(said))
            said.append(text[position : min(position + _HEAD_CHARS, end)])
            position = max(position, end)
        said += _TOKEN.findall(text, position)
        lowered = list(map(str.lower, said))
        numbers = {token: number for number, token in enumerate(dict.fromkeys(lowered))}
        row = list(map(numbers.__getitem__, lowered))
        for place in gaps:
            row[place] = -place - 1
        words = [number for number, token in zip(row, said, strict=True) if token[:1].isalnum() and number >= 0]
        again = len(row) - (len(set(row)) if gaps else len(numbers))
        return cls(text, tuple(hidden), row, words, again, said[:_HEAD])

    @cached_property
    def ids(self) -> NDArray[np.int64]:
        """All numbers."""
        return np.array(self.row, dtype=np.int64)

    @property
    def starts(self) -> array[int]:
        """Where each token starts."""
        return self._places[0]

    @property
    def ends(self) -> array[int]:
        """Where each token ends."""
        return self._places[1]

    @cached_property
    def repeats(self) -> int:
        """How many sequences of four words and marks occurred before; at least so many in a long text."""
        return len(self.row) if len(self.text) > LONG else repeated_sequences(self.row)

    @cached_property
    def _places(self) -> tuple[array[int], array[int]]:
        starts, ends = array("q"), array("q")
        position = 0
        for first, last in (*self.hidden, (len(self.text), len(self.text))):
            for found in _TOKEN.finditer(self.text, position, max(position, first)):
                starts.append(found.start())
                ends.append(found.end())
            if first < len(self.text):
                starts.append(max(position, first))
                ends.append(max(position, last))
            position = max(position, last)
        return starts, ends


def find_loop(tokens: Tokens, sizes: Sequence[LoopSize], max_period: int, factor: float = 1.0) -> Repeat | None:
    """The first loop that reaches one of ``sizes`` (times ``factor``): the shortest unit that repeats back to back.

    A unit needs a letter or a digit; one of digits alone, or of laughter, needs four times the size.
    O(tokens × max_period).
    """
    if not may_loop(tokens, sizes, factor):
        return None
    fewest = min(size.copies for size in sizes)
    if fewest > 1:
        max_period = min(max_period, int((tokens.repeats + REPEATED_WORDS - 1) / (fewest - 1)))
    for period in range(1, min(max_period, len(tokens.ids) // 2) + 1):
        for first, last in runs(tokens.ids, period):
            start, end = tokens.starts[first], tokens.ends[last]
            unit = tokens.text[start : tokens.ends[first + period - 1]]
            if not any(char.isalnum() for char in unit):
                continue
            is_lenient = (
                not any(char.isalpha() for char in unit) or _LAUGHTER.fullmatch(unit.replace(" ", "")) is not None
            )
            scale = factor * _DIGITS_FACTOR if is_lenient else factor
            covered = last - first + 1
            copies = covered / period
            if any(
                copies >= size.copies * max(1.0, scale)
                and covered >= size.tokens * scale
                and end - start >= size.chars * scale
                for size in sizes
            ):
                return Repeat(start, end, unit, copies)
    return None


def may_loop(tokens: Tokens, sizes: Sequence[LoopSize], factor: float) -> bool:
    """Whether the text is long enough and says enough words again, in the same order, for any of ``sizes``."""
    again = tokens.again
    if may_reach(sizes, len(tokens.text), again, factor):
        again = min(again, tokens.repeats + REPEATED_WORDS - 1)
    return may_reach(sizes, len(tokens.text), again, factor)


def may_reach(sizes: Sequence[LoopSize], chars: int, again: int, factor: float = 1.0) -> bool:
    """Whether a text of so many characters, which says so many words and marks again, may hold one of the loops."""
    return any(
        chars >= size.chars * factor and again >= size.tokens * factor * (1 - 1 / max(1.0, size.copies)) - 1
        for size in sizes
    )


def find_whole_copies(tokens: Tokens, least: int, least_short: int) -> Repeat | None:
    """The whole text, marks aside, as a unit said several times over; ``least_short`` is for one or two words.

    Interjections of up to three letters ("ha ha ha", "no, no, no") may come twice as often.
    """
    words = tokens.words
    if tokens.hidden or len(words) < least or not may_be_whole_copies(len(words), len(set(words)), least):
        return None
    places = [place for place, start in enumerate(tokens.starts) if tokens.text[start].isalnum()]
    agrees = _agreements(words)
    for period in range(1, len(words) // least + 1):
        covered = period + agrees[period] if period < len(words) else period
        if len(words) - covered > _TAIL * len(words):
            continue
        start, end = tokens.starts[places[0]], tokens.ends[places[covered - 1]]
        unit = tokens.text[start : tokens.ends[places[period - 1]]]
        needed = least if period > _SHORT_UNIT else least_short
        needed *= 2 if len(unit) <= _INTERJECTION or _LAUGHTER.fullmatch(unit.replace(" ", "")) else 1
        needed *= 1 if any(char.isalpha() for char in unit) else 2
        is_loop = covered / period >= needed
        return Repeat(start, end, unit, covered / period) if is_loop else None
    return None


def may_be_whole_copies(words: int, distinct: int, least: int) -> bool:
    """Whether so few of the words are distinct that ``least`` copies of a unit may make up all but a tail of them."""
    return distinct <= words * (1 / least + _TAIL)


def _agreements(values: Sequence[int]) -> list[int]:
    """For each place how many values from there on equal those from the start (the Z function)."""
    total = len(values)
    agrees = [0] * total
    left = right = 0
    for place in range(1, total):
        length = min(right - place, agrees[place - left]) if place < right else 0
        while place + length < total and values[length] == values[place + length]:
            length += 1
        agrees[place] = length
        if place + length > right:
            left, right = place, place + length
    return agrees


def find_character_run(
    text: str, hidden: Sequence[Extent], max_period: int, min_chars: int, min_copies: int
) -> Repeat | None:
    """The first stretch without spaces in which up to ``max_period`` characters repeat back to back.

    Laughter may go on four times as long, and so may digits. O(characters × max_period).
    """
    if re.search(rf"[^\t-\r \xa0\u3000]{{{max(1, min_chars)}}}", text) is None:
        return None
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)
    for start, end in hidden:
        codes[start:end] = -np.arange(start, end) - 1
    spaces = np.flatnonzero(np.isin(codes, [9, 10, 11, 12, 13, 32, 0xA0, 0x3000]))
    codes[spaces] = -spaces - 1
    for period in range(1, min(max_period, len(codes) // 2) + 1):
        for first, last in runs(codes, period):
            unit = text[first : first + period]
            if not any(char.isalnum() for char in unit):
                continue
            lenient = not any(char.isalpha() for char in unit) or _LAUGHTER.fullmatch(unit) is not None
            needed = max(min_chars, min_copies * period) * (_LAUGHTER_FACTOR if lenient else 1)
            if last - first + 1 >= needed:
                return Repeat(first, last + 1, unit, (last - first + 1) / period)
    return None


def repeated_share(words: Sequence[object]) -> float:
    """The share of four-word sequences that occurred before (Welleck et al. 2019)."""
    total = len(words) - REPEATED_WORDS + 1
    if total < 1:
        return 0.0
    return 1.0 - len(set(zip(words, words[1:], words[2:], words[3:], strict=False))) / total


def repeated_sequences(words: Sequence[object]) -> int:
    """How many four-word sequences occurred before."""
    total = max(0, len(words) - REPEATED_WORDS + 1)
    return total - len(set(zip(words, words[1:], words[2:], words[3:], strict=False)))


def runs(values: NDArray[np.int64], period: int) -> Iterator[Extent]:
    """First and last index of the longest stretches, eight at most, in which values equal those ``period`` before."""
    agrees = values[period:] == values[:-period]
    if np.count_nonzero(agrees) < period:
        return
    differs = np.flatnonzero(~agrees)
    edges = np.concatenate(([-1], differs, [len(values) - period]))
    lengths = np.diff(edges) - 1
    candidates = np.flatnonzero(lengths >= period)
    if len(candidates) > _RUNS_LOOKED_AT:
        candidates = candidates[np.argpartition(-lengths[candidates], _RUNS_LOOKED_AT)[:_RUNS_LOOKED_AT]]
    for index in sorted(candidates.tolist(), key=lambda index: (-int(lengths[index]), index)):
        first = int(edges[index]) + 1
        yield first, first + period + int(lengths[index]) - 1
