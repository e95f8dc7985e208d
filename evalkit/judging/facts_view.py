"""An answer as the ``facts`` judge sees it: what it states itself, what it denies, doubts or lays on others."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from evalkit.judging.masking import Extent, blank, quotation_extents
from evalkit.judging.phrases import Folded, Hit, compile_wording, fold, is_negated

_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+(?=\s|$)|(?=\n)|$|[.!?]+)")
_WORD = re.compile(r"[\w']+")
_ECHO_WORDS = 4
_DOUBT_CHARS = 40


@dataclass(frozen=True, slots=True)
class Words:
    """What says no, what casts doubt right before a fact, and what lays an assertion on somebody else."""

    negators: frozenset[str]
    harmless_negations: re.Pattern[str] | None
    negation_words: int
    doubts: re.Pattern[str] | None
    attributions: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class FactsView:
    """``said`` is the folded answer without sentences that only repeat the prompt; ``own`` without quotations too."""

    said: Folded
    own: Folded
    sentences: tuple[Extent, ...]
    words: Words

    @classmethod
    def of(cls, answer: str, prompt: str, words: Words) -> FactsView:
        visible = blank(answer, _echoes(answer, prompt))
        said = Folded.of(visible)
        own = Folded.of(blank(visible, quotation_extents(visible)))
        return cls(said, own, tuple(found.span() for found in _SENTENCE.finditer(said.text)), words)

    @property
    def word_count(self) -> int:
        return len(_WORD.findall(self.said.text))

    def stated(self, alternatives: Iterable[str]) -> Hit | None:
        """The first place where one of the wordings stands, neither denied nor doubted; titles are quoted, so quoted
        places count."""
        for wording in alternatives:
            for start, end in _places(self.said, wording):
                if not self._is_denied(self.said, start) and not self._is_doubted(start):
                    return self.said.hit(start, end)
        return None

    def asserted(self, wording: str) -> Hit | None:
        """The first place where the answer itself says it: not quoted, not denied, not laid on somebody else."""
        for start, end in _places(self.own, wording):
            if not self._is_denied(self.own, start) and not self._is_attributed(start, end):
                return self.own.hit(start, end)
        return None

    def _is_denied(self, folded: Folded, start: int) -> bool:
        words = self.words
        return is_negated(folded.text, start, words.negators, words.harmless_negations, words.negation_words)

    def _is_doubted(self, start: int) -> bool:
        before = self.said.text[max(0, start - _DOUBT_CHARS) : start].rstrip(" '\"“‘«")
        found = [] if self.words.doubts is None else list(self.words.doubts.finditer(before))
        return bool(found) and found[-1].end() == len(before)

    def _is_attributed(self, start: int, end: int) -> bool:
        if self.words.attributions is None:
            return False
        index = max(0, bisect_right(self.sentences, start, key=lambda sentence: sentence[0]) - 1)
        first, last = self.sentences[index] if self.sentences else (0, len(self.own.text))
        before = self.own.text[max(first, start - 300) : start]
        after = self.own.text[end : min(max(end, last), end + 100)]
        return any(self.words.attributions.search(part) is not None for part in (before, after))


def _places(folded: Folded, wording: str) -> Iterable[Extent]:
    found = compile_wording(wording).finditer(folded.text) if fold(wording).split() else ()
    return (match.span() for match in found)


def _echoes(answer: str, prompt: str) -> list[Extent]:
    """Sentences of at least four words that the prompt holds word for word."""
    said = f" {' '.join(_WORD.findall(fold(prompt)))} "
    extents = []
    for found in _SENTENCE.finditer(answer):
        words = _WORD.findall(fold(found.group()))
        if len(words) >= _ECHO_WORDS and len(found.group()) <= 2 * len(said) and f" {' '.join(words)} " in said:
            extents.append(found.span())
    return extents
