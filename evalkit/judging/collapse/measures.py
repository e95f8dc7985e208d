"""Soft measures of repetition: reported with every verdict, never a verdict of their own."""

from __future__ import annotations

import zlib
from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evalkit.judging.collapse.finding import Passage
from evalkit.judging.repetition import REPEATED_WORDS, Tokens, repeated_share

_WINDOW = 1024
_LENGTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_LINE_WORDS = 4
_LOOKED_AT = 1 << 16


class Measures(NamedTuple):
    """The measures of one text."""

    repeated_share: float
    zlib_ratio: float
    longest_repeat: int
    duplicate_line_share: float


def measure(passage: Passage) -> Measures:
    """All measures of a passage, of a plain line without looking for what too few words said again rule out."""
    text, line = passage.text, passage.line
    if line is None or line.again >= _LENGTHS[0]:
        tokens = passage.all_tokens
        return Measures(
            repeated_share(tokens.words), zlib_ratio(text), longest_repeat(tokens), duplicate_line_share(text)
        )
    share = repeated_share(line.words) if line.again >= REPEATED_WORDS else 0.0
    return Measures(share, zlib_ratio(text), 0, 0.0)


def zlib_ratio(text: str) -> float:
    """The highest ratio of raw to compressed size of any window of 1 kB; 1.4 to 2.3 is usual for prose."""
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) < _WINDOW // 4:
        return 0.0
    windows = (raw[start : start + _WINDOW] for start in range(0, max(1, len(raw) - _WINDOW // 2), _WINDOW // 2))
    return max(len(window) / len(zlib.compress(window)) for window in windows if len(window) >= _WINDOW // 4)


def duplicate_line_share(text: str) -> float:
    """The share of lines of four words or more that occurred before (MassiveText, Rae et al. 2021, table A1)."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line.count(" ") >= _LINE_WORDS - 1]
    return 1 - len(Counter(lines)) / len(lines) if lines else 0.0


def longest_repeat(tokens: Tokens) -> int:
    """Words and marks of the longest sequence that comes twice without overlap (8 to 256; of the first 65,536).

    What comes twice begins with shorter sequences that do; one of eight holds five of four words.
    """
    if tokens.repeats <= _LENGTHS[0] - REPEATED_WORDS:
        return 0
    ids = np.abs(tokens.ids[:_LOOKED_AT]).astype(np.uint64)
    again = len(ids) - len(set(ids.tolist()))
    longest = 0
    for length in _LENGTHS:
        if len(ids) < 2 * length or again < length or not _comes_twice(ids, length):
            break
        longest = length
    return longest


def _comes_twice(ids: NDArray[np.uint64], length: int) -> bool:
    first: dict[int, int] = {}
    for place, value in enumerate(_hashes(ids, length).tolist()):
        if place - first.setdefault(value, place) >= length:
            return True
    return False


def _hashes(ids: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """A number for each sequence of ``length`` ids; equal sequences have equal ones."""
    mixed = (ids + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    total = np.zeros(len(ids) - length + 1, dtype=np.uint64)
    for offset in range(length):
        total = total * np.uint64(0x100000001B3) + mixed[offset : offset + len(total)]
    return total
