"""How the members of a panel become one verdict, and whose replies are whose."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import JudgeError
from evalkit.generation import Failure, Generation, Reply, Request
from evalkit.judging.base import MAX_ROUNDS, Judge, RuleJudge
from evalkit.judging.combining import Member, PanelJudge, Rule, outcome_of
from evalkit.probe import Expectation, Generate, Message, Probe
from evalkit.target import Decoding, Model, Quantisation, Target
from evalkit.transcript import Answer, Case, Transcript
from evalkit.verdict import Outcome, Span, Verdict

TARGET = Target(Model("arbiter", "m", False, "m"), Quantisation("fp32", "fp32"))
CASE = Case(
    Probe("p", "s", "f.yaml", 1, "X", (Message("user", "Hi"), Generate()), Expectation(), ()),
    "t", Transcript((), (Answer("Hello.", "Hello."),)),
)  # fmt: skip
OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "unscored")
RULES: tuple[Rule, ...] = ("all", "any", "majority")


class Saying(RuleJudge):
    """Always of the same opinion."""

    def __init__(self, outcome: Outcome, **facts: object) -> None:
        self.said = Verdict("x", outcome, f"{outcome}, I say", **facts)  # type: ignore[arg-type]

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        return self.said


class Asking:
    """Asks its questions, ``counts`` of them in each round, and reads out the replies it got."""

    name = "asking"

    def __init__(self, name: str, *counts: int) -> None:
        self.name, self._counts, self.rounds = name, counts, len(counts)

    def ask(self, case: Case, replies: tuple[Reply, ...]) -> tuple[Request, ...]:
        done = 0
        for number, count in enumerate(self._counts):
            if done == len(replies):
                texts = [f"{self.name}.{number}.{index}" for index in range(count)]
                return tuple(Request(TARGET, (Message("user", text),), Decoding()) for text in texts)
            done += count
        return ()

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        texts = [reply.text for reply in replies if isinstance(reply, Generation)]
        expected = [f"{self.name}.{number}.{index}" for number, count in enumerate(self._counts)
                    for index in range(count)]  # fmt: skip
        return Verdict(self.name, "pass" if texts == expected else "fail", " ".join(texts))


def panel(rule: Rule, *judges: Judge) -> PanelJudge:
    return PanelJudge(rule, tuple(Member(chr(ord("a") + index), judge) for index, judge in enumerate(judges)))


def echoed(judge: Judge) -> tuple[Verdict, list[int]]:
    """The verdict when every question is answered with its own words, and how many came in each round."""
    replies: list[Reply] = []
    rounds: list[int] = []
    while questions := judge.ask(CASE, tuple(replies)):
        rounds.append(len(questions))
        replies += [Generation(asked.messages[0].content, "", (), "stop", 1, 1) for asked in questions]
    assert len(rounds) <= MAX_ROUNDS
    return judge.read(CASE, tuple(replies)), rounds


def expected_outcome(rule: Rule, outcomes: Sequence[Outcome]) -> Outcome:
    """The rules as the documentation words them, counted another way."""
    passes, fails = [sum(one == wanted for one in outcomes) for wanted in ("pass", "fail")]
    if rule == "majority":
        return "unscored" if passes == fails else "pass" if 2 * passes > passes + fails else "fail"
    decisive, other = (fails, passes) if rule == "all" else (passes, fails)
    if decisive:
        return "fail" if rule == "all" else "pass"
    if other < len(outcomes):
        return "unscored"
    return "pass" if rule == "all" else "fail"


@given(st.sampled_from(RULES), st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=6))
def test_truth_tables(rule: Rule, outcomes: list[Outcome]) -> None:
    """Any combination comes out as the documentation says, and the decider is one who said so."""
    verdict, _ = echoed(panel(rule, *map(Saying, outcomes)))
    labels = dict(verdict.labels)

    assert verdict.outcome == expected_outcome(rule, outcomes) == outcome_of(rule, outcomes)
    assert [labels[f"{chr(97 + index)}.outcome"] for index in range(len(outcomes))] == outcomes
    assert ("disagreement" in verdict.flags) == ("pass" in outcomes and "fail" in outcomes)
    if "decided_by" in labels:
        assert labels[f"{labels['decided_by']}.outcome"] == verdict.outcome


@given(st.sampled_from(RULES), st.permutations(["pass", "pass", "fail", "unscored"]))
def test_order_decides_nothing(rule: Rule, outcomes: list[Outcome]) -> None:
    """The outcome does not depend on who sits where."""
    assert outcome_of(rule, outcomes) == outcome_of(rule, sorted(outcomes))


@pytest.mark.parametrize(
    ("rule", "outcomes", "reason"),
    [
        ("all", ("pass", "pass"), "a: pass, I say"),
        ("all", ("unscored", "fail"), "b: fail, I say"),
        ("any", ("fail", "unscored"), "b: unscored, I say"),
        ("majority", ("fail", "pass", "pass"), "2 pass, 1 fail, 0 unscored; b: pass, I say"),
        ("majority", ("fail", "pass"), "no majority (1 pass, 1 fail, 0 unscored)"),
        ("majority", ("fail", "unscored", "pass"),
         "no majority (1 pass, 1 fail, 1 unscored); b: unscored, I say"),
    ],
)  # fmt: skip
def test_reasons(rule: Rule, outcomes: tuple[Outcome, ...], reason: str) -> None:
    """The reason is the decider's, with the count where votes are counted."""
    assert echoed(panel(rule, *map(Saying, outcomes)))[0].reason == reason


