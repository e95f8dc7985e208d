"""Cascades: the cheap judge first, the dear one when it is needed, and a share of audits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evalkit.errors import JudgeError
from evalkit.generation import Failure, Generation, Reply, Request
from evalkit.judging.base import RuleJudge
from evalkit.judging.combining import Escalation, Member, Near, PanelJudge
from evalkit.probe import Expectation, Generate, Message, Probe
from evalkit.target import Decoding, Model, Quantisation, Target
from evalkit.transcript import Answer, Case, Transcript
from evalkit.verdict import Outcome, Verdict

TARGET = Target(Model("arbiter", "m", False, "m"), Quantisation("fp32", "fp32"))
CASE = Case(
    Probe("p", "s", "f.yaml", 1, "X", (Message("user", "Hi"), Generate()), Expectation(), ()),
    "t", Transcript((), (Answer("Hello.", "Hello."),)),
)  # fmt: skip


class Cheap(RuleJudge):
    """A rule judge of one opinion."""

    def __init__(self, outcome: Outcome, score: float | None = None, warmth: float | None = None) -> None:
        self._said = (outcome, score, () if warmth is None else (("warmth", warmth),))

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        outcome, score, signals = self._said
        return self.verdict(outcome, "by rule", score=score, signals=signals)


class Dear:
    """Asks once and repeats what it was told; a failure of its model is an error, or leaves it unscored."""

    name = "dear"
    rounds = 2

    def ask(self, case: Case, replies: tuple[Reply, ...]) -> tuple[Request, ...]:
        return () if replies else (Request(TARGET, (Message("user", "Well?"),), Decoding()),)

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        (reply,) = replies
        if isinstance(reply, Generation):
            return Verdict("dear", reply.text, "by reading")  # type: ignore[arg-type]
        if reply.kind == "broken":
            raise JudgeError(reply.reason)
        return Verdict("dear", "unscored", reply.reason)


def cascade(first: RuleJudge, *others: object, **escalation: object) -> PanelJudge:
    judges = (first, *(others or (Dear(),)))
    members = tuple(Member(name, judge) for name, judge in zip(("cheap", "dear", "dearer"), judges, strict=False))  # type: ignore[arg-type]
    return PanelJudge("cascade", members, Escalation(**escalation))  # type: ignore[arg-type]


def driven(judge: PanelJudge, *script: Reply | str, case: Case = CASE) -> tuple[Verdict, int]:
    """The verdict, and how many questions it took; the script's texts are replies."""
    given = [Generation(item, item, (), "stop", 1, 1) if isinstance(item, str) else item for item in script]
    replies: list[Reply] = []
    while questions := judge.ask(case, tuple(replies)):
        replies += given[len(replies) : len(replies) + len(questions)]
    return judge.read(case, tuple(replies)), len(replies)


NEAR = Near("score", 6.0, 0.5)


@pytest.mark.parametrize(
    ("first", "escalation", "asked"),
    [
        (Cheap("pass"), {}, False),
        (Cheap("fail"), {}, False),
        (Cheap("unscored"), {}, True),
        (Cheap("unscored"), {"unscored": False}, False),
        (Cheap("pass", 6.5), {"near": NEAR}, True),
        (Cheap("fail", 5.5), {"near": NEAR}, True),
        (Cheap("pass", 6.51), {"near": NEAR}, False),
        (Cheap("pass", 9.0, warmth=0.9), {"near": Near("warmth", 1.0, 0.2)}, True),
        (Cheap("unscored"), {"unscored": False, "near": NEAR}, False),
    ],
)
def test_when_a_cascade_escalates(first: Cheap, escalation: dict[str, object], asked: bool) -> None:
    """When the one before abstains, or its number is near the threshold; else nobody is asked."""
    verdict, count = driven(cascade(first, **escalation), "fail")

    assert (count == 1, "escalated" in verdict.flags) == (asked, asked)
    assert dict(verdict.labels)["decided_by"] == ("dear" if asked else "cheap")


