"""The schema of what a lexicon's signal can count."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from evalkit.judging.lexicon import counters
from evalkit.judging.lexicon.repetition import RepeatedSentences, Step, Variety
from evalkit.judging.lexicon.terms import Term, TermList
from evalkit.reading.policies.base import Pattern, Strict

OPTIONS: dict[str, frozenset[str]] = {
    "terms": frozenset({"case", "edges", "counting", "endings"}),
    "pattern": frozenset({"case", "at"}),
    **dict.fromkeys(
        ("texts", "marks", "names", "numbers", "words", "short", "verse", "sentences", "variety", "repeated_sentences"),
        frozenset[str](),
    ),
}


def _term(text: str) -> str:
    Term.of(text)
    return text


Text = Annotated[str, Field(min_length=1)]
TermText = Annotated[str, AfterValidator(_term)]


class BelowFile(Strict):
    """What is counted below a bound."""

    below: float
    count: float


class AboveFile(Strict):
    """What is counted above a bound."""

    above: float
    count: float


class MarkFile(Strict):
    """Mark-up by the characters it can start with and how it goes on."""

    first: Text
    then: Pattern = ""


class NamesFile(Strict):
    """Capitalised words."""

    min_letters: int = Field(ge=1)
    not_after: list[Text]
    skip: int = Field(ge=0)


class NumbersFile(Strict):
    """Digits."""

    inner: str


class WordsFile(Strict):
    """Long texts."""

    more_than: int = Field(ge=0)


class ShortFile(Strict):
    """Short texts."""

    below: int = Field(ge=0)
    trimmed: bool


class VerseFile(Strict):
    """Texts of short lines."""

    more_lines_than: int = Field(ge=0)
    share: float = Field(ge=0, le=1)
    shorter_than: int = Field(ge=1)
    blank_lines: bool


class SentencesFile(Strict):
    """Sentences with something in them."""

    pattern: Pattern
    separator: Text = "."
    case: Literal["folded", "exact"] = "folded"


class VarietyFile(Strict):
    """The share of different words."""

    words: Literal["blanks", "plain"]
    more_words_than: int = Field(ge=0)
    window: int | None = Field(None, ge=2)
    steps: list[BelowFile] = Field(min_length=1)


class RepeatedSentencesFile(Strict):
    """The share of repeated sentences."""

    empty: int
    blank: int
    steps: list[AboveFile] = Field(min_length=1)


class CounterFields(Strict):
    """One of the counters; the options after it belong to ``terms`` and ``pattern``."""

    terms: list[TermText] | None = Field(None, min_length=1)
    pattern: Pattern | None = None
    texts: list[Text] | None = Field(None, min_length=1)
    marks: list[MarkFile] | None = Field(None, min_length=1)
    names: NamesFile | None = None
    numbers: NumbersFile | None = None
    words: WordsFile | None = None
    short: ShortFile | None = None
    verse: VerseFile | None = None
    sentences: SentencesFile | None = None
    variety: VarietyFile | None = None
    repeated_sentences: RepeatedSentencesFile | None = None

    case: Literal["folded", "exact", "lowered"] = "folded"
    edges: Literal["boundary", "whole", "none"] = "boundary"
    counting: Literal["in_turn", "each"] = "in_turn"
    endings: list[Text] = Field(default_factory=list)
    at: Literal["anywhere", "start", "trimmed_start"] = "anywhere"

    @field_validator("marks")
    @classmethod
    def _start_differently(cls, marks: list[MarkFile] | None) -> list[MarkFile] | None:
        firsts = "".join(mark.first for mark in marks or ())
        for char in firsts:
            if firsts.count(char) > 1:
                raise ValueError(f"two marks start with {char!r}. Join them into one")
        return marks

    def named(self) -> list[str]:
        """The counters that are given."""
        return [name for name in OPTIONS if getattr(self, name) is not None]

    def counter(self) -> TermList | counters.Counter:
        """The counter that is given."""
        if self.terms is not None:
            return TermList(tuple(self.terms), self.case, self.edges, self.counting, tuple(self.endings))
        if self.pattern is not None:
            return counters.Pattern(self.pattern, self.case, self.at)
        if self.texts is not None:
            return counters.Texts(tuple(self.texts))
        if self.marks is not None:
            return counters.Marks(tuple(counters.Mark(mark.first, mark.then) for mark in self.marks))
        return self._structured()

    def _structured(self) -> counters.Counter:
        if self.names is not None:
            return counters.Names(self.names.min_letters, tuple(self.names.not_after), self.names.skip)
        if self.sentences is not None:
            return counters.Sentences(self.sentences.pattern, self.sentences.separator, self.sentences.case)
        if self.variety is not None:
            steps = tuple(Step(step.below, step.count) for step in self.variety.steps)
            return Variety(steps, self.variety.more_words_than, self.variety.words, self.variety.window)
        if self.repeated_sentences is not None:
            steps = tuple(Step(step.above, step.count) for step in self.repeated_sentences.steps)
            return RepeatedSentences(steps, self.repeated_sentences.empty, self.repeated_sentences.blank)
        if self.verse is not None:
            lines = self.verse
            return counters.Verse(lines.more_lines_than, lines.share, lines.shorter_than, lines.blank_lines)
        if self.short is not None:
            return counters.Short(self.short.below, self.short.trimmed)
        if self.words is not None:
            return counters.Words(self.words.more_than)
        assert self.numbers is not None
        return counters.Numbers(self.numbers.inner)
