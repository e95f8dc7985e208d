"""Labels on their way into the store: every row checked, good rows kept, nothing overwritten."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from contextlib import closing
from typing import Any

import pytest

from evalkit.store.labels import LabelStore

Loop = Any
FIRST = "suites/small/first.yaml::p0[one:fp32:naked:greedy]"


def correct(_: dict[str, Any]) -> str:
    return "correct"


def trail_of(loop: Loop, texts: list[str]) -> list[tuple[str, str, float]]:
    with closing(LabelStore.open(loop.root / ".evalkit" / "store.sqlite3")) as store:
        return [(label.reviewer, label.value, label.at) for label in store.trail(texts)]


@pytest.fixture
def queued(loop: Loop) -> Loop:
    """The loop with a sheet of its failures."""
    loop.evalkit("review", "latest", "--failures")
    return loop


def test_wrong_rows_are_told_with_their_line_and_good_ones_kept(queued: Loop) -> None:
    """Unknown run, unknown trial, changed text, illegal label, nobody's label, a label twice."""
    rows = sorted(queued.rows(), key=lambda row: int(row["probe"][1:]))
    changes = [
        {}, {"run": "other"}, {"trial": FIRST.replace("p0", "p777")}, {"text_hash": "0" * 64}, {"label": "corect"},
        {"reviewer": ""}, {"trial": "", "text_hash": "1" * 64}, {"label": "wrong", "failure_kind": "OTHER"},
    ]  # fmt: skip
    lines = [
        json.dumps({**row, "label": "correct", "reviewer": "anna", "at": 1_790_000_000, **change})
        for row, change in zip(rows, changes, strict=False)
    ]
    queued.write("mixed.jsonl", "\n".join([*lines, lines[0]]) + "\n")
    done = queued.evalkit("review", "import", "mixed.jsonl")
    now = rows[3]["text_hash"][:8]
    fourth = rows[3]["trial"]

    assert done.status == 2
    assert done.out == (
        "mixed.jsonl: 2 labels by anna: 2 stored, 0 superseded, 0 unchanged, 7 refused\n"
        "run RUN: 2 of 300 answers carry labels of anna\n"
        "next: evalkit review report RUN\n"
    )
    assert done.err.splitlines() == [
        "mixed.jsonl:2: there is no run 'other' here. Import its labels in the workspace where it was run.",
        f"mixed.jsonl:3: run RUN has no trial '{FIRST.replace('p0', 'p777')}'. "
        f"Did you mean '{FIRST.replace('p0', 'p77')}'?",
        f"mixed.jsonl:4: the answer of {fourth} is another one than in this row: its text is {now}…, and the row is of "
        "00000000…. Judge it again in a new sheet: evalkit review RUN",
        "mixed.jsonl:5: $.label: expected correct, wrong, borderline or unsure; found 'corect'. "
        "Did you mean 'correct'?",
        "mixed.jsonl:6: nothing says who gave the label. Import the file with: --reviewer NAME",
        "mixed.jsonl:7: no answer of run RUN has the text 11111111…. Import the sheet as it was.",
        "mixed.jsonl:9: this label is in line 1 already. It was taken once.",
    ]


def test_a_later_label_supersedes_with_a_trail(queued: Loop) -> None:
    """The same again is unchanged, a change of mind is a new row, and an older file takes nothing back."""
    files = [
        queued.fill("first.jsonl", correct), queued.fill("later.jsonl", lambda _: "wrong", at=1_790_001_000.0),
        queued.fill("old.jsonl", lambda _: "unsure", at=1_780_000_000.0),
        queued.fill("Anna.jsonl", lambda _: "wrong", "ANNA", at=1_790_002_000.0),
    ]  # fmt: skip
    counts = [queued.evalkit("review", "import", name).out.splitlines()[0] for name in [files[0], *files]]
    text = queued.rows()[0]["text_hash"]

    assert counts == [
        "first.jsonl: 11 labels by anna: 11 stored, 0 superseded, 0 unchanged, 0 refused",
        "first.jsonl: 11 labels by anna: 0 stored, 0 superseded, 11 unchanged, 0 refused",
        "later.jsonl: 11 labels by anna: 0 stored, 11 superseded, 0 unchanged, 0 refused",
        "old.jsonl: 11 labels by anna: 0 stored, 0 superseded, 0 unchanged, "
        "11 older than what is known (kept, changes nothing), 0 refused",
        "Anna.jsonl: 11 labels by ANNA: 0 stored, 0 superseded, 11 unchanged, 0 refused",
    ]
    assert trail_of(queued, [text]) == [
        ("anna", "correct", 1_790_000_000.0), ("anna", "wrong", 1_790_001_000.0), ("anna", "unsure", 1_780_000_000.0),
    ]  # fmt: skip
    assert "0 of 11 failures overturned" in queued.evalkit("review", "report", "latest").out


