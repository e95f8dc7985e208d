"""Compiles phrase lists and finds them in a text: whole words, accents and contractions alike, negation seen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

_APOSTROPHES = {"’": "'", "‘": "'", "ʼ": "'", "`": "'"}
_GAP = r"(?:[^\w.!?;\n]+[\w']+){0,4}?"
_FILLERS_IN_A_ROW = 3
_CLAUSE_END = re.compile(
    r"[.!?;:,\n()—–]|\b(?:but|however|though|although|because|rather|instead|pero|aunque|sino|porque|mais|aber|sondern|mas)\b"
)
_WORD = re.compile(r"[\w']+")
_GROUP = re.compile(r"<(\w+)>")
_AUXILIARY = "do|does|did|is|are|was|were|has|have|had|could|would|should|must|need"
_CONTRACTIONS = (
    (re.compile(r"\bcannot\b"), r"(?:can ?not|can'?t)"),
    (re.compile(r"\bwill not\b"), r"(?:will not|won'?t)"),
    (re.compile(rf"\b({_AUXILIARY}) not\b"), r"\1(?: not|n'?t)"),
    (re.compile(rf"\(((?:{_AUXILIARY})(?:\|(?:{_AUXILIARY}))*)\) not\b"), r"(?:\1)(?: not|n'?t)"),
    (re.compile(r"\bi am\b"), r"i(?: am|'?m)"),
    (re.compile(r"\b(i|you|we|they) (?:will)\b"), r"\1(?: will|'ll)"),
    (re.compile(r"\b(i|you|we|they) (?:would)\b"), r"\1(?: would|'d)"),
    (re.compile(r"\b(i|you|we|they) have\b"), r"\1(?: have|'ve)"),
    (re.compile(r"\b(you|we|they) are\b"), r"\1(?: are|'?re)"),
    (re.compile(r"\b(it|that|there|what|he|she|here) is\b"), r"\1(?: is|'s)"),
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found: its extent in the answer, its words as the answer writes them, its start in the folded text."""

    start: int
    end: int
    words: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in small letters without accents; ``positions[i]`` is where its character ``i`` stands in the original."""

    text: str
    positions: range | tuple[int, ...]
    original: str

    @classmethod
    def of(cls, original: str) -> Folded:
        chars: list[str] = []
        positions: list[int] = []
        for position, char in enumerate(original):
            folded = char.lower() if char.isascii() else _fold_character(char)
            if folded:
                chars.append(folded)
                positions.append(position)
        same = len(chars) == len(original)
        return cls("".join(chars), range(len(chars)) if same else tuple(positions), original)

    def hit(self, start: int, end: int) -> Hit:
        """The extent of folded characters ``start`` to ``end`` in the original."""
        first, last = self.positions[start], self.positions[end - 1] + 1
        return Hit(first, last, self.original[first:last], start)


def fold(text: str) -> str:
    """Small letters, no accents, straight apostrophes."""
    return Folded.of(text).text


def _fold_character(char: str) -> str:
    """One character, or none for a combining mark."""
    if char in _APOSTROPHES:
        return _APOSTROPHES[char]
    if unicodedata.combining(char):
        return ""
    return unicodedata.normalize("NFD", char.lower())[0]


@dataclass(frozen=True)
class Wordlists:
    """What phrases may refer to: ``<name>`` stands for a group of words, ``~`` for up to three of the fillers."""

    groups: Mapping[str, str]
    fillers: tuple[str, ...]

    @cached_property
    def between(self) -> str:
        """The pattern of what may stand between two words of a phrase with ``~``."""
        filler = "|".join(re.escape(fold(word)).replace(r"\ ", r"\s+") for word in self.fillers)
        return rf"\s+(?:(?:{filler}),?\s+){{0,{_FILLERS_IN_A_ROW}}}" if filler else r"\s+"


NO_WORDLISTS = Wordlists({}, ())


def compile_phrases(phrases: Iterable[str], wordlists: Wordlists = NO_WORDLISTS) -> re.Pattern[str] | None:
    """One pattern for a list of phrases, to be searched in folded text; None for an empty list.

    In a phrase ``word*`` is a stem, ``(a|b)`` are alternatives and ``...`` stands for up to four words. Phrases begin
    and end at word boundaries. ``does not`` also finds "doesn't", ``i am`` also "I'm", and so on.

    Raises:
        KeyError: a phrase names a group that does not exist.
        re.error: a phrase is not well formed.
    """
    parts = [_phrase_pattern(phrase, wordlists) for phrase in phrases]
    return re.compile(rf"(?<![\w'])(?:{'|'.join(parts)})(?!\w)") if parts else None


def compile_wording(wording: str) -> re.Pattern[str]:
    """A wording from a probe: begins at a word boundary, may go on as a stem, blanks match any white space."""
    words = [re.escape(word) for word in fold(wording).split()]
    boundary = r"(?<!\w)" if words and re.match(r"\w", fold(wording).split()[0]) else ""
    return re.compile(boundary + r"\s+".join(words))


def is_negated(text: str, start: int, negators: frozenset[str], harmless: re.Pattern[str] | None, window: int) -> bool:
    """Whether one of the ``window`` words before ``start``, in its clause, says no; ``not only`` does not."""
    reach = text[max(0, start - 16 * (window + 1)) : start]
    if harmless is not None:
        reach = harmless.sub(" ", reach)
    clause = _CLAUSE_END.split(reach)[-1]
    words = [found.group() for found in _WORD.finditer(clause)][-window:] if window else []
    return any(word in negators or word.endswith("n't") for word in words)


def _phrase_pattern(phrase: str, wordlists: Wordlists) -> str:
    pattern = _GROUP.sub(lambda found: f"({wordlists.groups[found.group(1)]})", phrase.strip())
    pattern = re.sub(r"\s+", " ", fold(pattern)).replace("...", "\0")
    for written, meant in _CONTRACTIONS:
        pattern = written.sub(meant, pattern)
    pattern = re.sub(r"(?<=\w)\*", lambda _: r"\w*", pattern)
    pattern = re.sub(r" *\0 *", lambda _: _GAP + r"[^\w.!?;\n]+", pattern)
    pattern = re.sub(r" ~ ", "\1", pattern)
    pattern = re.sub(r" (?!\?)", lambda _: r"\s+", pattern)
    return pattern.replace("\1", wordlists.between)
