"""``evalkit judge`` on a file: one line for each answer and judge, in order, and nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, str], Path]

LONG = "The harbour was quiet, and the boats lay still. " * 30
ROWS = [
    {"id": "a", "prompt": "What are tides?", "response": "<think>Moon.</think>\n\nThe moon pulls the sea."},
    {"id": "b", "prompt": "What are tides?", "response": LONG},
]


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="ascii").splitlines()]


@pytest.fixture
def answers(write: Write) -> Path:
    return write("answers.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS))


def test_every_answer_gets_a_line_from_every_judge(evalkit: Any, write: Write, answers: Path, tmp_path: Path) -> None:
    """In the order of the file and then of the judges, with every field of the contract."""
    write("judges/short.py", "def judge(case):\n    return len(case.answers[0].answer) < 60, 'counted'\n")
    done = evalkit(
        "judge", "answers.jsonl", "--judge", "degeneration", "--judge", "short", "--out", "out/verdicts.jsonl"
    )
    found = lines(tmp_path / "out/verdicts.jsonl")

    assert done.status == 0
    assert done.err == ""
    assert [(line["id"], line["judge"], line["outcome"]) for line in found] == [
        ("a", "degeneration", "pass"), ("a", "short", "pass"), ("b", "degeneration", "fail"), ("b", "short", "fail"),
    ]  # fmt: skip
    assert set(found[0]) == {
        "id", "judge", "judge_version", "judge_hash", "outcome", "score", "flags", "labels", "signals", "spans",
        "thinking", "answer", "reason",
    }  # fmt: skip
    assert (found[0]["thinking"], found[0]["answer"]) == ("Moon.", "The moon pulls the sea.")
    assert "collapsed" in found[2]["flags"]
    start, end, why = found[2]["spans"][0]
    assert LONG[start:end].startswith("The harbour was quiet")
    assert why
    assert done.out == (
        "judge           pass    fail    unscored    collapsed\n"
        "------------  ------  ------  ----------  -----------\n"
        "degeneration       1       1           0            1\n"
        "short              1       1           0            0\n"
        "wrote out/verdicts.jsonl\n"
    )


def test_verdicts_are_printed_without_out(evalkit: Any, answers: Path) -> None:
    """Lines on standard output, the counts on standard error."""
    done = evalkit("judge", "answers.jsonl", "--judge", "degeneration", "--json")

    assert [json.loads(line)["id"] for line in done.out.splitlines()] == ["a", "b"]
    assert json.loads(done.err) == {
        "judges": [{"judge": "degeneration", "pass": 1, "fail": 1, "unscored": 0, "error": 0, "collapsed": 1}],
        "problems": [],
    }


def test_standard_input_is_read(evalkit: Any, answers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dash is a pipe."""
    with answers.open("rb") as stream:
        monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": stream}))
        done = evalkit("judge", "-", "--judge", "degeneration")

    assert done.status == 0
    assert len(done.out.splitlines()) == 2


def test_a_line_that_cannot_be_read_costs_only_itself(evalkit: Any, write: Write) -> None:
    """The good lines are judged; the others are named, and the status says so."""
    write("answers.jsonl", f'{{"id": 1\n{json.dumps(ROWS[0])}\n{{"id": "c", "responce": "x"}}\n')
    done = evalkit("judge", "answers.jsonl", "--judge", "degeneration")

    assert done.status == 2
    assert [json.loads(line)["id"] for line in done.out.splitlines()] == ["a"]
    assert done.err.splitlines()[-2:] == [
        "answers.jsonl:1: expected a JSON object on one line: Expecting ',' delimiter.",
        "answers.jsonl:3: $: the key 'response' is missing. Rename 'responce'.",
    ]


def test_a_judge_that_breaks_loses_no_line(evalkit: Any, write: Write, answers: Path) -> None:
    """The answer is unscored, flagged and named; the exit status is 1."""
    write("judges/odd.py", "def judge(case):\n    return 1 / (len(case.answers[0].answer) - 23), 'x'\n")
    done = evalkit("judge", "answers.jsonl", "--judge", "odd", "--judge", "degeneration")
    found = [json.loads(line) for line in done.out.splitlines()]
    sentence = "Judge 'odd' broke on probe 'a': ZeroDivisionError: division by zero"

    assert done.status == 1
    assert [line["outcome"] for line in found][:2] == ["unscored", "pass"]
    assert (found[0]["flags"], found[0]["reason"]) == (["error"], sentence)
    assert f"answers.jsonl:1: {sentence}" in done.err.splitlines()


def test_a_suite_gives_the_expectation(evalkit: Any, workspace: Path, write: Write) -> None:
    """Rows are matched to its probes by id; ids that it does not hold are counted."""
    write("a.jsonl", '{"id": "one", "response": "Please check."}\n{"id": "two", "response": "x"}\n')
    done = evalkit("judge", "a.jsonl", "--suite", "small", "--judge", "text")

    assert [json.loads(line)["outcome"] for line in done.out.splitlines()] == ["pass", "unscored"]
    assert done.err.splitlines()[0] == "a.jsonl: 1 line has an id that suite small does not hold"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["judge", "answers.jsonl"], "Name a judge: evalkit judge FILE --judge NAME. See: evalkit list judges"),
        (["judge", "gone.jsonl", "--judge", "text"], "gone.jsonl: there is no such file."),
        (
            ["judge", "answers.jsonl", "--judge", "degenerate"],
            "There is no judge 'degenerate'. Did you mean 'degeneration'?",
        ),
        (
            ["judge", "answers.jsonl", "--judge", "text", "--suite", "x"],
            "There is no suite 'x'. See: evalkit list suites",
        ),
        (
            ["judge", "answers.jsonl", "--judge", "text", "--out", "answers.jsonl"],
            "answers.jsonl: is the file that is read. Write to another one.",
        ),
    ],
)
def test_what_cannot_be_acted_on_is_said(evalkit: Any, answers: Path, words: list[str], sentence: str) -> None:
    """One sentence, exit status 2."""
    done = evalkit(*words)

    assert (done.status, done.out, done.err) == (2, "", sentence + "\n")
    assert len(answers.read_text().splitlines()) == 2