def test_what_the_panel_carries_on() -> None:
    """Score, signals and labels of the decider; flags and spans of all, each once."""
    span = Span(0, 2, "why")
    first = Saying("pass", score=8.0, flags=("collapsed", "odd"), spans=(span,), labels=(("label", "good"),))
    second = Saying(
        "fail", score=2.0, flags=("odd",), spans=(span, Span(3, 4, "rude")), signals=(("warmth", 1.0),),
        labels=(("label", "bad"), ("decided_by", "inner")),
    )  # fmt: skip

    labels = {"label": "bad", "b.decided_by": "inner", "decided_by": "b", "a.outcome": "pass", "b.outcome": "fail"}

    assert echoed(panel("all", first, second))[0] == Verdict(
        "panel", "fail", "b: fail, I say", 2.0, ("disagreement", "collapsed", "odd"), tuple(labels.items()),
        (("warmth", 1.0),), (span, Span(3, 4, "rude")), "1",
    )  # fmt: skip


def test_every_member_gets_its_own_replies() -> None:
    """Members that ask different numbers of questions in different rounds are asked together, and none mixed up."""
    judges: list[Judge] = [Asking("one", 2, 1), Saying("pass"), Asking("two", 1, 1, 2), Asking("three", 3)]
    verdict, rounds = echoed(panel("all", *judges))

    assert (verdict.outcome, rounds) == ("pass", [6, 2, 2])


@given(st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=4), min_size=1, max_size=4))
def test_replay_of_any_panel(counts: list[list[int]]) -> None:
    """Also a panel of panels deals every reply to the judge that asked for it, in as few rounds as its longest."""
    inner = panel("all", *[Asking(f"inner{number}", *count) for number, count in enumerate(counts)])
    outer = panel("all", inner, *[Asking(f"outer{number}", *count) for number, count in enumerate(counts)])
    verdict, rounds = echoed(outer)

    assert verdict.outcome == "pass"
    assert len(rounds) == max(map(len, counts)) == outer.rounds


@pytest.mark.parametrize(
    ("replies", "message"),
    [
        ((), "Judge 'panel' asks models, and was read before it could ask."),
        ((Failure("no"),), "no"),
        ((Generation("x", "", (), "stop", 1, 1),), "Judge 'panel' asked 2 questions and got 1 replies."),
    ],
)
def test_missing_replies_are_an_error(replies: tuple[Reply, ...], message: str) -> None:
    """A panel is never counted without a member."""
    with pytest.raises(JudgeError) as caught:
        panel("all", Asking("one", 1), Asking("two", 1)).read(CASE, replies)

    assert str(caught.value) == message


def test_a_member_that_returns_no_verdict() -> None:
    """It is named."""

    class Wrong(RuleJudge):
        def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
            return "pass"  # type: ignore[return-value]

    with pytest.raises(JudgeError) as caught:
        panel("any", Saying("pass"), Wrong()).read(CASE, ())
    assert str(caught.value) == "Member 'b' must return a Verdict; found 'pass'."
