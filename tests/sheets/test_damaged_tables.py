"""Damaged files: each kind with its message, and every good row kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.review import ReviewItem
from evalkit.sheets import read_sheet
from evalkit.sheets.csv_sheet import csv_sheet

Item = Callable[..., ReviewItem]
LABEL, KIND, NOTE, REVIEWER, TICKET = 7, 8, 9, 10, 12
ALL = ["correct", "wrong", "unsure"]


def told(tmp_path: Path, content: bytes | str, name: str = "back.csv") -> tuple[list[str], list[str]]:
    """The values of the rows that were read, and the problems as the user sees them."""
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    rows, problems = read_sheet(path, name)
    return [row.value for row in rows], [str(problem) for problem in problems]


@pytest.fixture
def table(item: Item) -> list[list[str]]:
    """A header and three rows of one line each, labelled correct, wrong and unsure by Ada."""
    rows = list(csv.reader(io.StringIO(csv_sheet([item(n) for n in (1, 2, 3)]).decode("utf-8-sig"))))
    for row, label in zip(rows[1:], ALL, strict=True):
        row[LABEL], row[REVIEWER] = label, "Ada"
    return rows


def saved(table: list[list[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(table)
    return buffer.getvalue()


CELLS = {
    "a misspelt label": (
        {LABEL: "corect"}, "back.csv:3: label: expected correct, wrong, borderline or unsure; found 'corect'. Did you "
        "mean 'correct'?",
    ),
    "a foreign label": (
        {LABEL: "ja"}, "back.csv:3: label: expected correct, wrong, borderline or unsure; found 'ja'.",
    ),
    "an error of the spreadsheet": (
        {LABEL: "#NAME?"}, "back.csv:3: label: the spreadsheet left the error #NAME? here. Write correct, wrong, "
        "borderline or unsure over it.",
    ),
    "a note without a label": (
        {LABEL: "", NOTE: "hm"}, "back.csv:3: label: it is empty, but note is not. Write correct, wrong, borderline or "
        "unsure, or empty both.",
    ),
    "a kind without a label": (
        {LABEL: " ", KIND: "OTHER"}, "back.csv:3: label: it is empty, but failure_kind is not. Write correct, wrong, "
        "borderline or unsure, or empty both.",
    ),
    "a misspelt kind": (
        {KIND: "overrefusal"}, "back.csv:3: failure_kind: expected OVER_REFUSAL, HALLUCINATION, FALSE_APPROVAL, "
        "MISCLASSIFICATION, FORMAT_ISSUE, IDENTITY_COLLAPSE or OTHER; found 'overrefusal'. Did you mean "
        "'OVER_REFUSAL'?",
    ),
    "an unknown kind": (
        {KIND: "rude"}, "back.csv:3: failure_kind: expected OVER_REFUSAL, HALLUCINATION, FALSE_APPROVAL, "
        "MISCLASSIFICATION, FORMAT_ISSUE, IDENTITY_COLLAPSE or OTHER; found 'rude'. Leave it empty, or write OTHER and "
        "say in the note what it is.",
    ),
    "a kind of what is correct": (
        {LABEL: "correct", KIND: "hallucination"}, "back.csv:3: failure_kind: it says HALLUCINATION, but the label "
        "says 'correct'. Change one of the two.",
    ),
    "an empty ticket": (
        {TICKET: ""}, "back.csv:3: do_not_edit: it is empty, so nothing says which answer the label is for. Copy it "
        "from the sheet.",
    ),
    "another text for a ticket": (
        {TICKET: "t1_done"}, "back.csv:3: do_not_edit: the cell was changed or cut: 't1_done'. Copy it from the sheet "
        "as it was written.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CELLS)
def test_a_wrong_cell_costs_its_row(tmp_path: Path, table: list[list[str]], kind: str) -> None:
    """The message names line and column, says what was found and what to do; the other rows are read."""
    changes, message = CELLS[kind]
    for place, cell in changes.items():
        table[2][place] = cell

    assert told(tmp_path, saved(table)) == (["correct", "unsure"], [message])


def test_a_changed_ticket_costs_its_row(tmp_path: Path, table: list[list[str]]) -> None:
    """One changed letter is found by the checksum."""
    ticket = table[2][TICKET]
    table[2][TICKET] = ticket[:30] + ("x" if ticket[30] != "x" else "y") + ticket[31:]
    shown = repr(table[2][TICKET])[:39] + "…"

    assert told(tmp_path, saved(table)) == (
        ["correct", "unsure"],
        [f"back.csv:3: do_not_edit: the cell was changed or cut: {shown}. Copy it from the sheet as it was written."],
    )


QUOTATION = "a quotation mark is missing or too many in this row. Mend it, or copy the row from the sheet again."
SHIFTED = (
    "the cells are not under their headers: there are {} of them, and 13 headers. A text that holds a comma, a "
    "semicolon or a line end needs quotation marks around it."
)


def test_all_columns_in_one_are_named(tmp_path: Path, table: list[list[str]]) -> None:
    """What Excel saves where commas are decimal, after the CSV was opened by a double click and labelled beside it."""
    lines = saved(table).splitlines()
    mangled = [
        [line.removeprefix('"').replace('"', "", 1), "" if number == 0 else "wrong"]
        for number, line in enumerate(lines)
    ]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";").writerows(mangled)

    assert told(tmp_path, buffer.getvalue()) == (
        [],
        [
            "back.csv:1: all columns stand in one, so no label is in its place. Open the sheet as it was written with "
            "Data > From Text/CSV, UTF-8 and the comma, or take review.xlsx, and fill it in there."
        ],
    )


TICKET_LIKE = "Write:\nt1_variable_of_the_first_test = 1\nt1_variable_of_the_other_test = 2"


@pytest.mark.parametrize("answer", ["t1_looks-like-a-ticket", TICKET_LIKE])
def test_an_answer_that_looks_like_a_ticket_costs_nothing(tmp_path: Path, item: Item, answer: str) -> None:
    """Only a whole ticket tells that cells are shifted or a quotation mark is missing; no model can write one."""
    rows = list(csv.reader(io.StringIO(csv_sheet([item(1), item(2, answer)]).decode("utf-8-sig"))))
    rows[1][LABEL] = rows[2][LABEL] = "wrong"
    sound = told(tmp_path, saved(rows))
    lines = saved(rows).split("\n")
    lines[2] = lines[2].replace('","Is link', ',"Is link')

    assert sound == (["wrong", "wrong"], [])
    assert told(tmp_path, "\n".join(lines)) == (["wrong"], [f"back.csv:3: {SHIFTED.format(12)}"])


def test_a_mark_too_many_costs_its_row(tmp_path: Path, table: list[list[str]]) -> None:
    """A doubled mark at a line's end swallows what follows; reading finds back with the next line."""
    lines = saved(table).split("\n")
    lines[2] += '"'

    assert told(tmp_path, "\n".join(lines)) == (["correct", "unsure"], [f"back.csv:3: {QUOTATION}"])


