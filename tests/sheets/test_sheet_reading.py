"""What reviewers send back, as their programs leave it."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from evalkit.review import ReviewItem
from evalkit.sheets import SheetRow, read_sheet, write_sheets
from evalkit.sheets.columns import safe_cell, undone
from evalkit.sheets.csv_sheet import csv_sheet
from evalkit.sheets.reading import _rows
from evalkit.sheets.tickets import read_ticket, ticket_of

Item = Callable[..., ReviewItem]
Table = list[list[str]]
FILLED = (
    ("correct", "", ""),
    ("wrong", "OVER_REFUSAL", 'says "no", at once;\nthen helps'),
    ("", "", ""),
    ("unsure", "", "ä €"),
)
ANSWERS = ("Plain.", '=1+1;"x",\r\ny', "third", "Grüße\n\n€ 5")
LABEL = 7


def filled(item: Item) -> tuple[list[ReviewItem], Table]:
    """Four items and their table, three of them labelled by Ada."""
    items = [item(number, answer) for number, answer in enumerate(ANSWERS, start=1)]
    table = list(csv.reader(io.StringIO(csv_sheet(items).decode("utf-8-sig"))))
    for row, (label, kind, note) in zip(table[1:], FILLED, strict=True):
        row[LABEL : LABEL + 4] = [label, kind, note, "Ada"]
    return items, table


def saved(table: Table, delimiter: str = ",", ends: str = "\r\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=ends, quoting=quoting).writerows(table)  # type: ignore[arg-type]
    return buffer.getvalue()


def read(tmp_path: Path, content: str | bytes) -> tuple[SheetRow, ...]:
    """The rows of a file that has nothing wrong with it."""
    path = tmp_path / "back.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    rows, problems = read_sheet(path)
    assert problems == ()
    return rows


def said(rows: tuple[SheetRow, ...]) -> list[tuple[str, str, str, str]]:
    return [(row.value, row.failure_kind, row.note, row.reviewer) for row in rows]


EXPECTED = [(label, kind, note, "Ada") for label, kind, note in FILLED if label]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "cp1252", "utf-16"])
def test_every_spreadsheets_csv_is_read(tmp_path: Path, item: Item, delimiter: str, ends: str, encoding: str) -> None:
    """Commas, semicolons, tabs; Windows, Unix and old Mac lines; with and without a byte-order mark."""
    items, table = filled(item)
    quoting = csv.QUOTE_ALL if ends == "\r" else csv.QUOTE_MINIMAL
    rows = read(tmp_path, saved(table, delimiter, ends, quoting).encode(encoding, errors="replace"))

    assert said(rows) == EXPECTED
    assert [(row.trial, row.run, row.text_hash, row.stratum, row.inclusion) for row in rows] == [
        (items[n].trial, items[n].run, items[n].text_hash, "failed", 0.1) for n in (0, 1, 3)
    ]
    assert {(row.blind, row.at, row.seconds) for row in rows} == {(True, None, None)}


def test_what_spreadsheets_do_on_the_way_does_no_harm(tmp_path: Path, item: Item) -> None:
    """Sorted rows, moved, renamed and added columns, dropped zeros, a title above, blank rows, empty cells."""
    _, table = filled(item)
    order = list(range(len(table[0])))
    random.Random(7).shuffle(order)
    head, *body = table
    head[0], head[LABEL] = "NO", "Label "
    for row in body:
        row[0], row[2], row[LABEL] = row[0].lstrip("0"), "007", f" {row[LABEL].upper()} "
    random.Random(3).shuffle(body)
    moved = [[*(row[place] for place in order), "", ""] for row in [head, *body]]
    blank = [""] * len(moved[0])
    rows = read(tmp_path, "sep=;\r\n" + saved([["My review"], blank, moved[0], blank, *moved[1:], blank], ";"))

    assert sorted(said(rows)) == sorted(EXPECTED)


def test_lines_are_those_of_the_file(tmp_path: Path, item: Item) -> None:
    """A row's line is where it begins, after cells of several lines."""
    _, table = filled(item)

    assert [row.line for row in read(tmp_path, saved(table, ends="\n"))] == [2, 3, 7]


