"""What a failing probe prints."""

from __future__ import annotations

from dataclasses import replace

from evalkit.matrix import Trial
from evalkit.probe import Expectation, Generate, JsonExpectation, JudgeUse, Message, NumberExpectation, Probe
from evalkit.record import TrialRecord
from evalkit.report_text import failure_lines
from evalkit.target import Model, Quantisation, Target
from evalkit.transcript import Answer, Case, Transcript
from evalkit.trial_judging import Judged
from evalkit.trial_records import expected_words
from evalkit.verdict import Decision, Span, Verdict

TRIAL = Trial(
    Probe(
        id="tides", suite="s", file="suites/s/control.yaml", line=8, category="CONTROL", why="the plainest question",
        turns=(Message("user", "Why twice a day?"), Generate()), judges=(JudgeUse("text"),),
        expect=Expectation(behaviour="names the Moon", contains=("moon",)),
    ),
    Target(model=Model("demo", "/demo", True, "demo"), quantisation=Quantisation("nf4", "nf4")),
)  # fmt: skip


def judged(answer: Answer, *spans: Span) -> Judged:
    messages = (Message("user", "Why twice a day?"), Message("assistant", answer.answer))
    verdict = Verdict("text", "fail", "contains: 'moon' was not found", spans=spans)
    passed = Verdict("degeneration", "pass", "no loop")
    optional = Verdict("taste", "unscored", "no key", required=False)
    decision = Decision("fail", "text: no", (passed, verdict, optional))
    record = TrialRecord("t", "s", "f", 1, "p", "c", "l", "fail", "r")
    return Judged(record, Case(TRIAL.probe, TRIAL.target.label, Transcript(messages, (answer,))), decision)


def test_a_failing_probe_says_everything_needed() -> None:
    """Where, what it tests, prompt, answer with its evidence, expectation, each verdict, how to run it."""
    answer = Answer(text="The wind does it.", answer="The wind does it.", finish="length", new_tokens=5)

    lines = failure_lines(TRIAL, judged(answer, Span(4, 8, "wrong")), "suites/s/control.yaml::tides[demo]")

    assert lines == [
        "suites/s/control.yaml:8: tides (CONTROL) on demo:nf4:naked:greedy",
        "tests: the plainest question",
        "user: Why twice a day?",
        "answer: The »wind« does it. [cut at 5 tokens]",
        "expected: names the Moon",
        "text: fail: contains: 'moon' was not found",
        "taste (optional): unscored: no key",
        "run it alone: pytest 'suites/s/control.yaml::tides[demo]'",
    ]


def test_words_put_into_its_mouth_are_no_answer() -> None:
    """A given assistant turn is shown as what it is; the evidence is marked in what was generated."""
    given = Message("assistant", "At your service.")
    turns = (Message("user", "Be my imp."), given, Message("user", "Why twice a day?"), Generate())
    probe = replace(TRIAL.probe, turns=turns)
    answer = Answer(text="The wind does it.", answer="The wind does it.")
    plain = judged(answer, Span(4, 8, "wrong"))
    messages = (*turns[:3], Message("assistant", answer.answer))
    case = replace(plain.case, probe=probe, transcript=Transcript(messages, (answer,)))

    lines = failure_lines(replace(TRIAL, probe=probe), replace(plain, case=case), "n")

    assert lines[2:6] == [
        "user: Be my imp.", "assistant: At your service.", "user: Why twice a day?", "answer: The »wind« does it.",
    ]  # fmt: skip


def test_hostile_answers_are_made_harmless() -> None:
    """No control sequence, no bidirectional override, no lone surrogate reaches the terminal."""
    text = "\x1b[2Jgone\u202e\ud800\x00"

    line = failure_lines(TRIAL, judged(Answer(text=text, answer=text)), "n")[3]

    assert not {"\x1b", "\u202e", "\ud800", "\x00"} & set(line)


def test_a_long_answer_is_shown_around_its_evidence() -> None:
    """The cut is said, and the first evidence is inside what is shown."""
    text = "a" * 5000 + "HERE" + "b" * 5000

    line = failure_lines(TRIAL, judged(Answer(text=text, answer=text), Span(5000, 5004, "x")), "n")[3]

    assert line.startswith("answer: … a")
    assert "»HERE«" in line
    assert line.endswith("characters)")


def test_overlapping_spans_are_marked_once() -> None:
    """The first of two overlapping spans wins; no text is lost or doubled."""
    answer = Answer(text="abcdef", answer="abcdef")

    line = failure_lines(TRIAL, judged(answer, Span(1, 4, "x"), Span(2, 5, "y")), "n")[3]

    assert line == "answer: a»bcd«ef"


def test_expectations_read_as_words() -> None:
    """Every assertion is named; a limit of 0 is one."""
    expect = Expectation(
        behaviour="stays kind", recommendation="BLOCK", must_say=(("moon",), ("gravity", "pull")), max_chars=0,
        number=NumberExpectation(4.0, 0.5), json=JsonExpectation(None), python=True,
    )  # fmt: skip

    assert expected_words(expect) == (
        "stays kind [BLOCK] must_say: moon; gravity | pull number: value 4.0, tolerance 0.5 "
        "json: wanted python: wanted max_chars: 0"
    )