def test_the_last_one_asked_decides() -> None:
    """Its verdict stands, and the reason says who was asked before; a contradiction is flagged."""
    verdict, _ = driven(cascade(Cheap("pass", 6.0), near=NEAR), "fail")

    assert verdict == Verdict(
        "panel", "fail", "asked after cheap, dear: by reading", flags=("disagreement", "escalated"),
        labels=(("decided_by", "dear"), ("cheap.outcome", "pass"), ("dear.outcome", "fail")), judge_version="1",
    )  # fmt: skip


def test_an_escalation_without_a_key_stays_unscored() -> None:
    """A doubtful verdict is not taken for a good one because the dear judge cannot be paid."""
    verdict, _ = driven(cascade(Cheap("pass", 6.0), near=NEAR), Failure("Set a key.", kind="no_key"))

    assert (verdict.outcome, verdict.reason) == ("unscored", "asked after cheap, dear: Set a key.")


def test_an_escalation_that_breaks_is_an_error() -> None:
    """As any judge whose model cannot be reached."""
    with pytest.raises(JudgeError, match=r"^HTTP 500$"):
        driven(cascade(Cheap("unscored")), Failure("HTTP 500"))


def test_a_long_cascade() -> None:
    """Rounds follow one another, and stop as soon as somebody can tell."""
    judge = cascade(Cheap("unscored"), Dear(), Dear())

    assert judge.rounds == 4
    assert driven(judge, "unscored", "pass")[0].reason == "asked after cheap, dear, dearer: by reading"
    assert driven(judge, "pass")[1] == 1


def test_too_many_rounds_are_refused() -> None:
    """What could not be asked in four rounds is said when the judge is made."""
    with pytest.raises(JudgeError) as caught:
        PanelJudge("cascade", tuple(Member(name, Dear()) for name in "abc"))

    assert str(caught.value) == (
        "The members of the cascade may ask for 6 rounds one after another; a judge has 4. Leave a member out."
    )


def test_a_signal_nobody_gives_is_an_error() -> None:
    """A misspelt signal does not silently mean 'never near'."""
    with pytest.raises(JudgeError) as caught:
        driven(cascade(Cheap("pass"), near=Near("warmht", 1, 1)))

    assert str(caught.value) == (
        "Judge 'panel' looks at 'warmht' of 'cheap', which gives no such value. Name another signal in escalate_when."
    )


def test_an_audit_never_decides() -> None:
    """The audited verdict stands; the audit shows as flags and a label."""
    verdict, count = driven(cascade(Cheap("pass"), audit=1.0), "fail")

    assert (verdict.outcome, verdict.reason, count) == ("pass", "cheap: by rule", 1)
    assert verdict.flags == ("disagreement", "audited")
    assert dict(verdict.labels) == {"decided_by": "cheap", "cheap.outcome": "pass", "dear.outcome": "fail"}


def test_an_audit_goes_one_member_further() -> None:
    """Nobody audits the auditor, and the last member is audited by nobody."""
    assert driven(cascade(Cheap("pass"), Dear(), Dear(), audit=1.0), "unscored")[1] == 1
    assert "audited" not in driven(cascade(Cheap("unscored"), audit=1.0), "pass")[0].flags


def test_an_audit_may_fail() -> None:
    """An audit decides nothing, so its outage is a flag and no error."""
    verdict, _ = driven(cascade(Cheap("pass"), audit=1.0), Failure("HTTP 500"))

    assert (verdict.outcome, verdict.flags) == ("pass", ("audit_failed",))
    assert dict(verdict.labels) == {"decided_by": "cheap", "cheap.outcome": "pass"}


def test_the_audited_share() -> None:
    """It is the asked one, chosen by probe, answer and judge: the same every time, another for another judge."""
    judge = cascade(Cheap("pass"), audit=0.05)
    other = cascade(Cheap("pass"), audit=0.05)
    other.name = "other"
    cases = [replace(CASE, probe=replace(CASE.probe, id=f"p{number}")) for number in range(4000)]
    audited = [bool(judge.ask(case, ())) for case in cases]

    assert 150 <= sum(audited) <= 250
    assert audited == [bool(judge.ask(case, ())) for case in cases]
    assert audited != [bool(other.ask(case, ())) for case in cases]
    assert not any(cascade(Cheap("pass")).ask(case, ()) for case in cases)
