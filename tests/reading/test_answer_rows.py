"""Lines of stored answers: what they may hold, and what is said of those that cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evalkit.errors import Problem
from evalkit.probe import Expectation, Generate, Message, Probe
from evalkit.reading.answer_rows import AnswerRow, read_rows


def read(*lines: Any) -> list[AnswerRow | Problem]:
    encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return list(read_rows(encoded, "answers.jsonl"))


def one(line: Any) -> AnswerRow:
    (row,) = read(line)
    assert isinstance(row, AnswerRow), row
    return row


def test_a_row_becomes_a_probe_and_a_text() -> None:
    """Every field arrives; keys of other tools are passed over but kept."""
    row = one(
        {
            "id": "a", "prompt": "Why?", "response": "So.", "category": "CONTROL", "system": "Be brief.",
            "language": "en", "expect": {"behaviour": "answers", "must_say": ["so"]},
            "metadata": {"finish": "length"}, "n": 3,
        }
    )  # fmt: skip

    assert row.response == "So."
    assert row.finish == "length"
    assert row.plain["n"] == 3
    assert row.probe.category == "CONTROL"
    assert row.probe.language == "en"
    assert row.probe.line == 1
    assert row.probe.turns == (Message("system", "Be brief."), Message("user", "Why?"), Generate())
    assert row.probe.expect == Expectation(behaviour="answers", must_say=(("so",),))


def test_only_id_and_response_are_needed() -> None:
    """Nulls are as good as nothing, an id may be a number, expect may be a sentence, an answer may be empty."""
    row = one({"id": 7, "response": "", "prompt": None, "category": None, "expect": "answers the question"})

    assert row.id == "7"
    assert row.response == ""
    assert row.probe.expect == Expectation(behaviour="answers the question")


def test_texts_arrive_as_they_are() -> None:
    """Lone surrogates, NUL and a byte order mark do no harm; blank lines are passed over and still counted."""
    rows = read(b'\xef\xbb\xbf{"id": "a", "response": "x\\ud800\\u0000"}', b" \n", {"id": "b", "response": "y"})

    assert [(row.id, row.response, row.probe.line) for row in rows if isinstance(row, AnswerRow)] == [
        ("a", "x\ud800\0", 1),
        ("b", "y", 3),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{3", "answers.jsonl:1: expected a JSON object on one line: "
         "Expecting property name enclosed in double quotes."),
        (b"[1]", "answers.jsonl:1: expected a JSON object, found [1]."),
        (b'{"id": "\xff"}', "answers.jsonl:1: expected UTF-8 text, found the byte 0xff."),
        ({"id": "a"}, "answers.jsonl:1: $: the key 'response' is missing. Add it."),
        ({"id": "a", "responce": "x"}, "answers.jsonl:1: $: the key 'response' is missing. Rename 'responce'."),
        ({"id": "a", "full_response": "x"},
         "answers.jsonl:1: $: the key 'response' is missing. Rename 'full_response'."),
        ({"response": "x"}, "answers.jsonl:1: $: the key 'id' is missing. Add it."),
        ({"id": "a", "response": 3}, "answers.jsonl:1: $.response: expected text, found 3. Write \"3\" in quotes."),
        (
            {"id": "a", "response": "x", "expect": {"must_sya": ["y"]}},
            "answers.jsonl:1: $.expect.must_sya: unknown key 'must_sya'. Did you mean 'must_say'?",
        ),
        (
            {"id": "a", "response": "x", "metadata": {"finish": "late"}},
            "answers.jsonl:1: $.metadata.finish: expected one of stop, stop_string, length, refusal, cycle, scored; "
            "found 'late'.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said(line: Any, message: str) -> None:
    """The file, the line, the field, what was found and what to do."""
    (problem,) = read(line)

    assert str(problem) == message


def test_a_known_probe_gives_what_the_row_leaves_out() -> None:
    """By id; what the row says itself wins."""
    expect = Expectation(behaviour="declines")
    turns = (Message("user", "Asked?"), Generate())
    known = {"a": Probe("a", "s", "suites/s/f.yaml", 4, "ADVERSARIAL", turns, expect, (), language="es")}
    lines = [json.dumps({"id": "a", "response": "x"}).encode(), b'{"id": "a", "response": "x", "category": "CONTROL"}']
    first, second = read_rows(lines, "answers.jsonl", known)

    assert isinstance(first, AnswerRow)
    assert isinstance(second, AnswerRow)
    assert (first.probe.category, first.probe.language, first.probe.expect) == ("ADVERSARIAL", "es", expect)
    assert first.probe.turns == turns
    assert second.probe.category == "CONTROL"
