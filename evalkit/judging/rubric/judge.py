"""The judge: one question for each judged answer, one repair each, and the verdict they come to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from evalkit.errors import JudgeError
from evalkit.generation import Failure, Reply, Request
from evalkit.judging.rubric.answers import Opinion, Unreadable, clean_reason, read_reply
from evalkit.judging.rubric.form import COMPOSITE, LABEL, Label, Rubric
from evalkit.judging.rubric.questions import Question, question_messages, questions_of, repair_messages
from evalkit.probe import Message
from evalkit.target import Decoding, Settings, Target
from evalkit.transcript import Case
from evalkit.verdict import Outcome, Verdict

_WORST_FIRST: tuple[Outcome, ...] = ("fail", "unscored", "pass")
_SHOWN_REPLY = 80


@dataclass(frozen=True, slots=True)
class _Heard:
    """One judged answer: its question, and the last thing the judge said about it; None: it was not asked yet."""

    question: Question | None
    said: Opinion | Unreadable | Failure | None
    is_repaired: bool = False


class RubricJudge:
    """Asks ``target`` by a rubric; its ``rounds`` are the question and one repair."""

    name = "rubric"
    version = "1"
    rounds = 2

    def __init__(self, rubric: Rubric, target: Target) -> None:
        self._rubric = rubric
        self._target = target
        self._schema = rubric.schema_text

    def ask(self, case: Case, replies: tuple[Reply, ...]) -> tuple[Request, ...]:
        if any(isinstance(reply, Failure) and reply.kind == "broken" for reply in replies):
            return ()
        asked: list[Request] = []
        for heard in self._heard(case, replies):
            if heard.question is None:
                continue
            if heard.said is None:
                asked.append(self._request(question_messages(self._rubric, heard.question)))
            elif isinstance(heard.said, Unreadable) and not heard.is_repaired:
                said = heard.said
                asked.append(self._request(repair_messages(self._rubric, heard.question, said.reply, said.problem)))
        return tuple(asked)

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        """The verdict of the worst answer.

        Raises:
            JudgeError: a question has no reply, because the judge's model broke or was never asked.
        """
        broken = next((reply for reply in replies if isinstance(reply, Failure) and reply.kind == "broken"), None)
        if broken is not None:
            raise JudgeError(f"Judge {self.name!r} got no reply from {self._target.label}: {broken.reason}")
        if self.ask(case, replies):
            raise JudgeError(f"Judge {self.name!r} asks {self._target.label}, and was read before it could ask.")
        verdicts = [self._verdict(heard) for heard in self._heard(case, replies)]
        if not verdicts:
            return self._unscored("there is no answer to judge")
        worst = min(verdicts, key=lambda verdict: (_WORST_FIRST.index(verdict.outcome), verdict.score or 0.0))
        if len(verdicts) == 1:
            return worst
        return replace(worst, reason=f"answer {verdicts.index(worst) + 1} of {len(verdicts)}: {worst.reason}")

    def _heard(self, case: Case, replies: tuple[Reply, ...]) -> list[_Heard]:
        """The replies put to their questions: first one for each, then one for each that had to be repaired."""
        waiting = list(replies)
        first = [
            _Heard(question, None if question is None or not waiting else self._read(question, waiting.pop(0)))
            for question in questions_of(self._rubric, case)
        ]
        return [
            _Heard(heard.question, self._read(heard.question, waiting.pop(0)), is_repaired=True)
            if waiting and heard.question is not None and isinstance(heard.said, Unreadable)
            else heard
            for heard in first
        ]

    def _read(self, question: Question, reply: Reply) -> Opinion | Unreadable | Failure:
        return reply if isinstance(reply, Failure) else read_reply(self._rubric, reply, question.texts)

    def _request(self, messages: tuple[Message, ...]) -> Request:
        decoding = Decoding(temperature=0.0, max_new_tokens=self._rubric.max_new_tokens)
        return Request(self._target, messages, decoding, answer_schema=self._schema)

    def _verdict(self, heard: _Heard) -> Verdict:
        said = heard.said
        if said is None:
            return self._unscored("there is no thinking to judge")
        if isinstance(said, Failure):
            return self._unscored(said.reason)
        if isinstance(said, Unreadable):
            shown = clean_reason(said.reply)
            shown = shown if len(shown) <= _SHOWN_REPLY else shown[: _SHOWN_REPLY - 1] + "…"
            wrote = f"; it wrote {shown!r}" if shown else ""
            return self._unscored(f"the judge's answer could not be read: {said.problem}{wrote}")
        return self._labelled(said) if self._rubric.labels else self._scored(said)

    def _labelled(self, said: Opinion) -> Verdict:
        label = next(item for item in self._rubric.labels if item.name == said.label)
        labels: Settings = ((LABEL, label.name), *said.checks, *said.choices)
        return self._make(self._outcome(label, said), said.reason, labels=labels)

    def _outcome(self, label: Label, said: Opinion) -> Outcome:
        if label.outcome != "by_check":
            return label.outcome
        return "pass" if dict(said.checks)[self._rubric.deciding_check or ""] else "fail"

    def _scored(self, said: Opinion) -> Verdict:
        """Composite: the mean of the dimensions, each turned so that higher is better."""
        values = dict(said.scores)
        turned = [item.directed(values[item.name]) for item in self._rubric.dimensions]
        score = round(sum(turned) / len(turned), 4)
        outcome, why = self._compared(score if self._rubric.signal == COMPOSITE else values[self._rubric.signal])
        return self._make(
            outcome, f"{why}: {said.reason}", score=score, labels=(*said.checks, *said.choices),
            signals=tuple((name, float(value)) for name, value in said.scores),
        )  # fmt: skip

    def _compared(self, value: float) -> tuple[Outcome, str]:
        rubric = self._rubric
        if rubric.measure_only:
            return "pass", f"{rubric.signal} {value:g}, measured only"
        if rubric.at_least is not None and value < rubric.at_least:
            return "fail", f"{rubric.signal} {value:g} is under {rubric.at_least:g}"
        if rubric.at_most is not None and value > rubric.at_most:
            return "fail", f"{rubric.signal} {value:g} is over {rubric.at_most:g}"
        return "pass", f"{rubric.signal} {value:g}"

    def _unscored(self, reason: str) -> Verdict:
        return self._make("unscored", reason)

    def _make(
        self, outcome: Outcome, reason: str, score: float | None = None, labels: Settings = (), signals: Settings = ()
    ) -> Verdict:
        return Verdict(
            judge=self.name, judge_version=self.version, outcome=outcome, reason=reason, score=score, labels=labels,
            signals=signals,
        )  # fmt: skip