def test_a_spreadsheet_without_times_is_as_old_as_its_file(queued: Loop) -> None:
    """A CSV filled by hand gets its reviewer from the command line, and its time from when it was saved."""
    sheet = queued.root / "reports" / "review" / queued.run / "review.csv"
    header, *records = csv.reader(io.StringIO(sheet.read_text(encoding="utf-8-sig")))
    place = next(number for number, cell in enumerate(header) if cell.startswith("label"))
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(
        [header, *([*record[:place], "wrong", *record[place + 1 :]] for record in records)]
    )
    queued.write("filled.csv", out.getvalue())
    os.utime(queued.root / "filled.csv", (1_780_000_000, 1_780_000_000))
    done = queued.evalkit("review", "import", "filled.csv", "--reviewer", "  ben ")
    text_hash = queued.rows()[0]["text_hash"]

    assert done.out.splitlines()[0] == "filled.csv: 11 labels by ben: 11 stored, 0 superseded, 0 unchanged, 0 refused"
    assert trail_of(queued, [text_hash]) == [("ben", "wrong", 1_780_000_000.0)]


def test_several_files_and_json(queued: Loop) -> None:
    """Each file has its counts; a file that is not there is told, and the others are taken."""
    one, other = queued.fill("a.jsonl", correct), queued.fill("b.jsonl", correct, "ben")
    done = queued.evalkit("review", "import", one, "gone.csv", other, "--json")

    assert done.status == 2
    assert json.loads(done.out) == {
        "files": [
            {"file": "a.jsonl", "by": ["anna"], "stored": 11, "superseded": 0, "older": 0, "unchanged": 0,
             "refused": 0, "problems": []},
            {"file": "gone.csv", "by": [], "stored": 0, "superseded": 0, "older": 0, "unchanged": 0, "refused": 1,
             "problems": ["gone.csv: there is no such file."]},
            {"file": "b.jsonl", "by": ["ben"], "stored": 11, "superseded": 0, "older": 0, "unchanged": 0,
             "refused": 0, "problems": []},
        ],
        "runs": ["RUN"],
    }  # fmt: skip
    assert done.err == "gone.csv: there is no such file.\n"


def test_rows_without_a_run_are_of_the_last_queue(queued: Loop) -> None:
    """A table of other tools names trials alone; run and text are looked up."""
    queued.write("bare.csv", f"trial,label,reviewer\n{FIRST},correct,anna\n")
    done = queued.evalkit("review", "import", "bare.csv")
    named = queued.evalkit("review", "import", "bare.csv", "--run", "nope")

    assert done.out.startswith("bare.csv: 1 label by anna: 1 stored, 0 superseded, 0 unchanged, 0 refused\n")
    assert (named.status, named.err) == (2, "There is no run 'nope'. See: evalkit list runs\n")


def test_labels_of_a_run_that_was_never_queued(loop: Loop) -> None:
    """They are taken too: its texts are in the store."""
    loop.write("bare.csv", f"trial,label,reviewer\n{FIRST},correct,anna\n")

    assert loop.evalkit("review", "import", "bare.csv").out == (
        "bare.csv: 1 label by anna: 1 stored, 0 superseded, 0 unchanged, 0 refused\n"
        "run RUN: 1 of 300 answers carry labels of anna\n"
        "next: evalkit review report RUN\n"
    )


def test_many_wrong_rows_are_not_all_printed(queued: Loop) -> None:
    """Thirty, and how many more there are."""
    queued.write("far.csv", "trial,label,reviewer\n" + "".join(f"nowhere{n},correct,anna\n" for n in range(50)))
    done = queued.evalkit("review", "import", "far.csv")

    lines = done.err.splitlines()
    assert len(lines) == 31
    assert lines[0] == "far.csv:2: run RUN has no trial 'nowhere0'. See results.jsonl of the run."
    assert lines[-1] == "… and 20 more in far.csv"
    assert done.out == "far.csv: 0 labels: 0 stored, 0 superseded, 0 unchanged, 50 refused\n"


@pytest.mark.slow
def test_the_reviewed_csv_of_a_run_is_of_that_run(queued: Loop) -> None:
    """It names trials alone; the folder it lies in is the run's."""
    sheet = queued.root / "reports" / "out" / queued.run / "review.csv"
    header, *records = csv.reader(io.StringIO(sheet.read_text(encoding="utf-8-sig")))
    place = header.index("human_label")
    out = io.StringIO()
    csv.writer(out).writerows([header, *([*one[:place], "correct", *one[place + 1 :]] for one in records)])
    sheet.write_text(out.getvalue(), encoding="utf-8")
    queued.pytest()
    queued.evalkit("review", "latest")
    done = queued.evalkit("review", "import", f"reports/out/{queued.run}/review.csv", "--reviewer", "ben")

    assert done.out == (
        "reports/out/RUN/review.csv: 300 labels by ben: 300 stored, 0 superseded, 0 unchanged, 0 refused\n"
        "run RUN: 300 of 300 answers carry labels of ben\n"
        "next: evalkit review report RUN\n"
    )


def test_what_was_taken_before_a_file_that_cannot_be_read_is_told(
    queued: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without openpyxl a workbook ends the command; the file before it is stored and said to be."""
    one = queued.fill("a.jsonl", correct)
    pytest.importorskip("openpyxl")
    queued.evalkit("review", "latest", "--again", "--failures", "--format", "xlsx", "--out", "s")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    done = queued.evalkit("review", "import", one, "s/review.xlsx")

    assert done.status == 2
    assert done.out == "a.jsonl: 11 labels by anna: 11 stored, 0 superseded, 0 unchanged, 0 refused\n"
    assert "openpyxl" in done.err
