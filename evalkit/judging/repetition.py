"""Finds loops of words, loops of characters, and texts made of the same few phrases, in time linear in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalkit.judging.masking import Extent

# A letter of a script written without spaces is a token of its own.
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|\w+|[^\w\s]")
_LAUGHTER = re.compile(r"(?:(?:[hj][aeiou])+|(?:[aeiou][hj])+|(?:xd)+)", re.IGNORECASE)
_RUNS_LOOKED_AT = 8
_LAUGHTER_FACTOR = 4
_DIGITS_FACTOR = 4


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


@dataclass(frozen=True, slots=True)
class Tokens:
    """Words and marks of a text as numbers (equal when equal ignoring case), with where each starts and ends."""

    text: str
    ids: NDArray[np.int64]
    starts: list[int]
    ends: list[int]

    @classmethod
    def of(cls, text: str, hidden: Sequence[Extent] = ()) -> Tokens:
        """Tokens of ``text``; what lies in ``hidden`` (sorted extents) is left out and breaks every repetition."""
        numbers: dict[str, int] = {}
        ids: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        gaps = iter((*hidden, (len(text), len(text))))
        gap = next(gaps)
        position = 0
        while True:
            for found in _TOKEN.finditer(text, position, max(position, gap[0])):
                ids.append(numbers.setdefault(found.group().lower(), len(numbers)))
                starts.append(found.start())
                ends.append(found.end())
            if gap[0] >= len(text):
                return cls(text, np.array(ids, dtype=np.int64), starts, ends)
            ids.append(-len(ids) - 1)
            starts.append(max(position, gap[0]))
            ends.append(max(position, gap[1]))
            position = max(position, gap[1])
            gap = next(gaps)


def find_loop(tokens: Tokens, sizes: Sequence[LoopSize], max_period: int, factor: float = 1.0) -> Repeat | None:
    """The first loop that reaches one of ``sizes`` (times ``factor``): the shortest unit that repeats back to back.

    A unit needs a letter or a digit; one of digits alone needs four times the size. O(tokens × max_period).
    """
    for period in range(1, min(max_period, len(tokens.ids) // 2) + 1):
        for first, last in _runs(tokens.ids, period):
            start, end = tokens.starts[first], tokens.ends[last]
            unit = tokens.text[start : tokens.ends[first + period - 1]]
            if not any(char.isalnum() for char in unit):
                continue
            scale = factor if any(char.isalpha() for char in unit) else factor * _DIGITS_FACTOR
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


def find_character_run(
    text: str, hidden: Sequence[Extent], max_period: int, min_chars: int, min_copies: int
) -> Repeat | None:
    """The first stretch without spaces in which up to ``max_period`` characters repeat back to back.

    Laughter may go on four times as long, and so may digits. O(characters × max_period).
    """
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.int64)
    for start, end in hidden:
        codes[start:end] = -np.arange(start, end) - 1
    spaces = np.flatnonzero(np.isin(codes, [9, 10, 11, 12, 13, 32, 0xA0, 0x3000]))
    codes[spaces] = -spaces - 1
    for period in range(1, min(max_period, len(codes) // 2) + 1):
        for first, last in _runs(codes, period):
            unit = text[first : first + period]
            if not any(char.isalnum() for char in unit):
                continue
            lenient = not any(char.isalpha() for char in unit) or _LAUGHTER.fullmatch(unit) is not None
            needed = max(min_chars, min_copies * period) * (_LAUGHTER_FACTOR if lenient else 1)
            if last - first + 1 >= needed:
                return Repeat(first, last + 1, unit, (last - first + 1) / period)
    return None


def repeated_share(tokens: Tokens) -> tuple[float, int]:
    """The share of four-word sequences that occurred before, and the number of words (Welleck et al. 2019)."""
    words = [
        number
        for number, start in zip(tokens.ids.tolist(), tokens.starts, strict=True)
        if number >= 0 and tokens.text[start].isalnum()
    ]
    total = len(words) - 3
    if total < 1:
        return 0.0, len(words)
    return 1.0 - len(set(zip(words, words[1:], words[2:], words[3:], strict=False))) / total, len(words)


def _runs(values: NDArray[np.int64], period: int) -> Iterator[Extent]:
    """First and last index of the longest stretches in which every value equals the one ``period`` before it."""
    differs = np.flatnonzero(values[period:] != values[:-period])
    edges = np.concatenate(([-1], differs, [len(values) - period]))
    lengths = np.diff(edges) - 1
    candidates = np.flatnonzero(lengths >= period)
    if len(candidates) > _RUNS_LOOKED_AT:
        candidates = candidates[np.argpartition(-lengths[candidates], _RUNS_LOOKED_AT)[:_RUNS_LOOKED_AT]]
    for index in sorted(candidates.tolist(), key=lambda index: (-int(lengths[index]), index)):
        first = int(edges[index]) + 1
        yield first, first + period + int(lengths[index]) - 1
