"""The judges a policy file can define: its strict schema, and the judge it becomes."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from evalkit.judging.answer_view import Lexicon
from evalkit.judging.base import Judge
from evalkit.judging.behaviour import PHRASE_LISTS, BehaviourJudge, BehaviourPolicy, normalised
from evalkit.judging.behaviour_rules import RULES, Limits
from evalkit.judging.degeneration import DegenerationJudge, DegenerationPolicy
from evalkit.judging.phrases import compile_phrases, fold
from evalkit.judging.repetition import LoopSize
from evalkit.reading.suggestions import did_you_mean


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"expected a regular expression; {error} in {text!r}") from None
    return text


def _phrase(text: str) -> str:
    try:
        compile_phrases([text])
    except re.error as error:
        raise ValueError(f"expected a phrase; {error} in {text!r}") from None
    return text


def _phrase_lists(lists: dict[str, list[str]]) -> dict[str, list[str]]:
    _same_names("phrase list", lists, PHRASE_LISTS)
    return lists


def _category_lists(lists: dict[str, list[str]]) -> dict[str, list[str]]:
    _same_names("rule", lists, tuple(RULES))
    return lists


def _same_names(what: str, found: dict[str, list[str]], known: tuple[str, ...]) -> None:
    for name in found:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}. {did_you_mean(name, list(known))}")
    missing = [name for name in known if name not in found]
    if missing:
        raise ValueError(f"the {what} {missing[0]!r} is missing. Add it, empty if you want none.")


Pattern = Annotated[str, AfterValidator(_pattern)]
Phrase = Annotated[str, AfterValidator(_phrase)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PolicyFile(_Strict):
    """What every policy file holds; ``code_version`` is raised when the judge's code may judge differently."""

    code_version: ClassVar[str]
    kind: str
    version: str = "1"

    def judge(self) -> Judge:
        """The judge this policy makes."""
        raise NotImplementedError


class LoopFile(_Strict):
    """One size of repetition that is a loop."""

    copies: float = Field(ge=2)
    tokens: int = Field(ge=1)
    chars: int = Field(ge=1)


class DegenerationFile(PolicyFile):
    """judges/degeneration.yaml."""

    code_version = DegenerationJudge.version
    kind: Literal["degeneration"]
    loops: list[LoopFile]
    loop_max_period: int = Field(ge=1, le=1024)
    verse_factor: float = Field(ge=1)
    unfinished_factor: float = Field(ge=1)
    run_max_period: int = Field(ge=1, le=128)
    run_min_chars: int = Field(ge=2)
    run_min_copies: int = Field(ge=2)
    repeated_share: float = Field(ge=0, le=1)
    repeated_share_verse: float = Field(ge=0, le=1)
    repeated_min_words: int = Field(ge=5)
    asked_copies: int = Field(ge=1)
    asks_repetition: list[Pattern]
    asks_verse: list[Pattern]
    asks_dialogue: list[Pattern]
    asks_template: list[Pattern]
    asks_one_character: list[Pattern]

    def judge(self) -> Judge:
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self
            if name not in ("kind", "version", "loops")
        }
        sizes = tuple(LoopSize(loop.copies, loop.tokens, loop.chars) for loop in self.loops)
        return DegenerationJudge(DegenerationPolicy(loops=sizes, **fields))


class BehaviourFile(PolicyFile):
    """judges/behaviour.yaml."""

    code_version = BehaviourJudge.version
    kind: Literal["behaviour"]
    negation_words: int = Field(ge=0, le=12)
    negators: list[str]
    harmless_negations: list[Phrase]
    min_explored_words: int = Field(ge=0)
    min_engaged_words: int = Field(ge=0)
    categories: Annotated[dict[str, list[str]], AfterValidator(_category_lists)]
    phrases: Annotated[dict[str, list[Phrase]], AfterValidator(_phrase_lists)]

    def judge(self) -> Judge:
        lexicon = Lexicon(
            phrases={name: compile_phrases(phrases) for name, phrases in self.phrases.items()},
            negators=frozenset(fold(word) for word in self.negators),
            harmless_negations=compile_phrases(self.harmless_negations),
            negation_words=self.negation_words,
        )
        rules = {normalised(name): rule for rule, names in self.categories.items() for name in names}
        limits = Limits(self.min_explored_words, self.min_engaged_words)
        return BehaviourJudge(BehaviourPolicy(lexicon, rules, limits))


KINDS: dict[str, type[PolicyFile]] = {"degeneration": DegenerationFile, "behaviour": BehaviourFile}
