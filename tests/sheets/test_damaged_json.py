"""Damaged downloads: each broken line with its message, and every good one kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalkit.sheets import read_sheet


def told(tmp_path: Path, content: bytes | str, name: str = "back.csv") -> tuple[list[str], list[str]]:
    """The values of the rows that were read, and the problems as the user sees them."""
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    rows, problems = read_sheet(path, name)
    return [row.value for row in rows], [str(problem) for problem in problems]


def row(**changes: Any) -> dict[str, Any]:
    """One line of a download."""
    return {"trial": "t", "run": "r", "text_hash": "a" * 64, "label": "correct", "reviewer": "Ada", **changes}


JSON_FIELDS = {
    "an illegal label": (
        row(label="ok"), ":2: $.label: expected correct, wrong, borderline or unsure; found 'ok'.",
    ),
    "a label that is no text": (
        row(label=1), ":2: $.label: expected correct, wrong, borderline or unsure; found 1.",
    ),
    "no label": (
        {"trial": "t", "lable": "wrong"}, ":2: $: the key 'label' is missing. Rename 'lable'.",
    ),
    "nothing like a label": ({"trial": "t"}, ":2: $: the key 'label' is missing. Add it."),
    "no trial and no text": (
        {"label": "wrong"}, ":2: $.text_hash: it is missing, and so is the trial: nothing says which answer this row "
        "is about.",
    ),
    "a changed hash": (
        row(text_hash="abc"), ":2: $.text_hash: expected 64 hexadecimal digits; found 'abc'.",
    ),
    "a probability above 1": (row(inclusion=1.5), ":2: $.inclusion: expected a number above 0, at most 1; found 1.5."),
    "no probability": (row(inclusion=True), ":2: $.inclusion: expected a number above 0, at most 1; found True."),
    "an unknown stratum": (
        row(stratum="random"), ":2: $.stratum: expected gate, regression, dispute, abstention, near_threshold, "
        "new_kind, failed, passed or asked_for; found 'random'.",
    ),
    "a time that is none": (
        row(at="yesterday"), ":2: $.at: expected a time such as 2026-03-01T14:05:00Z; found 'yesterday'.",
    ),
    "a time in milliseconds": (
        row(at=1772373900000), ":2: $.at: expected a time such as 2026-03-01T14:05:00Z; found 1772373900000.",
    ),
    "negative seconds": (row(seconds=-1), ":2: $.seconds: expected a number of seconds, 0 or more; found -1."),
    "blind in words": (row(blind="maybe"), ":2: $.blind: expected true or false; found 'maybe'."),
    "a reviewer that is a number": (row(reviewer=7), ":2: $.reviewer: expected text; found 7."),
    "a note that is a list": (row(note=["a"]), ":2: $.note: expected text; found ['a']."),
    "text": ("hello", ":2: expected a JSON object; found 'hello'."),
}  # fmt: skip


@pytest.mark.parametrize("kind", JSON_FIELDS)
def test_a_wrong_object_costs_itself(tmp_path: Path, kind: str) -> None:
    """The message names the line and the key; the lines around it are read."""
    broken, message = JSON_FIELDS[kind]
    lines = [row(trial="one"), broken, row(trial="two", label="wrong")]

    assert told(tmp_path, "\n".join(map(json.dumps, lines)), "l.jsonl") == (["correct", "wrong"], [f"l.jsonl{message}"])


BROKEN = " The line was cut or changed; download the labels again."


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"label": "wrong", "note": "cut', "Invalid control character."),
        ('{"label": "wrong", "trial"', "Expecting ':' delimiter."),
        ("<<<<<<< HEAD", "Expecting value."),
        ("{'label': 'wrong'}", "Expecting property name enclosed in double quotes."),
        ('{"seconds": ' + "1" * 5000 + "}", "a number in it is too long."),
        ('{"a":' * 100_000, "it is nested too deeply."),
    ],
    ids=["cut text", "cut key", "a merge mark", "single quotes", "a long number", "deep"],
)
def test_a_broken_line_costs_itself(tmp_path: Path, line: str, why: str) -> None:
    """JSON that cannot be read is named with its line, and reading goes on after it."""
    text = "\n".join([json.dumps(row(trial="one")), line, json.dumps(row(trial="two", label="wrong"))])
    values, problems = told(tmp_path, text, "l.jsonl")

    assert values == ["correct", "wrong"]
    assert problems == [f"l.jsonl:2: expected a JSON object: {why}{BROKEN}"]


def test_a_download_that_was_cut(tmp_path: Path) -> None:
    """The last line is named, the others are read."""
    text = "\n".join([json.dumps(row()), json.dumps(row(trial="two"))])[:-3]

    assert told(tmp_path, text, "l.jsonl") == (
        ["correct"], [f"l.jsonl:2: expected a JSON object: Unterminated string.{BROKEN}"]
    )  # fmt: skip