def test_a_workbook_comes_back(tmp_path: Path, item: Item) -> None:
    """Labels typed into the XLSX are read with the row's number; numbers typed for text are text."""
    items = [item(number, answer) for number, answer in enumerate(ANSWERS, start=1)]
    (path,) = write_sheets(tmp_path, items, title="t", formats=["xlsx"])
    book = load_workbook(path)
    sheet = book["Review"]
    for row, (label, kind, note) in enumerate(FILLED, start=2):
        sheet.cell(row, LABEL + 1).value, sheet.cell(row, LABEL + 2).value = label or None, kind or None
        sheet.cell(row, LABEL + 3).value, sheet.cell(row, LABEL + 4).value = note or None, 7
    book.save(path)
    rows, problems = read_sheet(path)

    assert problems == ()
    assert said(rows) == [(label, kind, note, "7") for label, kind, note in FILLED if label]
    assert [(row.line, row.trial) for row in rows] == [(2, items[0].trial), (3, items[1].trial), (5, items[3].trial)]


def test_jsonl_comes_back(tmp_path: Path, item: Item) -> None:
    """Labels filled into review.jsonl are read, as lines, as one list, and spread over several lines each."""
    (path,) = write_sheets(tmp_path, [item(n) for n in (1, 2, 3)], title="t", formats=["jsonl"])
    plain = [json.loads(line) for line in path.read_text().splitlines()]
    for row, label in zip(plain, ("correct", "", "wrong"), strict=True):
        row.update(label=label, reviewer="a model", at="2026-03-01T14:05:00Z", seconds=4.5, blind=False)
    texts = (
        "\n".join(map(json.dumps, plain)),
        json.dumps(plain),
        "\n".join(json.dumps(row, indent=2) for row in plain),
    )
    found = [read(tmp_path, text) for text in texts]

    for rows in found:
        assert said(rows) == [("correct", "", "", "a model"), ("wrong", "", "", "a model")]
        assert {(row.at, row.seconds, row.blind, row.inclusion) for row in rows} == {(1772373900.0, 4.5, False, 0.1)}
    assert [row.line for row in found[0]] == [1, 3]


def test_the_runs_own_review_csv_is_read(tmp_path: Path) -> None:
    """Columns human_label, human_failure_kind and human_note; only the trial says what the label is for."""
    text = "trial,answer,human_label,human_failure_kind,human_note\na::b[c],x,wrong,OTHER,why\na::d[c],y,,,\n"
    (row,) = read(tmp_path, text)

    assert (row.trial, row.text_hash, row.value, row.failure_kind, row.note) == ("a::b[c]", "", "wrong", "OTHER", "why")
    assert (row.stratum, row.inclusion, row.blind) == (None, None, None)


def test_plain_columns_may_stand_for_the_ticket(tmp_path: Path) -> None:
    """Inclusion with a decimal comma or as a percentage, a time without a zone as UTC, yes and no for blind."""
    head = "text_hash;trial;label;stratum;inclusion;at;blind;seconds\n"
    text = head + f"{'A' * 64};t;correct;passed;0,25;2026-03-01 14:05;YES;3,5\n{'b' * 64};u;wrong;failed;10 %;;no;\n"
    rows = read(tmp_path, text)

    assert [(row.text_hash[0], row.stratum, row.inclusion, row.at, row.blind, row.seconds) for row in rows] == [
        ("a", "passed", 0.25, 1772373900.0, True, 3.5), ("b", "failed", 0.1, None, False, None),
    ]  # fmt: skip


def test_a_change_of_mind_is_kept(tmp_path: Path) -> None:
    """Two downloads in one file: both labels of a trial are there, in order, told apart by their time."""
    base = {"trial": "t", "text_hash": "a" * 64, "reviewer": "Ada"}
    lines = [{**base, "label": "wrong", "at": 1.7e9}, {**base, "label": "correct", "at": 1.8e9}]

    assert [row.value for row in read(tmp_path, "\n".join(map(json.dumps, lines)))] == ["wrong", "correct"]


