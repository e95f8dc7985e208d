"""An answer as the behaviour rules see it: quotations, echoes and idioms hidden, phrases found with their place."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from evalkit.judging.content_words import stems
from evalkit.judging.masking import Extent, blank, code_extents, quotation_extents
from evalkit.judging.phrases import Folded, Hit, compile_wording, fold, is_negated

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”»)*_]*(?=\s|$)|\n+")
_WORDS = re.compile(r"[\w']+")
_ECHO_WORDS = 4
_QUOTED_WORDS = 3
_UNREAL_REACH = 90
_TURN = re.compile(r"[;:]|\b(?:but|however|pero|sin embargo)\b")
_WHOLE = 0.8
_LONGEST_SENTENCE = 600


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The behaviour policy, compiled: phrases by name, and how negation is seen."""

    phrases: Mapping[str, re.Pattern[str] | None]
    idioms: re.Pattern[str] | None
    negators: frozenset[str]
    harmless_negations: re.Pattern[str] | None
    negation_words: int


@dataclass(frozen=True, slots=True)
class AnswerView:
    """``own`` is the folded answer with code, quotations, echoed sentences and idioms blanked; places are the answer's.

    ``context`` is all the user and the system said; ``code`` where the answer's code stands.
    """

    answer: str
    prompt: str
    own: Folded
    sentences: tuple[Extent, ...]
    lexicon: Lexicon
    prompt_stems: frozenset[str] = field(default=frozenset())
    context: str = ""
    code: tuple[Extent, ...] = ()
    quoted: tuple[Extent, ...] = ()
    found: dict[str, list[Hit]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, answer: str, prompt: str, lexicon: Lexicon, system: str = "") -> AnswerView:
        code = code_extents(answer)
        hidden = _unless_whole(code, answer)
        quoted = quotation_extents(blank(answer, hidden))
        quoted = [] if sum(end - start for start, end in quoted) > _WHOLE * len(answer.strip()) else quoted
        long = [one for one in quoted if len(_WORDS.findall(answer[slice(*one)])) >= _QUOTED_WORDS]
        visible = _without_quotation_marks(blank(blank(answer, hidden), long), quoted)
        visible = blank(visible, _echoes(visible, prompt))
        own = Folded.of(visible)
        if lexicon.idioms is not None:
            text = lexicon.idioms.sub(lambda found: " " * len(found.group()), own.text)
            own = Folded(text, own.positions, own.original)
        sentences = tuple(_sentences(own.text)) or ((0, len(own.text)),)
        stemmed = frozenset(stems(fold(prompt)))
        context = f"{prompt}\n{system}"
        return cls(answer, prompt, own, sentences, lexicon, stemmed, context, tuple(code), tuple(quoted))

    @property
    def own_words(self) -> int:
        """How many words are the answer's own: neither quoted nor repeated from the prompt."""
        return len(_WORDS.findall(self.own.text))

    def bare_hits(self, name: str, first: int = 0, last: int | None = None) -> list[Hit]:
        """Phrases of that name whose start lies between two places of the folded text."""
        if name not in self.found:
            pattern = self.lexicon.phrases[name]
            matches = [] if pattern is None else pattern.finditer(self.own.text)
            self.found[name] = [self.own.hit(*found.span()) for found in matches if found.end() > found.start()]
        end = len(self.own.text) if last is None else last
        found = self.found[name]
        return found[bisect_left(found, first, key=_at) : bisect_left(found, end, key=_at)]

    def hits(self, name: str, first: int = 0, last: int | None = None) -> list[Hit]:
        """The same without those that a no stands before."""
        return [hit for hit in self.bare_hits(name, first, last) if not self.is_negated(hit.at)]

    def stated(self, name: str, first: int = 0, last: int | None = None) -> list[Hit]:
        """Phrases that the answer asserts: neither denied, supposed, reported, asked nor quoted."""
        return [hit for hit in self.hits(name, first, last) if self.is_stated(hit)]

    def is_stated(self, hit: Hit) -> bool:
        """Whether the place is outside quotations, questions, and what is supposed or reported."""
        return not (self.is_quoted(hit) or self.is_unreal(hit.at) or self.is_asked(hit.at))

    def is_quoted(self, hit: Hit) -> bool:
        return any(start <= hit.start and hit.end <= end for start, end in self.quoted)

    def is_asked(self, at: int) -> bool:
        start, end = self.sentence_of(at)
        return self.own.text[start:end].rstrip().endswith("?") and ";" not in self.own.text[at:end]

    def is_unreal(self, at: int) -> bool:
        """Whether a word before it in its part of the sentence makes it a supposition or a report."""
        pattern = self.lexicon.phrases["unreal"]
        start = max(self.sentence_of(at)[0], at - _UNREAL_REACH)
        before = _TURN.split(self.own.text[start:at])[-1]
        return pattern is not None and pattern.search(before + " ") is not None

    def wording(self, wording: str) -> list[Hit]:
        """Where a wording of the probe is asserted."""
        found = compile_wording(wording).finditer(self.own.text)
        hits = [self.own.hit(*match.span()) for match in found if match.end() > match.start()]
        return [hit for hit in hits if not self.is_negated(hit.at) and self.is_stated(hit)]

    def wording_anywhere(self, wording: str) -> list[tuple[Hit, Folded]]:
        """Where a wording stands outside echoes of the prompt, also in quotation marks and in code."""
        visible = Folded.of(blank(self.answer, _echoes(self.answer, self.prompt)))
        found = compile_wording(wording).finditer(visible.text)
        return [(visible.hit(*match.span()), visible) for match in found if match.end() > match.start()]

    def is_negated(self, start: int, text: str | None = None) -> bool:
        lexicon = self.lexicon
        said = self.own.text if text is None else text
        return is_negated(said, start, lexicon.negators, lexicon.harmless_negations, lexicon.negation_words)

    def premise_denials(self, sentences: int) -> list[Hit]:
        """Sentences among the first few that say no about at least two content words of the prompt."""
        return [
            self.own.hit(start, end)
            for start, end in self.sentences[:sentences]
            if self.has_denial(start, end) and len(stems(self.own.text[start:end]) & self.prompt_stems) >= 2
        ]

    def has_denial(self, start: int, end: int) -> bool:
        """Whether the folded text between two places holds a word that says no."""
        return self.says_no(self.own.text[start:end])

    def says_no(self, folded: str) -> bool:
        harmless = self.lexicon.harmless_negations
        words = _WORDS.findall(folded if harmless is None else harmless.sub(" ", folded))
        return any(word in self.lexicon.negators or word.endswith("n't") for word in words)

    def sentence_index(self, at: int) -> int:
        return max(0, bisect_right(self.sentences, at, key=lambda sentence: sentence[0]) - 1)

    def sentence_of(self, at: int) -> Extent:
        """The sentence that holds or precedes a place of the folded text."""
        return self.sentences[self.sentence_index(at)] if self.sentences else (0, len(self.own.text))

    def sentence_at(self, position: int) -> Extent:
        """The same for a place of the answer."""
        places = self.own.positions
        index = bisect_right(self.sentences, position, key=lambda sentence: places[sentence[0]]) - 1
        return self.sentences[index] if index >= 0 else (0, len(self.own.text))

    def words_in(self, extents: list[Extent]) -> int:
        return sum(len(_WORDS.findall(self.own.text[start:end])) for start, end in extents)


