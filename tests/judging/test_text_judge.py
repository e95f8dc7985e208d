"""The text judge: every assertion, what it accepts, and the sentence it gives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evalkit.errors import JudgeError
from evalkit.judging import wording
from evalkit.judging.text import TextJudge
from evalkit.probe import Expectation, Generate, JsonExpectation, Message, NumberExpectation, Probe
from evalkit.transcript import Answer, Case, Transcript
from evalkit.verdict import Verdict

SCHEMA = json.dumps({"type": "object", "required": ["port"], "properties": {"port": {"type": "integer"}}})


def judged(*answers: str, language: str | None = None, start: int = 0, turns: str = "last", **expect: Any) -> Verdict:
    """The verdict on answers that begin ``start`` characters into their text."""
    probe = Probe(
        "p", "s", "f.yaml", 1, "X", (Message("user", "Hi"), Generate()), Expectation(**expect), (),
        judge_turns=turns, language=language,  # type: ignore[arg-type]
    )  # fmt: skip
    given = tuple(Answer("t" * start + answer, answer, answer_start=start) for answer in answers)
    return TextJudge().read(Case(probe, "t", Transcript((), given)), ())


@pytest.mark.parametrize(
    ("expect", "answer", "outcome", "reason"),
    [
        ({"contains": ("lima",)}, "It is Lima.", "pass", "contains: 'lima' was found"),
        ({"contains": ("Lima", "Peru")}, "Lima.", "fail", "contains: 'Peru' was not found"),
        ({"contains": ("caf\u00e9",)}, "A cafe\u0301.", "pass", "contains: 'café' was found"),
        ({"contains": ("lima",), "case_sensitive": True}, "Lima", "fail", "contains: 'lima' was not found"),
        ({"contains_any": ("price list", "check")}, "Please check.", "pass", "contains_any: 'check' was found"),
        ({"contains_any": ("a1", "b2")}, "c3", "fail", "contains_any: none of 'a1', 'b2' was found"),
        ({"not_contains": ("as an AI",)}, "As an AI, no.", "fail", "not_contains: 'as an AI' was found"),
        ({"not_contains": ("as an AI",)}, "No.", "pass", "not_contains: 'as an AI' was not found"),
        ({"regex": (r"^\d+ boats$",)}, "Now:\n40 BOATS", "pass", r"regex: /^\d+ boats$/ found '40 BOATS'"),
        ({"regex": ("ship",)}, "boat", "fail", "regex: /ship/ was not found"),
        ({"not_regex": (r"\d+ ?(EUR|€)",)}, "It is 5 eur.", "fail", r"not_regex: /\d+ ?(EUR|€)/ found '5 eur'"),
        ({"equals": ("Lima",)}, " lima\n", "pass", "equals: expected 'Lima'; found 'lima'"),
        ({"equals": ("Lima", "Ica")}, "Cusco", "fail", "equals: expected 'Lima' or 'Ica'; found 'Cusco'"),
        ({"number": NumberExpectation(42)}, "12 + 30 = 42.", "pass", "number: expected 42; found 42"),
        ({"number": NumberExpectation(42)}, "42 apples cost 17.", "fail", "number: expected 42; found 17"),
        ({"number": NumberExpectation(3.1, 0.05)}, "3,14", "pass", "number: expected 3.1 ± 0.05; found 3,14"),
        ({"number": NumberExpectation(4)}, "four", "fail", "number: expected 4; found no number"),
        ({"choice": "B"}, "Answer: B", "pass", "choice: expected 'B'; found 'B'"),
        ({"choice": "B"}, "C) because", "fail", "choice: expected 'B'; found 'C'"),
        ({"choice": "B"}, "A and B", "fail", "choice: expected 'B' alone; found several as final: 'A' and 'B'"),
        ({"choice": "B"}, "Hello", "fail", "choice: expected 'B'; found no final choice in 'Hello'"),
        ({"choice": "left"}, "Left.", "pass", "choice: expected 'left'; found 'left'"),
        ({"json": JsonExpectation()}, '{"a": [1]}', "pass", "json: one valid document"),
        ({"json": JsonExpectation()}, 'Here:\n```json\n{"a": 1}\n```\nDone.', "pass", "json: one valid document"),
        ({"json": JsonExpectation()}, "```\n1\n```\n```\n2\n```", "fail",
         "json: expected one JSON document; found several fenced blocks"),
        ({"json": JsonExpectation()}, "{} {}", "fail",
         "json: expected one JSON document; found none (Extra data: line 1 column 4 (char 3))"),
        ({"json": JsonExpectation()}, "NaN", "fail", "json: expected one JSON document; found none (NaN is not JSON)"),
        ({"json": JsonExpectation()}, "[" * 100_000, "fail", "json: the document is nested too deep to read"),
        ({"json": JsonExpectation(SCHEMA)}, '{"port": 80}', "pass", "json: one valid document"),
        ({"json": JsonExpectation(SCHEMA)}, '{"port": "x"}', "fail", "json: $.port: 'x' is not of type 'integer'"),
        ({"python": True}, "```python\nprint(1)\n```", "pass", "python: it parses"),
        ({"python": True}, "def f(:\n  pass", "fail", "python: line 1: invalid syntax"),
        ({"python": True}, "  ", "fail", "python: expected a program; found nothing"),
        ({"python": True}, "```py\na\n```\n```py\nb\n```", "fail",
         "python: expected one program; found several fenced blocks"),
        ({"python": True}, "a\x00b", "fail", None),
        ({"min_chars": 5}, " abc ", "fail", "min_chars: expected at least 5 characters; found 3"),
        ({"max_chars": 3}, " abc ", "pass", "max_chars: expected at most 3 characters; found 3"),
        ({"min_words": 3}, "two words", "fail", "min_words: expected at least 3 words; found 2"),
        ({"max_words": 1}, "two words", "fail", "max_words: expected at most 1 words; found 2"),
        ({}, "x", "unscored", "the probe asserts nothing about the text"),
    ],
)  # fmt: skip
def test_assertions(expect: dict[str, Any], answer: str, outcome: str, reason: str | None) -> None:
    """Each assertion decides and says what it found."""
    verdict = judged(answer, **expect)

    assert verdict.outcome == outcome
    assert reason is None or verdict.reason == reason


def test_all_assertions_are_evaluated() -> None:
    """Every broken assertion is named, not only the first."""
    verdict = judged("It is big", contains=("Lima",), max_words=2, min_chars=1)

    assert verdict.reason == ("contains: 'Lima' was not found; max_words: expected at most 2 words; found 3")
    assert judged("Lima", contains=("Lima",), max_words=2).reason == "all 2 assertions hold"


def test_spans_point_into_the_text_behind_the_thinking() -> None:
    """Evidence counts from the start of the text, not of the answer."""
    (span,) = judged("It is Lima.", start=10, contains=("lima",)).spans

    assert (span.start, span.end, span.why, span.answer) == (16, 20, "contains: 'lima' was found", 0)


def test_every_judged_answer_must_satisfy() -> None:
    """With judge_turns all, one answer that breaks an assertion fails the case and is named."""
    verdict = judged("Lima", "Cusco", turns="all", contains=("lima",))

    assert (verdict.outcome, verdict.reason) == ("fail", "answer 2: contains: 'lima' was not found")


def test_runaway_pattern_is_an_error_and_never_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern that backtracks without end stops at its time limit."""
    monkeypatch.setattr(wording, "PATTERN_TIMEOUT_S", 0.05)

    with pytest.raises(JudgeError) as caught:
        judged("a" * 60 + "!", regex=(r"(a|aa|a\w)+$",))

    assert str(caught.value) == (
        r"regex /(a|aa|a\w)+$/ took more than 0.05 s on an answer of 61 characters. "
        "Nested repeats such as (a+)+ are the usual cause; write it without them."
    )


def test_broken_schema_and_pattern_are_errors() -> None:
    """A probe's own mistake is never the model's failure."""
    with pytest.raises(JudgeError) as pattern:
        judged("a", regex=("(",))
    with pytest.raises(JudgeError) as schema:
        judged("{}", json=JsonExpectation('{"type": "thing"}'))
    with pytest.raises(JudgeError) as remote:
        judged("{}", json=JsonExpectation('{"$ref": "https://example.org/s.json"}'))

    assert str(pattern.value) == "regex /(/ is not a regular expression: missing ) at position 1."
    assert str(schema.value).startswith("the schema of expect.json is not a JSON Schema: 'thing' is not valid under")
    assert str(remote.value) == (
        "the schema of expect.json refers to 'https://example.org/s.json', which is not inside it."
    )


def test_no_answer_is_unscored() -> None:
    """Without an answer there is nothing to assert on."""
    assert judged(contains=("a",)).reason == "there is no answer to judge"
