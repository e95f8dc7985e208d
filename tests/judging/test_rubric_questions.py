"""What a rubric judge puts to its model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evalkit.generation import Generation
from evalkit.judging.rubric.form import Category, Check, Dimension, Example, Label, Rubric
from evalkit.judging.rubric.judge import RubricJudge
from evalkit.probe import Expectation, Generate, Message, Probe
from evalkit.target import Condition, Decoding, Model, Quantisation, Target
from evalkit.transcript import Answer, Case, Transcript

TARGET = Target(Model("arbiter", "m", False, "m"), Quantisation("fp32", "fp32"))
LABELLED = Rubric(
    "Is it polite?",
    labels=(Label("correct", "Polite.", "pass"), Label("incorrect", "Rude.", "fail")),
    checks=(Check("polite", "Is it?"),),
)
SCALED = Rubric(
    "How polite?",
    dimensions=(Dimension("haste", "How hasty?", 1, 10, "Calm.", "Hasty.", higher_is_better=False),),
    at_most=6,
)
HELLO = Answer("Hello, friend.", "Hello, friend.")


def said(text: str) -> Generation:
    return Generation(text, text, (), "stop", 1, 1)


def case_of(*answers: Answer, **changes: object) -> Case:
    messages: list[Message] = []
    for number, answer in enumerate(answers):
        messages += [Message("user", f"Question {number}?"), Message("assistant", answer.answer)]
    turns = tuple(Generate() if message.role == "assistant" else message for message in messages)
    probe = Probe("p", "s", "f.yaml", 1, "X", turns, Expectation(), ())
    return Case(replace(probe, **changes), "one:fp32:naked:greedy", Transcript(tuple(messages), answers))  # type: ignore[arg-type]


def user_text(judge: RubricJudge, case: Case) -> str:
    return judge.ask(case, ())[0].messages[-1].content


def shown_lines(judge: RubricJudge, case: Case) -> list[str]:
    return [line[2:] for line in user_text(judge, case).split("\n") if line.startswith("| ")]


def test_what_is_asked() -> None:
    """One greedy request with the schema; the rubric in the system text, the case in the user text."""
    reply = '{"reason": "It greets.", "polite": true, "label": "correct"}'
    rubric = replace(LABELLED, max_new_tokens=99, examples=(Example("Hi?", "Hm.", reply),))
    (request,) = RubricJudge(rubric, TARGET).ask(case_of(HELLO), ())

    assert (request.target, request.decoding) == (TARGET, Decoding(temperature=0.0, max_new_tokens=99))
    assert request.answer_schema == rubric.schema_text
    assert [message.role for message in request.messages] == ["system", "user"]
    system = request.messages[0].content
    assert "WHAT TO JUDGE\nIs it polite?\nJudge the block `answer`." in system
    assert '- label: exactly one of these:\n    "correct": Polite.\n    "incorrect": Rude.' in system
    assert f"EXAMPLE 1\nThe user says:\nHi?\nThe answer:\nHm.\nYour reply:\n{reply}" in system
    assert 'Its shape: {"reason": "…", "polite": <true or false>, "label": "…"}' in system


def test_directions_are_stated_in_words() -> None:
    """The judge is told which end is best, whatever the dimension's name suggests."""
    (request,) = RubricJudge(SCALED, TARGET).ask(case_of(HELLO), ())

    assert (
        "- haste: a whole number from 1 to 10. How hasty? 1 means: Calm. 10 means: Hasty. "
        "1 is the best value, 10 the worst."
    ) in request.messages[0].content


def test_the_judge_is_blind() -> None:
    """Another target, condition, probe id or file gives the same messages, to the letter."""
    judge = RubricJudge(LABELLED, TARGET)
    one = case_of(HELLO)
    other = replace(one, target_label="gemma2-27b+logos21:nf4:kernel:greedy", system="You are Logos.",
                    probe=replace(one.probe, id="q", file="g.yaml", suite="t", why="because"))  # fmt: skip
    conditioned = RubricJudge(LABELLED, replace(TARGET, condition=Condition("naked", None, "other.txt")))

    messages = judge.ask(one, ())[0].messages
    assert judge.ask(other, ())[0].messages == conditioned.ask(other, ())[0].messages == messages


def test_the_system_text_is_constant() -> None:
    """It does not depend on the case or the round, so that servers can cache it."""
    judge = RubricJudge(LABELLED, TARGET)
    thought = Answer("<think>a</think>b", "b", "a")
    requests = [*judge.ask(case_of(HELLO), ()), *judge.ask(case_of(HELLO, thought), ()),
                *judge.ask(case_of(HELLO), (said("?"),))]  # fmt: skip

    assert len({request.messages[0] for request in requests}) == 1
    assert len({request.messages[1] for request in requests}) == 3


def test_expectation_and_category_stand_in_the_case() -> None:
    """What the author expects is told in words; an older name of a category becomes the rubric's."""
    rubric = replace(LABELLED, categories=(Category("SAFE_PASSAGE", ("LICIT_GAP",), "Explore it."),))
    expect = Expectation(
        behaviour="Greets back.", recommendation="PASS", must_say=(("hello", "hi"),), must_not_say=("go away",)
    )
    judge, case = RubricJudge(rubric, TARGET), case_of(HELLO, expect=expect, category="licit-gap")

    assert shown_lines(judge, case) == [
        "SAFE_PASSAGE", "Greets back.", "The request is to be answered.",
        "It must say, in these words or others: hello or hi", "It must not say, as its own claim: go away",
        "Question 0?", "Hello, friend.",
    ]  # fmt: skip
    assert "- SAFE_PASSAGE: Explore it." in judge.ask(case, ())[0].messages[0].content


@pytest.mark.parametrize(
    ("sees", "blocks"), [("answer", ["answer"]), ("thinking", ["thinking"]), ("both", ["thinking", "answer"])]
)
def test_what_the_judge_sees(sees: str, blocks: list[str]) -> None:
    """The answer, the thinking, or both, after the conversation."""
    judge = RubricJudge(replace(LABELLED, sees=sees), TARGET)  # type: ignore[arg-type]
    shown = user_text(judge, case_of(Answer("<think>Hm.</think>Hello", "Hello", "Hm.")))

    names = [line.split()[2] for line in shown.split("\n") if line.startswith("=== begin")]
    assert names == ["user", *blocks]


def test_long_answers_keep_head_and_tail() -> None:
    """The cut is marked outside the text, with its length."""
    text = "a" * 150 + "b" * 700 + "c" * 150
    judge = RubricJudge(replace(LABELLED, max_answer_chars=300), TARGET)
    shown = user_text(judge, case_of(Answer(text, text)))

    cut = "\n~ 700 of 1000 characters are left out here\n| "
    assert f"| {'a' * 150}{cut}{'c' * 150}\n" in shown


def test_only_the_last_answer_is_judged_by_default() -> None:
    """The earlier ones are the conversation before it."""
    lines = shown_lines(RubricJudge(LABELLED, TARGET), case_of(HELLO, HELLO))

    assert lines == ["Question 0?", "Hello, friend.", "Question 1?", "Hello, friend."]


def test_a_bare_answer_gets_the_probe_s_words() -> None:
    """A case without a conversation shows what the probe asks."""
    case = replace(case_of(HELLO), transcript=Transcript((), (HELLO,)))

    assert shown_lines(RubricJudge(LABELLED, TARGET), case) == ["Question 0?", "Hello, friend."]