def test_a_missing_mark_costs_its_row(tmp_path: Path, table: list[list[str]]) -> None:
    """A text that is never closed runs into its neighbours; the next rows are read."""
    lines = saved(table).split("\n")
    lines[2] = lines[2].replace('"wrong"', '"wrong')

    assert told(tmp_path, "\n".join(lines)) == (["correct", "unsure"], [f"back.csv:3: {SHIFTED.format(10)}"])


def test_a_file_that_ends_in_a_quotation(tmp_path: Path, table: list[list[str]]) -> None:
    """A file cut in its last row names that row."""
    assert told(tmp_path, saved(table)[:-60]) == (["correct", "wrong"], [f"back.csv:4: {QUOTATION}"])


def test_a_comma_without_quotation(tmp_path: Path, table: list[list[str]]) -> None:
    """One cell became two, so that nothing stands under its header."""
    lines = saved(table).split("\n")
    lines[2] = lines[2].replace('"Is link 2 my bank\'s?"', "Is link 2, my bank's?")

    assert told(tmp_path, "\n".join(lines)) == (["correct", "unsure"], [f"back.csv:3: {SHIFTED.format(14)}"])


def test_a_row_cut_short(tmp_path: Path, table: list[list[str]]) -> None:
    """A row that ends after the label has no ticket."""
    table[2] = table[2][: LABEL + 1]

    assert told(tmp_path, saved(table)) == (
        ["correct", "unsure"],
        [CELLS["an empty ticket"][1]],
    )


def test_the_same_row_twice(tmp_path: Path, table: list[list[str]]) -> None:
    """It is taken once; what disagrees is for the reviewer to decide."""
    other = [*table[2][:LABEL], "borderline", *table[2][LABEL + 1 :]]

    assert told(tmp_path, saved([*table, table[1], other])) == (
        ALL,
        [
            "back.csv:5: this label is in line 2 already. It was taken once.",
            "back.csv:6: the same answer is 'wrong' in line 3 and 'borderline' here. The first was taken; delete the "
            "one that is wrong and import the file again.",
        ],
    )


def test_two_columns_of_one_name(tmp_path: Path, table: list[list[str]]) -> None:
    """They may say the same or one of them nothing; where they disagree the row is not taken."""
    for row, second in zip(table, ("label", "correct", "unsure", ""), strict=True):
        row.append(second)

    assert told(tmp_path, saved(table)) == (
        ["correct", "unsure"],
        ["back.csv:3: label: two columns of this name disagree: 'unsure' and 'wrong'. Empty one."],
    )


@pytest.mark.parametrize(
    ("column", "header", "message"),
    [
        (LABEL, "lable", "the column 'label' is missing; found {}. Rename 'lable' to 'label'."),
        (LABEL, "x", "the column 'label' is missing; found {}. Write the header as it was in the sheet."),
        (TICKET, "x", "the column 'do_not_edit' is missing; found {}. Write the header as it was in the sheet."),
    ],
)
def test_a_header_that_was_changed(
    tmp_path: Path, table: list[list[str]], column: int, header: str, message: str
) -> None:
    """The message says which column is missing, what was found, and which one it may be."""
    table[0] = ["no", "category", "probe", "p", "e", "t", "a", "label", "kind", "note", "by", "stamp", "do_not_edit"]
    table[0][column] = header

    assert told(tmp_path, saved(table)) == ([], [f"back.csv:1: {message.format(', '.join(table[0]))}"])


def test_no_header_at_all(tmp_path: Path, table: list[list[str]]) -> None:
    """A file whose first line was deleted."""
    values, problems = told(tmp_path, saved([["1", "fraud", "a"], ["2", "fraud", "b"]]))

    assert values == []
    assert problems == [
        "back.csv:1: the column 'label' is missing; found 1, fraud, a. Write the header as it was in the sheet."
    ]


def test_a_name_of_the_file_says_nothing(tmp_path: Path, table: list[list[str]]) -> None:
    """A CSV file called .xlsx, .jsonl or nothing at all is read as what it is."""
    for name in ("back.xlsx", "back.jsonl", "back"):
        assert told(tmp_path, saved(table), name) == (ALL, [])