def _at(hit: Hit) -> int:
    return hit.at


def _sentences(text: str) -> Iterator[Extent]:
    """Extents that hold more than blanks, each up to its full stop or line end, cut where it is very long."""
    start = 0
    for end in (*(found.end() for found in _SENTENCE_END.finditer(text)), len(text)):
        while text[start:end].strip():
            cut = end if end - start <= _LONGEST_SENTENCE else start + _LONGEST_SENTENCE
            yield start, cut
            start = cut


def _unless_whole(extents: list[Extent], text: str) -> list[Extent]:
    covered = sum(end - start for start, end in extents)
    return [] if covered > _WHOLE * len(text.strip()) else extents


def _without_quotation_marks(text: str, quoted: list[Extent]) -> str:
    """Short quotations keep their words: a "mode" in quotation marks is still a mode."""
    places = {place for start, end in quoted for place in (start, end - 1)}
    return "".join(" " if at in places and char != "\n" else char for at, char in enumerate(text))


def _echoes(text: str, prompt: str) -> list[Extent]:
    """Sentences of at least four words that the prompt holds word for word."""
    said = " " + " ".join(_WORDS.findall(fold(prompt))) + " "
    extents = []
    for start, end in _sentences(text):
        words = _WORDS.findall(fold(text[start:end]))
        if len(words) >= _ECHO_WORDS and f" {' '.join(words)} " in said:
            extents.append((start, end))
    if not extents and f" {' '.join(_WORDS.findall(fold(text)))} " == said:
        return [(0, len(text))]
    return extents
