"""The rounds of a rubric judge, and the verdicts its replies come to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from evalkit.errors import JudgeError
from evalkit.generation import Failure, Generation, Reply, Request
from evalkit.judging.base import MAX_ROUNDS, Judge
from evalkit.judging.panel import asks
from evalkit.judging.rubric.form import Check, Choice, Dimension, Label, Rubric
from evalkit.judging.rubric.judge import RubricJudge
from evalkit.probe import Expectation, Generate, Message, Probe
from evalkit.target import Model, Quantisation, Target
from evalkit.transcript import Answer, Case, Transcript
from evalkit.verdict import Verdict

TARGET = Target(Model("arbiter", "m", False, "m"), Quantisation("fp32", "fp32"))
LABELLED = Rubric(
    "Is it polite?",
    labels=(
        Label("correct", "Polite.", "pass"),
        Label("partial", "Half.", "by_check"),
        Label("incorrect", "Rude.", "fail"),
        Label("unclear", "Cannot be told.", "unscored"),
    ),
    checks=(Check("polite", "Is it?"),),
    choices=(Choice("tone", "Which?", (("WARM", "warm."), ("COLD", "cold."))),),
    deciding_check="polite",
)
SCALED = Rubric(
    "How polite?",
    dimensions=(
        Dimension("warmth", "How warm?", 1, 10, "Cold.", "Warm."),
        Dimension("haste", "How hasty?", 1, 10, "Calm.", "Hasty.", higher_is_better=False),
    ),
    at_least=6,
)
GOOD = json.dumps({"reason": "It greets.", "polite": True, "label": "correct", "tone": "WARM"})


def said(text: str) -> Generation:
    return Generation(text, text, (), "stop", 1, 1)


def case_of(*answers: Answer, **changes: object) -> Case:
    messages: list[Message] = []
    for number, answer in enumerate(answers):
        messages += [Message("user", f"Question {number}?"), Message("assistant", answer.answer)]
    turns = tuple(Generate() if message.role == "assistant" else message for message in messages)
    probe = Probe("p", "s", "f.yaml", 1, "X", turns, Expectation(), ())
    return Case(replace(probe, **changes), "one:fp32:naked:greedy", Transcript(tuple(messages), answers))  # type: ignore[arg-type]


HELLO = Answer("Hello, friend.", "Hello, friend.")


def driven(judge: Judge, case: Case, script: Sequence[Reply]) -> tuple[Verdict, list[list[Request]]]:
    """The judge's verdict when its questions get the script's replies in order, and what it asked in each round."""
    replies: list[Reply] = []
    rounds: list[list[Request]] = []
    while questions := judge.ask(case, tuple(replies)):
        rounds.append(list(questions))
        replies += script[len(replies) : len(replies) + len(questions)]
    assert len(rounds) <= MAX_ROUNDS
    assert len(replies) == len(script)
    return judge.read(case, tuple(replies)), rounds


def user_of(request: Request) -> str:
    return request.messages[-1].content


@pytest.mark.parametrize(
    ("label", "polite", "outcome"),
    [
        ("correct", True, "pass"),
        ("partial", True, "pass"),
        ("partial", False, "fail"),
        ("incorrect", False, "fail"),
        ("unclear", True, "unscored"),
    ],
)
def test_labels_decide(label: str, polite: bool, outcome: str) -> None:
    """Each label has its outcome; a partial one follows the deciding check and keeps its name."""
    reply = json.dumps({"reason": "It greets.", "polite": polite, "label": label, "tone": "COLD"})
    verdict, _ = driven(RubricJudge(LABELLED, TARGET), case_of(HELLO), [said(reply)])

    assert verdict == Verdict(
        "rubric", outcome, "It greets.", judge_version="1",  # type: ignore[arg-type]
        labels=(("label", label), ("polite", polite), ("tone", "COLD")),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rubric", "values", "outcome", "score", "reason"),
    [
        (SCALED, (8, 2), "pass", 8.5, "composite 8.5: It greets."),
        (SCALED, (8, 8), "fail", 5.5, "composite 5.5 is under 6: It greets."),
        (SCALED, (3, 2), "pass", 6.0, "composite 6: It greets."),
        (replace(SCALED, signal="haste", at_least=None, at_most=4), (1, 4), "pass", 4.0, "haste 4: It greets."),
        (replace(SCALED, signal="haste", at_least=None, at_most=4), (10, 5), "fail", 8.0,
         "haste 5 is over 4: It greets."),
        (replace(SCALED, measure_only=True), (1, 10), "pass", 1.0, "composite 1, measured only: It greets."),
    ],
)  # fmt: skip
def test_scales_decide(rubric: Rubric, values: tuple[int, int], outcome: str, score: float, reason: str) -> None:
    """The composite is the mean with lower-is-better turned round; a single dimension counts as it was given."""
    reply = json.dumps({"reason": "It greets.", "warmth": values[0], "haste": values[1]})
    verdict, _ = driven(RubricJudge(rubric, TARGET), case_of(HELLO), [said(reply)])

    assert (verdict.outcome, verdict.score, verdict.reason) == (outcome, score, reason)
    assert verdict.signals == (("warmth", float(values[0])), ("haste", float(values[1])))


def test_nothing_to_judge() -> None:
    """Without thinking, or without an answer, nobody is asked."""
    thinking = RubricJudge(replace(LABELLED, sees="thinking"), TARGET)

    assert driven(thinking, case_of(HELLO), [])[0].reason == "there is no thinking to judge"
    verdict, _ = driven(RubricJudge(LABELLED, TARGET), case_of(), [])
    assert (verdict.outcome, verdict.reason) == ("unscored", "there is no answer to judge")


def test_one_repair_then_a_verdict() -> None:
    """The judge sees its own reply and what was wrong with it, and may reply once more."""
    verdict, rounds = driven(RubricJudge(LABELLED, TARGET), case_of(HELLO), [said("It is <b>polite</b>."), said(GOOD)])

    assert verdict.outcome == "pass"
    repair = user_of(rounds[1][0])
    assert "| It is ‹b>polite‹/b>.\n=== end your_reply " in repair
    assert repair.endswith(
        "Your reply, shown in the block `your_reply`, could not be read: it holds no JSON object.\n"
        "Judge the case above as the rubric says. Reply with the JSON object alone."
    )
    assert rounds[1][0].answer_schema == rounds[0][0].answer_schema


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (said("Polite,\x1b[2J I say."), "it holds no JSON object; it wrote 'Polite,[2J I say.'"),
        (said(""), "it was empty"),
        (replace(said(GOOD), finish="refusal", text=""), "it was a refusal"),
        (replace(said(GOOD[:20]), finish="length", new_tokens=99),
         "it was cut after 99 tokens; be shorter; it wrote '{\"reason\": \"It greet'"),
        (said("y" * 500), f"it holds no JSON object; it wrote '{'y' * 79}…'"),
    ],
)  # fmt: skip
def test_unreadable_twice_is_unscored(second: Generation, reason: str) -> None:
    """No third question; the reason says what was wrong."""
    verdict, rounds = driven(RubricJudge(LABELLED, TARGET), case_of(HELLO), [said("?"), second])

    assert (verdict.outcome, verdict.score, len(rounds)) == ("unscored", None, 2)
    assert verdict.reason == f"the judge's answer could not be read: {reason}"


@pytest.mark.parametrize("kind", ["no_key", "no_money"])
@pytest.mark.parametrize("before", [(), (said("?"),)])
def test_no_key_and_no_money_are_unscored(kind: str, before: tuple[Reply, ...]) -> None:
    """The user chose so: the trial is unscored with the engine's sentence, also when only the repair was refused."""
    failure = Failure("Set ANTHROPIC_API_KEY to ask it.", kind=kind)  # type: ignore[arg-type]
    verdict, _ = driven(RubricJudge(LABELLED, TARGET), case_of(HELLO), [*before, failure])

    assert (verdict.outcome, verdict.reason) == ("unscored", "Set ANTHROPIC_API_KEY to ask it.")


