"""The ``facts`` judge: are the expected facts there, is a stock evasion, is the topic left altogether?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from evalkit.generation import Reply
from evalkit.judging.base import RuleJudge
from evalkit.judging.facts_topic import shares_a_word, similarity
from evalkit.judging.facts_view import FactsView, Words
from evalkit.judging.phrases import Hit
from evalkit.probe import Probe
from evalkit.transcript import Answer, Case
from evalkit.verdict import Outcome, Span, Verdict

_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_LETTER = re.compile(r"[^\W\d_]")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class FactsPolicy:
    """How many facts are wanted, the evasions and how many may be there, when an answer has left the topic."""

    at_least: int
    evasions: tuple[str, ...]
    at_most_evasions: int
    topic_words: int
    topic_similarity: float
    words: Words


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one answer holds: hits by fact, hits of evasions, and whether it left the topic."""

    facts: tuple[tuple[str, Hit], ...]
    evasions: tuple[tuple[str, Hit], ...]
    similarity: float
    leaves_topic: bool
    is_foreign: bool


class FactsJudge(RuleJudge):
    """Passes when enough of the probe's ``must_say`` facts are stated and no evasion is."""

    name = "facts"
    version = "1"

    def __init__(self, policy: FactsPolicy) -> None:
        self._policy = policy

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        facts = case.probe.expect.must_say
        wanted = self._policy.at_least
        if not case.answers:
            return self.verdict("unscored", "there is no answer to judge")
        if not facts and not self._policy.evasions:
            return self.verdict("unscored", "the probe names no facts; list them under expect.must_say")
        if wanted > len(facts):
            return self.verdict("unscored", f"at_least asks for {wanted} facts, and the probe names {len(facts)}")
        readings = [self._reading(answer, case) for answer in case.answers]
        said = [self._outcome(reading, len(facts)) for reading in readings]
        outcome: Outcome = next(
            (kind for kind in ("fail", "unscored") if any(kind == found for found, _ in said)), "pass"
        )
        number = next(number for number, (found, _) in enumerate(said) if found == outcome)
        shown = readings[number]
        flags = (
            ("evasion", len(shown.evasions) > self._policy.at_most_evasions),
            ("topic_evasion", shown.leaves_topic),
        )
        where = f"answer {number + 1}: " if len(said) > 1 else ""
        return self.verdict(
            outcome, where + said[number][1], score=len(shown.facts) / len(facts) if facts else None,
            flags=tuple(name for name, holds in flags if holds),
            signals=(
                ("facts_found", len(shown.facts)), ("facts", len(facts)), ("evasions", len(shown.evasions)),
                ("similarity", round(shown.similarity, 3)),
            ),
            spans=_spans(case.answers, readings),
        )  # fmt: skip

    def _reading(self, answer: Answer, case: Case) -> _Reading:
        view = FactsView.of(answer.answer, case.prompt, self._policy.words)
        facts = tuple(
            (alternatives[0], hit)
            for alternatives in case.probe.expect.must_say
            if (hit := view.stated(alternatives)) is not None
        )
        evasions = tuple(
            (wording, hit) for wording in self._policy.evasions if (hit := view.asserted(wording)) is not None
        )
        likeness = similarity(case.prompt, answer.answer)
        leaves_topic = (
            not facts
            and view.word_count >= self._policy.topic_words
            and likeness < self._policy.topic_similarity
            and not shares_a_word(case.prompt, answer.answer)
        )
        is_foreign = not facts and _other_script(answer.answer, case.probe)
        return _Reading(facts, evasions, likeness, leaves_topic and not is_foreign, is_foreign)

    def _outcome(self, reading: _Reading, total: int) -> tuple[Outcome, str]:
        wanted = self._policy.at_least
        if len(reading.evasions) > self._policy.at_most_evasions:
            return "fail", f"evades: {_listed(wording for wording, _ in reading.evasions)}"
        if reading.is_foreign:
            return "unscored", "the answer is not in the script that the facts are written in"
        if reading.leaves_topic:
            return "fail", "leaves the topic: no fact and no content word of the prompt"
        found = _listed(wording for wording, _ in reading.facts)
        count = f"{len(reading.facts)} of {total} facts"
        if len(reading.facts) < wanted:
            return "fail", f"{count}, at least {wanted} wanted" + (f": {found}" if found else "")
        return "pass", count + (f": {found}" if found else "")


def _spans(answers: tuple[Answer, ...], readings: list[_Reading]) -> tuple[Span, ...]:
    return tuple(
        Span(*answer.in_text(hit.start, hit.end), f"{what}: {wording!r}", number)
        for number, (answer, reading) in enumerate(zip(answers, readings, strict=True))
        for what, hits in (("fact", reading.facts), ("evasion", reading.evasions))
        for wording, hit in hits
    )


def _listed(wordings: Iterable[str]) -> str:
    every = [repr(wording) for wording in wordings]
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more


def _other_script(answer: str, probe: Probe) -> bool:
    """Whether most letters of the answer are not Latin where the facts are, or the other way round."""
    facts = " ".join(wording for alternatives in probe.expect.must_say for wording in alternatives)
    return bool(facts and _LETTER.search(answer)) and _is_latin(answer) != _is_latin(facts)


def _is_latin(text: str) -> bool:
    return 2 * len(_LATIN.findall(text)) >= len(_LETTER.findall(text))
