"""Finds word salad: real words, or pieces of them, in an order no sentence has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.disorder import find_disordered, may_be_disordered
from evalkit.judging.collapse.drift import unquoted_prose, words_of_letters
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.languages import Languages
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.collapse.stretches import are_whole, chunks
from evalkit.judging.repetition import LONG

_TOKEN = re.compile(r"[^\W\d_]+|\d+|[.!?,;:()\[\]|/=+*•\n—–-]")
_LIST_LINE = re.compile(r"^[ \t]*(?:[-*•–+]|\d{1,3}[.)]|[a-zA-Z][.)])[ \t]", re.MULTILINE)
_ENDS = frozenset(".!?")
_NONE = frozenset[str]()
_MIN_PAIRS = 3
_PLAIN_WORD = re.compile(r"(?<![\w=+*/^('’.-])[^\W\d_]+(?![\w=+*/^)('’.-])")
_SPLINTER = 2
_MIN_SPLINTERS = 6
_SPLINTERS = 0.25
_MIN_PIECES = 3
_PIECES_SHARE = 0.08
_BREATHLESS_WORDS = 60
_BREATHLESS_FACTOR = 1.6
_LIST_LINE_WORDS = 14
_HAN_WORDS = frozenset("的了是在不和有我这他也就人们中一上以为到说要会可以对与而及或被把从其之个着等能都")
_HAN_WINDOW = 60
_HAN_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class _Line:
    """A run of words without marks between them that part a list."""

    words: list[str]
    start: int
    end: int
    commas: int
    others: int
    capitals: int
    stops: int


class SaladFinder:
    """Knows the function words of the policy's languages, and which of them cannot stand side by side."""

    def __init__(self, policy: DegenerationPolicy, languages: Languages) -> None:
        self._policy = policy
        self._languages = languages
        self._functions = {code: frozenset(words) for code, words in policy.function_words}
        self._closing = {code: frozenset(words) for code, words in policy.closing_words}
        self._followers = {code: frozenset(words) for code, words in policy.followers}
        self._pieces = frozenset(policy.word_pieces)
        self._functions_of = lru_cache(maxsize=16)(self._join_functions)
        self._closers = _owners(policy.closing_words)
        self._follow = _owners([*policy.followers, *((code, tuple(_ENDS)) for code in self._closing)])

    def _may_break(self, text: str, words: Sequence[str], asked: Asked) -> bool:
        """Whether there are pieces, splinters or pairs enough of one language."""
        if sum([word in self._pieces for word in words]) >= _MIN_PIECES or self._may_splinter(words, asked):
            return True
        pairs = pairwise(_TOKEN.findall(text))
        closed = [(self._closers[one], other.lower()) for one, other in pairs if one in self._closers]
        broken = Counter(chain.from_iterable([codes & self._follow.get(other, _NONE) for codes, other in closed]))
        return max(broken.values(), default=0) >= _MIN_PAIRS

    def _may_splinter(self, words: Sequence[str], asked: Asked) -> bool:
        """Whether there are words of one or two letters enough, and enough different ones of two."""
        short = [word for word in words if len(word) <= _SPLINTER]
        if len(short) < _MIN_SPLINTERS or len({word for word in short if len(word) == _SPLINTER}) < _MIN_SPLINTERS - 1:
            return False
        functions = self._functions_of(asked.languages.intersection(self._closing))
        short = [word for word in short if word not in functions]
        different = {word for word in short if len(word) == _SPLINTER}
        return len(short) >= _MIN_SPLINTERS and len(different) >= _MIN_SPLINTERS - 1

    def find(self, passage: Passage, asked: Asked) -> Finding | None:
        """Words without the small words that hold a sentence together, or small words that cannot meet."""
        text = unquoted_prose(passage)
        if len(text) > LONG:
            return self._search(text, passage, asked, (True, True, True))
        words = passage.line.words if passage.line is not None else words_of_letters(text)
        may_disorder = may_be_disordered(text, words, self._policy, self._languages)
        may_break = not are_whole(text, chunks(text)) or self._may_break(text, words, asked)
        may_loose = len(words) >= self._policy.salad_window // 2
        if not (may_disorder or may_break or may_loose):
            return None
        return self._search(text, passage, asked, (may_disorder, may_break, may_loose))

    def _search(self, text: str, passage: Passage, asked: Asked, looks: tuple[bool, bool, bool]) -> Finding | None:
        may_disorder, may_break, may_loose = looks
        if asked.has("symbols", "languages", "words", "repetition", "style"):
            return find_disordered(text, asked, self._policy, self._languages) if may_disorder else None
        for start, end in chunks(text) if may_break else ():
            part = text[start:end]
            found = (
                self._loose_pieces(part, passage) or self._broken_pairs(part, passage) or self._splinters(part, asked)
            )
            if found is not None and found.extent is not None:
                first, last = found.extent
                return Finding(found.kind, found.sentence, (start + first, start + last))
        disordered = find_disordered(text, asked, self._policy, self._languages) if may_disorder else None
        return disordered or (self._loose_words(text, asked) if may_loose else None)

    def _loose_pieces(self, text: str, passage: Passage) -> Finding | None:
        """Endings of words that stand alone: "ing", "tion", "ifiable"."""
        words = [(found.group().lower(), found.start(), found.end()) for found in _TOKEN.finditer(text)]
        words = [word for word in words if word[0][0].isalpha()]
        found = [
            (start, end)
            for word, start, end in words
            if word in self._pieces and text[start - 1 : start] not in ("-", "‑", "–", "'", "’", "…", "~", "+")
        ]
        if len(found) < _MIN_PIECES or len(found) < _PIECES_SHARE * len(words):
            return None
        pieces = ", ".join(text[start:end] for start, end in found[:3])
        sentence = f"{passage.part} holds {len(found)} pieces of words: {shown(pieces)}"
        return Finding("token_soup", sentence, (found[0][0], found[-1][1]))

    def _splinters(self, text: str, asked: Asked) -> Finding | None:
        """Words broken into pieces of one or two letters: "wat er fo r"."""
        codes = {*asked.languages, self._languages.of(text) or ""} & self._closing.keys()
        if not codes or asked.languages - self._closing.keys():
            return None
        functions = self._functions_of(frozenset(codes))
        words = _PLAIN_WORD.findall(text)
        short = [word for word in words if len(word) <= _SPLINTER and word.islower() and word not in functions]
        if (
            len(short) < _MIN_SPLINTERS
            or sum(len(word) == _SPLINTER for word in set(short)) < _MIN_SPLINTERS - 1
            or len(short) < _SPLINTERS * len(words)
        ):
            return None
        start = text.find(short[0])
        sentence = f"{len(short)} of {len(words)} words are splinters: {shown(', '.join(short[:5]))}"
        return Finding("token_soup", sentence, (start, len(text)))

    def _broken_pairs(self, text: str, passage: Passage) -> Finding | None:
        """An article or a preposition before a word that cannot follow it, again and again."""
        code = self._languages.of(text)
        closing, followers = self._closing.get(code or ""), self._followers.get(code or "")
        if not closing or not followers:
            return None
        broken: list[tuple[int, int]] = []
        number = 0
        before: re.Match[str] | None = None
        for found in _TOKEN.finditer(text):
            word = found.group().lower()
            number += word[0].isalpha()
            if before is not None and before.group() in closing and (word in followers or word in _ENDS):
                broken.append((before.start(), found.end()))
            before = found
        kinds = {text[start:end].lower() for start, end in broken}
        if (
            len(kinds) < _MIN_PAIRS - 1
            or len(broken) < _MIN_PAIRS
            or len(broken) < self._policy.broken_pairs_share * number
        ):
            return None
        first = text[slice(*broken[0])]
        sentence = f"{len(broken)} pairs among {number} words of {passage.part} fit no sentence, as {shown(first)}"
        return Finding("word_salad", sentence, (broken[0][0], broken[-1][1]))

    def _loose_words(self, text: str, asked: Asked) -> Finding | None:
        """Long stretches of prose with hardly a function word; only where the language asked for is known."""
        codes = [code for code in asked.languages if code in self._closing]
        if len(codes) != len(asked.languages) or not codes:
            return None
        functions = self._functions_of(frozenset((*codes, "en", self._languages.of(text) or "en")))
        size = self._policy.salad_window
        most = _BREATHLESS_FACTOR * self._policy.function_word_share
        for line in _lines(
            text, lambda words: len(words) >= size // 2 and min(_shares(words, functions, size)) <= most
        ):
            number = len(line.words)
            if line.commas > 0.2 * number or line.others > 0.1 * number:
                continue
            for place, share in enumerate(_shares(line.words, functions, size)):
                window = line.words[place * (size // 2) :][:size]
                if share <= self._limit(line, window):
                    sentence = (
                        f"{share:.0%} of {len(window)} words in a row are function words: {shown(' '.join(window))}"
                    )
                    return Finding("word_salad", sentence, (line.start, line.end))
        return None

    def _join_functions(self, codes: frozenset[str]) -> frozenset[str]:
        return frozenset().union(*(self._functions.get(code, ()) for code in codes))

    def _limit(self, line: _Line, window: Sequence[str]) -> float:
        """The lowest share of function words; names, notes and short stretches are let off with less."""
        limit = self._policy.function_word_share
        if line.capitals > 0.4 * len(line.words) or len(window) < 0.7 * self._policy.salad_window:
            return limit / 3
        if line.stops == 0 and len(line.words) >= _BREATHLESS_WORDS:
            return _BREATHLESS_FACTOR * limit
        return limit


def find_loose_signs(passage: Passage, asked: Asked) -> Finding | None:
    """Chinese characters in a row without a mark and without the characters that hold sentences together."""
    if passage.line is not None or passage.visible.isascii():
        return None
    if asked.languages != {"zh"} or asked.has("symbols", "words", "verse"):
        return None
    for found in re.finditer(rf"[\u4e00-\u9fff]{{{_HAN_WINDOW},}}", passage.visible):
        run = found.group()
        share = sum(char in _HAN_WORDS for char in run) / len(run)
        if share < _HAN_SHARE:
            sentence = f"{share:.0%} of {len(run)} characters in a row are function words: {shown(run)}"
            return Finding("word_salad", sentence, found.span())
    return None


def _owners(lists: Iterable[tuple[str, Iterable[str]]]) -> dict[str, frozenset[str]]:
    """For each word the languages that have it."""
    owners: dict[str, frozenset[str]] = {}
    for code, words in lists:
        owners.update((word, owners.get(word, _NONE) | {code}) for word in words)
    return owners


def _shares(words: Sequence[str], functions: frozenset[str], size: int) -> list[float]:
    """The share of function words in each window, each of which begins in the middle of the one before."""
    known = [word in functions for word in words]
    windows = (known[first : first + size] for first in range(0, max(1, len(words) - size + 1), size // 2))
    return [sum(window) / len(window) for window in windows]


def _lines(text: str, is_wanted: Callable[[list[str]], bool]) -> Iterator[_Line]:
    """The lines of a text whose words are wanted, except short ones that belong to a list."""
    position = 0
    for raw in text.split("\n"):
        start, position = position, position + len(raw) + 1
        tokens = _TOKEN.findall(raw)
        words = [token.lower() for token in tokens if token[0].isalpha()]
        if not is_wanted(words) or (len(words) < _LIST_LINE_WORDS and _LIST_LINE.match(raw)):
            continue
        yield _Line(
            words, start, start + len(raw.rstrip()), tokens.count(",") + tokens.count(";"),
            sum(token in "()[]|/=+*•—–-" or token[0].isdigit() for token in tokens),
            sum(token[0].isupper() for token in tokens), sum(token in ".!?" for token in tokens),
        )  # fmt: skip