@pytest.mark.parametrize("before", [(), (said("?"),)])
def test_a_broken_model_is_an_error(before: tuple[Reply, ...]) -> None:
    """An outage is never a verdict, and nothing more is asked."""
    judge, replies = RubricJudge(LABELLED, TARGET), (*before, Failure("HTTP 500 five times"))

    assert judge.ask(case_of(HELLO), replies) == ()
    with pytest.raises(JudgeError) as caught:
        judge.read(case_of(HELLO), replies)
    assert str(caught.value) == "Judge 'rubric' got no reply from arbiter:fp32:naked:greedy: HTTP 500 five times"


def test_read_before_it_could_ask() -> None:
    """Where nobody drives the rounds, that is said."""
    judge = RubricJudge(LABELLED, TARGET)

    assert asks(judge)
    with pytest.raises(JudgeError) as caught:
        judge.read(case_of(HELLO), ())
    assert str(caught.value) == ("Judge 'rubric' asks arbiter:fp32:naked:greedy, and was read before it could ask.")


RUDE = json.dumps({"reason": "It is rude.", "polite": False, "label": "incorrect", "tone": "COLD"})


def test_every_answer_is_judged_and_the_worst_decides() -> None:
    """With judge_turns: all there is a question for each answer with what stood before it, and a repair where due."""
    answers = [HELLO, Answer("Go away.", "Go away."), Answer("Bye.", "Bye.")]
    case = case_of(*answers, judge_turns="all")
    verdict, rounds = driven(
        RubricJudge(LABELLED, TARGET), case, [said("?"), said(RUDE), said("?"), said(GOOD), said(GOOD)]
    )

    assert (verdict.outcome, verdict.reason) == ("fail", "answer 2 of 3: It is rude.")
    assert [len(asked) for asked in rounds] == [3, 2]
    shown = [[line for line in user_of(request).split("\n") if line.startswith("| ")] for request in rounds[0]]
    assert shown[1] == ["| Question 0?", "| Hello, friend.", "| Question 1?", "| Go away."]
    assert "| ?" in user_of(rounds[1][1]).split("\n")
    assert "| Bye." in user_of(rounds[1][1]).split("\n")
