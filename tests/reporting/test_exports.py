"""results.jsonl and review.csv."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from evalkit.record import TrialRecord
from evalkit.reporting.exports import (
    REVIEW_COLUMNS,
    TrialTexts,
    results_jsonl,
    review_csv,
)
from evalkit.reporting.summary import DEMO_STAMP, RunFacts, summarise
from evalkit.transcript import Answer

MakeRecord = Callable[..., TrialRecord]
MakeRun = Callable[..., RunFacts]
MixedRun = tuple[list[TrialRecord], RunFacts]

ASKED = (("system", "Be brief."), ("user", "Who?"), ("assistant", "Me."), ("user", "Why?"))
TEXTS = TrialTexts(
    messages=(*ASKED, ("assistant", "<think>hm</think>Because.")),
    answers=(Answer("Me.", "Me."), Answer("<think>hm</think>Because.", "Because.", "hm", 16, "raw<end>", "length")),
    questions={"q1": ("Is it kind?", "Yes.")},
)
QUESTION = {
    "target": "grader:served:naked:greedy", "model": "judge-1", "identity": "q1", "cost_usd": 0.25, "attempts": 2,
    "stored": False, "failed": None,
}  # fmt: skip


def lines_of(pairs: list[tuple[TrialRecord, TrialTexts]], run: RunFacts) -> list[dict[str, Any]]:
    return [json.loads(line) for line in results_jsonl(pairs, run=run)]


def rows_of(parts: Iterable[str]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(parts).removeprefix("\ufeff"), newline="")))


def test_a_line_holds_the_record_and_its_texts(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Every field, in the order that docs/output.md gives."""
    record = make_record(
        score=0.5, expected="contains: because", flags=("collapsed",),
        verdicts=({"judge": "text", "outcome": "pass", "spans": (), "asked": (QUESTION,)},), tags=("t",),
        generations=("abc",), finishes=("stop", "length"), prompt_tokens=9, new_tokens=3, stored=True,
        stored_age_s=60.0, generation_s=1.5, worker="gw1",
    )  # fmt: skip

    (text,) = results_jsonl([(record, TEXTS)], run=make_run())

    assert text.endswith("}\n")
    assert list(json.loads(text).items()) == [
        ("demo", False),
        ("trial", "suites/it/control.yaml::tides[demo+steady:fp32:naked:greedy]"),
        ("suite", "it"),
        ("file", "suites/it/control.yaml"),
        ("line", 3),
        ("probe", "tides"),
        ("category", "CONTROL"),
        ("target", "demo+steady:fp32:naked:greedy"),
        ("outcome", "pass"),
        ("reason", "ok"),
        ("sample", 0),
        ("subcategory", None),
        ("cluster", None),
        ("tags", ["t"]),
        ("language", None),
        ("expected", "contains: because"),
        ("role", "subject"),
        ("score", 0.5),
        ("flags", ["collapsed"]),
        ("verdicts", [{
            "judge": "text", "outcome": "pass", "spans": [],
            "asked": [{
                "target": "grader:served:naked:greedy", "model": "judge-1", "identity": "q1", "failed": None,
                "question": "Is it kind?", "reply": "Yes.",
            }],
        }]),
        ("asked", []),
        ("generations", ["abc"]),
        ("finishes", ["stop", "length"]),
        ("prompt_tokens", 9),
        ("new_tokens", 3),
        ("system_placement", "none"),
        ("probe_hash", ""),
        ("formerly", []),
        ("words", None),
        ("step", None),
        ("perturbation", None),
        ("messages", [{"role": role, "content": content} for role, content in TEXTS.messages]),
        ("answers", [
            {"text": "Me.", "answer": "Me.", "thinking": "", "raw_text": "", "finish": "stop"},
            {"text": "<think>hm</think>Because.", "answer": "Because.", "thinking": "hm", "raw_text": "raw<end>",
             "finish": "length"},
        ]),
        ("text_hash", None),
        ("run", {
            "id": "20251121-3f", "worker": "gw1", "stored": True, "stored_age_s": 60.0, "generation_s": 1.5,
            "asked": [{"identity": "q1", "cost_usd": 0.25, "attempts": 2, "stored": False}],
        }),
    ]  # fmt: skip


