"""Sentences, lines and paragraphs of a text, as numbers that are equal where their words are."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from evalkit.judging.masking import Extent

_SENTENCE_END = re.compile(r"\n+|(?<=[.!?;])[\s\"')\]*]+|(?<=[。！？；])|(?<=[a-z)][.!?])(?=[A-Z])")
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n\s*")
_LINE_END = re.compile(r"\n+")
_ALONE = r"\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f"
"""Characters each of which is a word."""
_WORD = re.compile(rf"[{_ALONE}]|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
_LIST_LETTER = re.compile(rf"(?<![^\W\d_{_ALONE}])[a-z](?:\)|\Z)")
_ROMAN = re.compile(r"[IVXLC]+")
_COUNTERS = {
    word: number
    for number, words in enumerate(
        (
            "one first uno primero primera eins erste erster erstes un premier première",
            "two second dos segundo segunda zwei zweite zweiter zweites deux deuxième",
            "three third tres tercero tercera drei dritte dritter drittes trois troisième",
            "four fourth cuatro cuarto cuarta vier vierte vierter viertes quatre quatrième",
            "five fifth cinco quinto quinta fünf fünfte fünfter fünftes cinq cinquième",
            "six sixth seis sexto sexta sechs sechste sechster sechstes sixième",
            "seven seventh siete séptimo séptima sieben siebte siebter siebtes sept septième",
            "eight eighth ocho octavo octava acht achte achter achtes huit huitième",
            "nine ninth nueve noveno novena neun neunte neunter neuntes neuf neuvième",
            "ten tenth diez décimo décima zehn zehnte zehnter zehntes dix dixième",
            "eleven eleventh once elf elfte onze", "twelve twelfth doce zwölf zwölfte douze",
            "thirteen thirteenth trece dreizehn treize", "fourteen fourteenth catorce vierzehn quatorze",
            "fifteen fifteenth quince fünfzehn quinze", "sixteen sixteenth sechzehn seize",
            "seventeen seventeenth siebzehn", "eighteen eighteenth achtzehn", "nineteen nineteenth neunzehn",
            "twenty twentieth veinte zwanzig vingt",
        ),
        start=1,
    )
    for word in words.split()
}  # fmt: skip
_LONGEST_KEPT = 24
_HAN_DIGITS = {char: number for number, char in enumerate("一二三四五六七八九十", start=1)}


@dataclass(frozen=True, slots=True)
class Segment:
    """One sentence, line or paragraph: its words as numbers, and its counters (numbers, ordinals, list letters).

    ``words`` holds 0 for each counter, ``counters`` their values in order. ``stem`` counts the other words.
    """

    start: int
    end: int
    words: tuple[int, ...]
    counters: tuple[float, ...]

    @property
    def stem(self) -> int:
        return len(self.words) - len(self.counters)


def parts_of(text: str) -> tuple[int, int]:
    """How many sentences and how many paragraphs a text has at most."""
    return len(_SENTENCE_END.findall(text)) + 1, len(_PARAGRAPH_END.findall(text)) + 1


class Numbering:
    """Numbers words by first appearance; 0 is a counter."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._known: dict[tuple[str, int, int], tuple[list[int], list[float]]] = {}

    def sentences(self, text: str) -> list[Segment]:
        """Sentences and lines; a bare list number joins what follows it."""
        return self._segments(text, _SENTENCE_END)

    def lines(self, text: str) -> list[Segment]:
        """Lines that hold a word."""
        return self._segments(text, _LINE_END)

    def paragraphs(self, text: str) -> list[Segment]:
        """What blank lines part."""
        return self._segments(text, _PARAGRAPH_END)

    def _segments(self, text: str, end: re.Pattern[str]) -> list[Segment]:
        found: list[Segment] = []
        pending: tuple[int, list[float]] | None = None
        for start, stop in _between(text, end):
            words, counters = self._read(text, start, stop)
            if pending is not None:
                start, earlier = pending
                words, counters = [0] * len(earlier) + words, [*earlier, *counters]
                pending = None
            if len(words) > len(counters):
                found.append(Segment(start, stop, tuple(words), tuple(counters)))
            elif 0 < len(words) <= 2:
                pending = (start, counters)
        return found

    def _read(self, text: str, start: int, stop: int) -> tuple[list[int], list[float]]:
        """The words and counters of a part; a line is often a sentence and a paragraph too, and read once."""
        known = self._known.get((text, start, stop))
        if known is None:
            known = self._known[text, start, stop] = self._words_of(text, start, stop)
        return known

    def _words_of(self, text: str, start: int, stop: int) -> tuple[list[int], list[float]]:
        words: list[int] = []
        counters: list[float] = []
        numbers = self._numbers
        for word, value in _values_of(text, start, stop):
            if value is None:
                words.append(numbers.setdefault(word.lower(), len(numbers) + 1))
            else:
                words.append(0)
                counters.append(value)
        return words, counters


def has_list_letter(text: str, start: int = 0, stop: int = sys.maxsize) -> bool:
    """Whether a small letter may count there for the bracket behind it."""
    return _LIST_LETTER.search(text, start, stop) is not None


def counter(word: str, following: str) -> float | None:
    """The value of a word that counts (a number, an ordinal, a letter of a list), None for any other."""
    if following == ")" and len(word) == 1 and "a" <= word <= "z":
        return float(ord(word) - 96)
    return value_of(word)


def value_of(word: str) -> float | None:
    """The value of a word whatever follows it."""
    return _kept_value(word) if len(word) <= _LONGEST_KEPT else _value(word)


def _value(word: str) -> float | None:
    if word[0].isdigit():
        digits = word.replace(",", "")
        return float(digits) if digits.count(".") <= 1 and digits.isascii() and len(digits) < 16 else 0.0
    if len(word) == 1 and word in _HAN_DIGITS:
        return float(_HAN_DIGITS[word])
    if len(word) == 1 and "A" <= word <= "Z":
        return float(ord(word) - 64)
    if word[0] in "IVXLC" and len(word) < 8 and _ROMAN.fullmatch(word):
        return _roman(word)
    value = _COUNTERS.get(word.lower())
    return None if value is None else float(value)


_kept_value = lru_cache(maxsize=4096)(_value)


def _values_of(text: str, start: int, stop: int) -> list[tuple[str, float | None]]:
    """The words of a part of a text, each with its value where it counts."""
    if not has_list_letter(text, start, stop):
        words = _WORD.findall(text, start, stop)
        return [(word, _kept_value(word) if len(word) <= _LONGEST_KEPT else _value(word)) for word in words]
    found = _WORD.finditer(text, start, stop)
    return [(match.group(), counter(match.group(), text[match.end() : match.end() + 1])) for match in found]


def _roman(word: str) -> float:
    values = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}[char] for char in word]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return float(sum(-value if value < following else value for value, following in pairs))


def _between(text: str, end: re.Pattern[str]) -> Iterator[Extent]:
    position = 0
    for found in end.finditer(text):
        if found.start() > position:
            yield position, found.start()
        position = found.end()
    if position < len(text):
        yield position, len(text)
