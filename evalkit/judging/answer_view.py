"""An answer as the behaviour rules see it: quotations and echoes hidden, phrases found with their place."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from evalkit.judging.masking import Extent, blank, quotation_extents
from evalkit.judging.phrases import Folded, Hit, compile_wording, fold, is_negated

_SENTENCE = re.compile(r"[^.!?\n]*[^.!?\n\s][^.!?\n]*(?:[.!?]+(?=\s|$|[\"'”»)])|[.!?]+|$|(?=\n))")
_WORDS = re.compile(r"[\w']+")
_ECHO_WORDS = 4
_STEM = 5
STOP_WORDS = frozenset((
    "about", "after", "also", "another", "because", "been", "before", "being", "between", "cannot", "could",
    "does", "doing", "down", "each", "even", "every", "from", "have", "here", "into", "just", "like", "made",
    "make", "many", "more", "most", "much", "must", "never", "only", "other", "over", "same", "should", "some",
    "such", "than", "that", "their", "them", "then", "there", "these", "they", "this", "those", "through", "under",
    "very", "want", "were", "what", "when", "where", "which", "while", "will", "with", "would", "your", "como",
    "cual", "cuando", "desde", "donde", "ellos", "entre", "esta", "este", "esto", "hasta", "para", "pero",
    "porque", "puede", "quien", "sobre", "solo", "tiene", "todo", "todos", "tener", "unos",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The behaviour policy, compiled: phrases by name, and how negation is seen."""

    phrases: Mapping[str, re.Pattern[str] | None]
    negators: frozenset[str]
    harmless_negations: re.Pattern[str] | None
    negation_words: int


@dataclass(frozen=True, slots=True)
class AnswerView:
    """``own`` is the folded answer with quotations and echoed sentences blanked; places are those of the answer.

    ``context`` is all the user and the system said.
    """

    answer: str
    prompt: str
    own: Folded
    sentences: tuple[Extent, ...]
    lexicon: Lexicon
    prompt_stems: frozenset[str] = field(default=frozenset())
    context: str = ""

    @classmethod
    def of(cls, answer: str, prompt: str, lexicon: Lexicon, system: str = "") -> AnswerView:
        visible = blank(answer, quotation_extents(answer))
        visible = blank(visible, _echoes(visible, prompt))
        own = Folded.of(visible)
        sentences = tuple(found.span() for found in _SENTENCE.finditer(own.text) if found.group().strip())
        context = f"{prompt}\n{system}"
        return cls(answer, prompt, own, sentences, lexicon, frozenset(stems(fold(prompt))), context)

    @property
    def own_words(self) -> int:
        """How many words are the answer's own: neither quoted nor repeated from the prompt."""
        return len(_WORDS.findall(self.own.text))

    def hits(self, name: str, first: int = 0, last: int | None = None) -> list[Hit]:
        """Phrases of that name between two places of the folded text, negated ones left out."""
        pattern = self.lexicon.phrases[name]
        if pattern is None:
            return []
        end = len(self.own.text) if last is None else last
        return [
            self.own.hit(*found.span())
            for found in pattern.finditer(self.own.text, first, end)
            if found.end() > found.start() and not self.is_negated(found.start())
        ]

    def bare_hits(self, name: str, first: int = 0, last: int | None = None) -> list[Hit]:
        """The same for phrases that are denials themselves, so that a no before them changes nothing."""
        pattern = self.lexicon.phrases[name]
        if pattern is None:
            return []
        end = len(self.own.text) if last is None else last
        found = pattern.finditer(self.own.text, first, end)
        return [self.own.hit(*match.span()) for match in found if match.end() > match.start()]

    def wording(self, wording: str) -> list[Hit]:
        """Where a wording of the probe stands, negated places left out."""
        return [
            self.own.hit(*found.span())
            for found in compile_wording(wording).finditer(self.own.text)
            if found.end() > found.start() and not self.is_negated(found.start())
        ]

    def wording_anywhere(self, wording: str) -> list[Hit]:
        """Where a wording stands outside echoes of the prompt, in quotation marks and after a no as well."""
        visible = Folded.of(blank(self.answer, _echoes(self.answer, self.prompt)))
        found = compile_wording(wording).finditer(visible.text)
        return [visible.hit(*match.span()) for match in found if match.end() > match.start()]

    def is_negated(self, start: int) -> bool:
        lexicon = self.lexicon
        return is_negated(self.own.text, start, lexicon.negators, lexicon.harmless_negations, lexicon.negation_words)

    def premise_denials(self, sentences: int) -> list[Hit]:
        """Sentences among the first few that say no about at least two content words of the prompt."""
        return [
            self.own.hit(start, end)
            for start, end in self.sentences[:sentences]
            if self.has_denial(start, end) and len(stems(self.own.text[start:end]) & self.prompt_stems) >= 2
        ]

    def has_denial(self, start: int, end: int) -> bool:
        """Whether the folded text between two places holds a word that says no."""
        words = _WORDS.findall(self.own.text[start:end])
        return any(word in self.lexicon.negators or word.endswith("n't") for word in words)

    def sentence_at(self, position: int) -> Extent:
        """The sentence (folded places) that holds or precedes a place of the answer."""
        places = self.own.positions
        index = bisect_right(self.sentences, position, key=lambda sentence: places[sentence[0]]) - 1
        return self.sentences[index] if index >= 0 else (0, len(self.own.text))


def stems(folded: str) -> set[str]:
    """The first five letters of every content word."""
    return {word[:_STEM] for word in re.findall(r"[^\W\d_]{4,}", folded) if word not in STOP_WORDS}


def _echoes(text: str, prompt: str) -> list[Extent]:
    """Sentences of at least four words that the prompt holds word for word."""
    said = " " + " ".join(_WORDS.findall(fold(prompt))) + " "
    extents = []
    for found in _SENTENCE.finditer(text):
        words = _WORDS.findall(fold(found.group()))
        if len(words) >= _ECHO_WORDS and f" {' '.join(words)} " in said:
            extents.append(found.span())
    if not extents and f" {' '.join(_WORDS.findall(fold(text)))} " == said:
        return [(0, len(text))]
    return extents