def test_lines_differ_only_in_run_at_another_number_of_workers(mixed_run: MixedRun) -> None:
    """Arrival, worker, times and the store change nothing else."""
    records, run = mixed_run
    again = [
        TrialRecord(**{**record.to_dict(), "tags": (), "worker": "main", "stored": False, "stored_age_s": None,
                       "generation_s": 9.0})
        for record in reversed(records)
    ]  # fmt: skip

    first, second = (lines_of([(record, TEXTS) for record in one], run) for one in (records, again))

    assert [line.pop("run") for line in first] != [line.pop("run") for line in second]
    assert first == second


@pytest.mark.parametrize("at_once", [1, 2, 256])
def test_every_record_is_exported_once_and_in_order(
    at_once: int, mixed_run: MixedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By suite, file, line, target and sample, in both files; outcomes are those of the records."""
    monkeypatch.setattr("evalkit.reporting.exports._ROWS_AT_ONCE", at_once)
    records, run = mixed_run
    wanted = [(record.trial, record.outcome) for record in summarise(records, run=run).records]
    pairs = [(record, TrialTexts()) for record in records]

    assert [(line["trial"], line["outcome"]) for line in lines_of(pairs, run)] == wanted
    assert [(row["trial"], row["verdict"]) for row in rows_of(review_csv(pairs, run=run))] == wanted


def test_lone_surrogates_and_odd_numbers_are_still_json(make_record: MakeRecord, make_run: MakeRun) -> None:
    """A line is ASCII, has no NaN, and reads back as the very text."""
    record = make_record(reason="a\ud800b", score=float("nan"), verdicts=({"signals": (("x", float("inf")),)},))
    texts = TrialTexts((("user", "\udfff"),), (Answer("\ud800", "\ud800"),))

    (text,) = results_jsonl([(record, texts)], run=make_run())

    assert text.isascii()
    line = json.loads(text, parse_constant=pytest.fail)
    assert (line["reason"], line["answers"][0]["text"], line["messages"][0]["content"]) == (
        "a\ud800b",
        "\ud800",
        "\udfff",
    )
    assert (line["score"], line["verdicts"][0]["signals"]) == ("nan", [["x", "inf"]])


def test_the_review_has_a_row_per_trial_with_empty_columns_for_the_person(
    make_record: MakeRecord, make_run: MakeRun
) -> None:
    """A conversation is shown with its roles, the judged answer apart from its thinking."""
    record = make_record(
        outcome="fail", reason="too short", flags=("collapsed", "fabricated"), expected="contains: because"
    )

    text = "".join(review_csv([(record, TEXTS)], run=make_run()))

    assert text.startswith("\ufeff" + ",".join(f'"{name}"' for name in REVIEW_COLUMNS) + "\r\n")
    assert text.endswith("\r\n")
    assert rows_of(text) == [
        {
            "trial": record.trial,
            "file": "suites/it/control.yaml",
            "line": "3",
            "category": "CONTROL",
            "target": "demo+steady:fp32:naked:greedy",
            "prompt": "system: Be brief.\n\nuser: Who?\n\nassistant: Me.\n\nuser: Why?",
            "expected": "contains: because",
            "answer": "Because.",
            "thinking": "hm",
            "verdict": "fail",
            "reason": "too short",
            "flags": "collapsed fabricated",
            "stamp": "",
            "human_label": "",
            "human_failure_kind": "",
            "human_note": "",
        }
    ]


def test_a_single_prompt_is_shown_bare(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Without a role in front, also where no answer came back."""
    answered = TrialTexts((("user", "Why?"), ("assistant", "So.")), (Answer("So.", "So."),))
    lost = TrialTexts((("user", "Why?"),))

    rows = rows_of(review_csv([(make_record(line=1), answered), (make_record(line=2), lost)], run=make_run()))

    assert [(row["prompt"], row["answer"]) for row in rows] == [("Why?", "So."), ("Why?", "")]


def test_a_spreadsheet_shows_answers_as_they_are(make_record: MakeRecord, make_run: MakeRun) -> None:
    """007 would become 7 and 3/4 a date; the line's number stays a number."""
    texts = TrialTexts((("user", "3/4"),), (Answer("007", "007"),))

    (row,) = rows_of(review_csv([(make_record(line=4), texts)], run=make_run()))

    assert (row["prompt"], row["answer"], row["line"]) == ("'3/4", "'007", "4")


def test_hostile_text_starts_no_formula(hostile: str, make_record: MakeRecord, make_run: MakeRun) -> None:
    """In every column a text can come from; the file is UTF-8 and its rows stay whole."""
    record = make_record(
        trial=hostile, file=hostile, category=hostile, target=hostile, reason=hostile, flags=(hostile,),
        expected=hostile,
    )  # fmt: skip
    texts = TrialTexts((("user", hostile),), (Answer(hostile, hostile, hostile),))

    text = "".join(review_csv([(record, texts)], run=make_run()))

    assert text.encode("utf-8")
    (row,) = rows_of(text)
    assert tuple(row) == REVIEW_COLUMNS
    for cell in row.values():
        assert cell[:1] not in {*"=+-@＝＋－＠\t\r"} - {""}
        assert cell.startswith("'") or cell.lstrip(' \n"\u200b\ufeff')[:1] not in {*"=+-@＝＋－＠"}
        assert "\x00" not in cell
        assert "\r" not in cell


def test_a_long_answer_is_cut_with_a_mark(make_record: MakeRecord, make_run: MakeRun) -> None:
    """The mark says where the whole is, and results.jsonl has it."""
    pairs = [(make_record(), TrialTexts((), (Answer("y" * 50_000, "y" * 50_000),)))]

    (row,) = rows_of(review_csv(pairs, run=make_run()))

    assert len(row["answer"]) == 32_767
    assert row["answer"].endswith("y\n[cut here: 50000 characters in all; the whole text is in results.jsonl]")
    assert lines_of(pairs, make_run())[0]["answers"][0]["answer"] == "y" * 50_000


@pytest.mark.parametrize("stamped", ["run", "record"])
def test_a_demo_run_is_stamped_everywhere(
    stamped: str, make_record: MakeRecord, make_run: MakeRun, tmp_path: Path
) -> None:
    """Each line, each row, and the ends of summary.md."""
    run, record = make_run(is_demo=stamped == "run"), make_record(is_demo=stamped == "record")
    pairs = [(record, TrialTexts())]

    assert lines_of(pairs, run)[0]["demo"] is True
    assert rows_of(review_csv(pairs, run=run))[0]["stamp"] == DEMO_STAMP


def test_the_records_expectation_is_shown_where_the_texts_have_none(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Also a trial that lost its texts says what it wanted."""
    text = "".join(review_csv([(make_record(expected="declines"), TrialTexts())], run=make_run()))

    assert rows_of(text)[0]["expected"] == "declines"


def test_every_field_and_column_is_documented(make_record: MakeRecord, make_run: MakeRun) -> None:
    """docs/output.md names each key of results.jsonl and each column of review.csv."""
    text = (Path(__file__).parents[2] / "docs" / "output.md").read_text(encoding="utf-8")
    record = make_record(verdicts=({"judge": "kind", "asked": (QUESTION,)},))
    (line,) = lines_of([(record, TEXTS)], make_run())

    asked = {*line["verdicts"][0]["asked"][0], *line["run"]["asked"][0]}
    names = {*asked, *line, *line["run"], *line["answers"][0], *line["messages"][0], *REVIEW_COLUMNS}

    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
