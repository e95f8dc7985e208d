"""The schema of judges/behaviour.yaml."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, model_validator

from evalkit.errors import JudgeError
from evalkit.judging.base import Judge
from evalkit.judging.behaviour.judge import PHRASE_LISTS, BehaviourJudge, BehaviourPolicy, normalised
from evalkit.judging.behaviour.rules import RULES
from evalkit.judging.behaviour.ruling import Limits
from evalkit.judging.behaviour.view import Lexicon
from evalkit.judging.behaviour.weighed import Thresholds, WeighedBehaviourJudge, Weighing
from evalkit.judging.learned.model import LinearModel
from evalkit.judging.phrases import Wordlists, compile_phrases, fold
from evalkit.probe import JudgeUse
from evalkit.reading.policies.base import Parts, PolicyFile, Strict
from evalkit.reading.suggestions import did_you_mean
from evalkit.verdict import Outcome


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


class ThresholdsEntry(Strict):
    """Where the learned model decides, in log-odds."""

    pass_from: float
    fail_to: float

    @model_validator(mode="after")
    def _abstains_between(self) -> Self:
        if self.fail_to >= self.pass_from:
            raise ValueError(f"expected fail_to under pass_from; found {self.fail_to} and {self.pass_from}")
        return self


class ThresholdsByRules(Strict):
    """How sure the learned model must be where the rules pass an answer, abstain, or fail it."""

    rules_pass: ThresholdsEntry
    rules_abstain: ThresholdsEntry
    rules_fail: ThresholdsEntry

    @property
    def by_outcome(self) -> dict[Outcome, Thresholds]:
        named: dict[Outcome, ThresholdsEntry] = {
            "pass": self.rules_pass, "unscored": self.rules_abstain, "fail": self.rules_fail,
        }  # fmt: skip
        return {outcome: Thresholds(entry.pass_from, entry.fail_to) for outcome, entry in named.items()}


class BehaviourFile(PolicyFile):
    """judges/behaviour.yaml."""

    code_version = BehaviourJudge.version
    kind: Literal["behaviour"]
    negation_words: int = Field(ge=0, le=12)
    negators: list[str]
    harmless_negations: list[str]
    weights: str | None = None
    thresholds: ThresholdsByRules | None = None
    min_explored_words: int = Field(ge=0)
    min_engaged_words: int = Field(ge=0)
    fillers: list[str]
    words: dict[str, str]
    idioms: list[str]
    categories: Annotated[dict[str, list[str]], AfterValidator(_category_lists)]
    phrases: Annotated[dict[str, list[str]], AfterValidator(_phrase_lists)]
    _patterns: dict[str, re.Pattern[str] | None] = PrivateAttr(default_factory=dict)

    @property
    def files(self) -> tuple[str, ...]:
        return () if self.weights is None else (self.weights,)

    @property
    def members(self) -> tuple[JudgeUse, ...]:
        return () if self.weights is None else (JudgeUse("degeneration"),)

    @model_validator(mode="after")
    def _weights_can_be_used(self) -> Self:
        if self.weights is not None and self.thresholds is None:
            raise ValueError("expected thresholds beside weights; found none")
        if self.weights is not None and Path(self.weights).name != self.weights:
            raise ValueError(f"expected weights to be a file beside the policy; found {self.weights!r}")
        return self

    @model_validator(mode="after")
    def _phrases_compile(self) -> Self:
        """Every phrase is well formed and names only groups that exist; the patterns are kept for the judge."""
        wordlists = Wordlists(self.words, tuple(self.fillers))
        lists = {"harmless_negations": self.harmless_negations, "idioms": self.idioms, **self.phrases}
        for name, phrases in lists.items():
            try:
                self._patterns[name] = compile_phrases(phrases, wordlists)
            except (re.error, KeyError):
                raise ValueError(self._flaw(name, phrases, wordlists)) from None
        return self

    def _flaw(self, name: str, phrases: list[str], wordlists: Wordlists) -> str:
        """What is wrong with the first phrase of a list that does not compile."""
        for phrase in phrases:
            try:
                compile_phrases([phrase], wordlists)
            except re.error as error:
                return f"expected a phrase in {name!r}; {error} in {phrase!r}"
            except KeyError as error:
                known = ", ".join(sorted(self.words)) or "none"
                return (
                    f"the phrase {phrase!r} in {name!r} names the group {error}, which 'words' does not hold. "
                    f"Known: {known}."
                )
        return f"the phrases of {name!r} do not go together as one pattern"

    def make(self, parts: Parts) -> Judge:
        lexicon = Lexicon(
            phrases={name: self._patterns[name] for name in self.phrases},
            idioms=self._patterns["idioms"],
            negators=frozenset(fold(word) for word in self.negators),
            harmless_negations=self._patterns["harmless_negations"],
            negation_words=self.negation_words,
        )
        rules = {normalised(name): rule for rule, names in self.categories.items() for name in names}
        limits = Limits(self.min_explored_words, self.min_engaged_words)
        policy = BehaviourPolicy(lexicon, rules, limits)
        if self.weights is None or self.thresholds is None:
            return BehaviourJudge(policy)
        model = LinearModel(read_weights(parts.folder / self.weights))
        weighing = Weighing(model, self.thresholds.by_outcome)
        return WeighedBehaviourJudge(policy, weighing, parts.judge(self.members[0]))


def read_weights(file: Path) -> dict[str, float]:
    """The weights of a learned model, by feature.

    Raises:
        JudgeError: there is no such file, or it holds no weights.
    """
    try:
        plain = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): float(weight) for name, weight in plain["weights"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise JudgeError(
            f"{file.name} holds no weights ({type(error).__name__}: {error}). Make it with "
            "fixtures/behaviour/train.py, or take weights out of the policy to judge by rules alone."
        ) from None
