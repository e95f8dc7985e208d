"""How verdicts become a decision, and what a broken judge costs."""

from __future__ import annotations

from typing import Any

import pytest

from evalkit.errors import JudgeError
from evalkit.generation import Reply, Request
from evalkit.judging.base import RuleJudge
from evalkit.judging.panel import asks, decide, read_all
from evalkit.judging.text import TextJudge
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.transcript import Answer, Case, Transcript
from evalkit.verdict import Outcome, Verdict

CASE = Case(
    Probe("tides", "s", "f.yaml", 1, "X", (Message("user", "Hi"), Generate()), Expectation(contains=("moon",)), ()),
    "t",
    Transcript((), (Answer("The moon.", "The moon."),)),
)


class Returning(RuleJudge):
    """Reads whatever it was made with."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        if isinstance(self.result, Exception):
            raise self.result
        return self.result  # type: ignore[no-any-return]


class Asking:
    """Asks a model."""

    name = "asking"

    def ask(self, case: Case, replies: tuple[Reply, ...]) -> tuple[Request, ...]:
        return ()

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        return Verdict("asking", "pass", "fine")


def of(judge: str, outcome: Outcome, required: bool = True) -> Verdict:
    return Verdict(judge, outcome, f"{outcome} by {judge}", required=required)


@pytest.mark.parametrize(
    ("verdicts", "outcome", "reason"),
    [
        ((of("degeneration", "pass"), of("text", "pass")), "pass", "text: pass by text"),
        ((of("degeneration", "pass"),), "pass", "degeneration: pass by degeneration"),
        ((of("text", "fail"), of("degeneration", "fail")), "fail", "degeneration: fail by degeneration"),
        ((of("text", "unscored"), of("behaviour", "fail")), "fail", "behaviour: fail by behaviour"),
        ((of("degeneration", "pass"), of("behaviour", "unscored")), "unscored", "behaviour: unscored by behaviour"),
        ((of("text", "pass"), of("behaviour", "fail", required=False)), "pass", "text: pass by text"),
        ((of("text", "pass"), of("behaviour", "unscored", required=False)), "pass", "text: pass by text"),
    ],
)
def test_decide(verdicts: tuple[Verdict, ...], outcome: str, reason: str) -> None:
    """Required verdicts decide, a fail before an unscored; optional ones never do."""
    decision = decide(verdicts)

    assert (decision.outcome, decision.reason, decision.verdicts) == (outcome, reason, verdicts)


def test_nothing_required_is_an_error() -> None:
    """A trial that no required judge decides is never a pass."""
    with pytest.raises(JudgeError) as caught:
        decide((of("behaviour", "pass", required=False),))

    assert str(caught.value) == (
        "No required judge gave a verdict (optional ones: behaviour). Make one of them required."
    )


def test_read_all_stamps_every_verdict() -> None:
    """The session's facts are on each verdict: the name in the YAML, the hash, and whether it decides."""
    uses = (JudgeUse("text"), JudgeUse("mood", required=False))
    judges = tuple(zip(uses, (TextJudge(), Returning(Verdict("x", "fail", "sad"))), strict=True))

    decision = read_all(judges, CASE, ((), ()), ("aaaa", "bbbb"))

    assert decision.outcome == "pass"
    assert [(one.judge, one.judge_hash, one.required) for one in decision.verdicts] == [
        ("text", "aaaa", True),
        ("mood", "bbbb", False),
    ]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (ValueError("no moon"), "Judge 'mood' broke on probe 'tides': ValueError: no moon"),
        (
            "pass",
            "Judge 'mood' broke on probe 'tides': read must return a Verdict with outcome pass, fail or unscored; "
            "found 'pass'.",
        ),
        (
            Verdict("mood", "pass", "glad", score=float("inf")),
            "Judge 'mood' broke on probe 'tides': the score of its Verdict must be a finite number or None; found inf.",
        ),
    ],
)
def test_broken_judge_names_itself_and_the_probe(result: Any, message: str) -> None:
    """A judge that raises or returns nonsense is a JudgeError, no verdict."""
    with pytest.raises(JudgeError) as caught:
        read_all(((JudgeUse("mood"), Returning(result)),), CASE, ((),), ("",))

    assert str(caught.value) == message


def test_errors_meant_for_the_user_pass_through() -> None:
    """A JudgeError keeps its own sentence."""
    with pytest.raises(JudgeError, match=r"^out of tea$"):
        read_all(((JudgeUse("mood"), Returning(JudgeError("out of tea"))),), CASE, ((),), ("",))


def test_only_judges_with_an_ask_of_their_own_ask() -> None:
    """The host drives rounds for these alone."""
    assert (asks(TextJudge()), asks(Asking())) == (False, True)
