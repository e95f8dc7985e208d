"""The schema of judges/behaviour.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from evalkit.judging.answer_view import Lexicon
from evalkit.judging.base import Judge
from evalkit.judging.behaviour import PHRASE_LISTS, BehaviourJudge, BehaviourPolicy, normalised
from evalkit.judging.behaviour_rules import RULES, Limits
from evalkit.judging.phrases import compile_phrases, fold
from evalkit.reading.policies.base import Parts, Phrase, PolicyFile
from evalkit.reading.suggestions import did_you_mean


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

    def make(self, parts: Parts) -> Judge:
        lexicon = Lexicon(
            phrases={name: compile_phrases(phrases) for name, phrases in self.phrases.items()},
            negators=frozenset(fold(word) for word in self.negators),
            harmless_negations=compile_phrases(self.harmless_negations),
            negation_words=self.negation_words,
        )
        rules = {normalised(name): rule for rule, names in self.categories.items() for name in names}
        limits = Limits(self.min_explored_words, self.min_engaged_words)
        return BehaviourJudge(BehaviourPolicy(lexicon, rules, limits))
