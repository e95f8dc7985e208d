"""One trial with its words, as it may become a training example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from evalkit.measured import Measured
from evalkit.probe import Message
from evalkit.record import TrialRecord
from evalkit.transcript import Answer


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trial of the run, in the order of the run.

    ``asked`` are the messages that led to the last answer, earlier answers among them, without the condition's
    ``system`` text. ``answers`` are the target's, in order; ``places`` says where in ``asked`` each but the last one
    stands. All are empty where the store has no answer. ``scores`` are by judge; labels belong to ``text_hash``.
    """

    record: TrialRecord
    asked: tuple[Message, ...]
    answers: tuple[Answer, ...]
    places: tuple[int, ...]
    scores: Mapping[str, float]
    system: str | None = None
    text_hash: str = ""

    @classmethod
    def without_answer(cls, record: TrialRecord) -> Candidate:
        return cls(record, (), (), (), Measured.of(record).scores)

    @property
    def probe(self) -> str:
        """The probe's name over all suites."""
        return f"{self.record.suite}/{self.record.probe}"

    @property
    def has_thinking(self) -> bool:
        return any(answer.thinking.strip() for answer in self.answers)

    def score(self, judge: str | None) -> float | None:
        """What that judge gave; without a name, the first score that a required judge gave."""
        found = self.record.score if judge is None else self.scores.get(judge)
        return found if found is not None and isfinite(found) else None

    def messages(self, *, with_system: bool, with_thinking: bool) -> tuple[Message, ...]:
        """The whole conversation, the last answer included.

        The condition's text, where it is wanted, is joined with the probe's own system turn as it was for the model. A
        model without a system role read all that at the head of the first user turn, so there it is: its chat template
        would refuse anything else. Thinking, where it is wanted, stands before its answer between ``<think>`` and
        ``</think>``.
        """
        found = list(self.asked)
        for place, answer in zip(self.places, self.answers, strict=False):
            found[place] = _said(answer, with_thinking)
        found.append(_said(self.answers[-1], with_thinking))
        if with_system and self.system is not None:
            found = _with_condition(found, self.system)
        return tuple(_in_user_turn(found) if self.record.system_placement == "user_turn" else found)


def _said(answer: Answer, with_thinking: bool) -> Message:
    thought = answer.thinking.strip() if with_thinking else ""
    said = answer.answer.strip()
    return Message("assistant", f"<think>\n{thought}\n</think>\n\n{said}" if thought else said)


def _with_condition(messages: list[Message], system: str) -> list[Message]:
    if messages[0].role != "system":
        return [Message("system", system), *messages]
    return [Message("system", f"{system}\n\n{messages[0].content}"), *messages[1:]]


def _in_user_turn(messages: list[Message]) -> list[Message]:
    """A leading system text put in front of the first user turn, a blank line between."""
    first = next((place for place, message in enumerate(messages) if message.role == "user"), 0)
    if messages[0].role != "system" or not first:
        return messages
    joined = Message("user", f"{messages[0].content}\n\n{messages[first].content}")
    return [*messages[1:first], joined, *messages[first + 1 :]]
