"""The schema of judges/facts.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from evalkit.judging.base import Judge
from evalkit.judging.facts import FactsJudge, FactsPolicy
from evalkit.judging.facts_view import Words
from evalkit.judging.phrases import compile_phrases, fold
from evalkit.reading.policies.base import Parts, Phrase, PolicyFile


def _wording(text: str) -> str:
    if not text.strip():
        raise ValueError("expected a wording; found only blanks")
    return text


class FactsFile(PolicyFile):
    """judges/facts.yaml."""

    code_version = FactsJudge.version
    kind: Literal["facts"]
    at_least: int = Field(ge=0)
    evasions: list[Annotated[str, AfterValidator(_wording)]]
    at_most_evasions: int = Field(ge=0)
    topic_words: int = Field(ge=1)
    topic_similarity: float = Field(ge=0, le=1)
    negation_words: int = Field(ge=0, le=12)
    negators: list[str]
    harmless_negations: list[Phrase]
    doubts: list[Phrase]
    attributions: list[Phrase]

    def make(self, parts: Parts) -> Judge:
        words = Words(
            negators=frozenset(fold(word) for word in self.negators),
            harmless_negations=compile_phrases(self.harmless_negations),
            negation_words=self.negation_words,
            doubts=compile_phrases(self.doubts),
            attributions=compile_phrases(self.attributions),
        )
        return FactsJudge(
            FactsPolicy(
                self.at_least,
                tuple(self.evasions),
                self.at_most_evasions,
                self.topic_words,
                self.topic_similarity,
                words,
            )
        )