def test_two_reviewers_may_share_a_file(tmp_path: Path, item: Item) -> None:
    """The same trial twice under two names is no duplicate."""
    _, table = filled(item)
    again = [*table[1][: LABEL + 3], "Ben", *table[1][LABEL + 4 :]]

    assert [row.reviewer for row in read(tmp_path, saved([*table, again]))] == ["Ada", "Ada", "Ada", "Ben"]


def test_a_row_becomes_a_label(item: Item) -> None:
    """The row's own reviewer and time win; what nobody said is filled in."""
    row = SheetRow("f.csv", 2, "correct", "a" * 64, "t", "r")

    label = row.label(reviewer="Ada", at=5.0)

    assert (label.reviewer, label.at, label.stratum, label.inclusion, label.source) == (
        "Ada",
        5.0,
        "asked_for",
        1.0,
        "f.csv",
    )
    own = SheetRow("f.csv", 2, "correct", reviewer="Ben", at=1.0, stratum="gate", inclusion=0.5).label(
        reviewer="A", at=5.0
    )
    assert (own.reviewer, own.at, own.stratum, own.inclusion) == ("Ben", 1.0, "gate", 0.5)


@given(st.text())
def test_a_defused_cell_is_undone(text: str) -> None:
    """What safe_cell put in front of a formula is taken away again, and from nothing else."""
    cell = safe_cell(text)
    is_defused = cell.startswith("'") and safe_cell(cell[1:]) == cell

    assert undone(cell) == (cell[1:] if is_defused else cell)
    assert safe_cell(undone(cell)) == cell


@pytest.mark.parametrize("note", ["=1+1", "-2 points", "+good", "@Ben", "'quoted'", "'=x", "007", "\u2212 3", '"=x"'])
def test_a_note_survives_defusing(tmp_path: Path, item: Item, note: str) -> None:
    """A note that looks like a formula comes back as it was written."""
    _, table = filled(item)
    table[1][LABEL + 2] = safe_cell(note)

    assert read(tmp_path, saved(table))[0].note == note


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), min_size=1, max_size=4), st.sampled_from(",;\t|"))
def test_any_text_comes_through_csv(texts: list[tuple[str, str, str]], delimiter: str) -> None:
    """Whatever prompts, answers and notes hold, every label is read, by any delimiter."""
    items = [
        ReviewItem(
            "r", f"t{n}", f"{n:064x}", "passed", 0.5, "s", "p", prompt, "x", "pass", answer, (("user", prompt),), answer
        )
        for n, (prompt, answer, _) in enumerate(texts)
    ]
    table = list(csv.reader(io.StringIO(csv_sheet(items).decode("utf-8-sig"), newline="")))
    for row, (_, _, note) in zip(table[1:], texts, strict=True):
        row[LABEL], row[LABEL + 2] = "correct", safe_cell(note)
    found = list(_rows(saved(table, delimiter).encode(), "f"))

    assert [(row.trial, row.line > 1) for row in found if isinstance(row, SheetRow)] == [(i.trial, True) for i in items]


@given(st.binary(max_size=300))
def test_nothing_is_raised_for_any_bytes(content: bytes) -> None:
    """Whatever the file holds gives rows or problems."""
    for start in (b"", b'{"label": ', b"label,trial\n", b"PK\x03\x04", b"\xff\xfe", b'"'):
        list(_rows(start + content + b" ", "f"))


@given(st.text(), st.text(), st.floats(0.001, 1))
def test_a_ticket_tells_the_trial(run: str, trial: str, inclusion: float) -> None:
    """It is one word of letters and digits that starts with one, and any lost character is noticed."""
    item = ReviewItem(run, trial, "a" * 64, "gate", inclusion, "s", "p", "c", "t", "pass", "", (), "")
    ticket = ticket_of(item)

    assert read_ticket(ticket) == {
        "run": run, "trial": trial, "text_hash": "a" * 64, "stratum": "gate", "inclusion": inclusion,
    }  # fmt: skip
    assert read_ticket(ticket[:-1]) is None
    assert read_ticket(ticket[:20] + ("B" if ticket[20] != "B" else "C") + ticket[21:]) is None
    assert read_ticket(ticket.lower()) is None
