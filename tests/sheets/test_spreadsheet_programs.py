"""Sheets that a real spreadsheet program opened and saved: LibreOffice, without a window."""

from __future__ import annotations

import csv
import io
import itertools
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook

from evalkit.review import ReviewItem
from evalkit.sheets import SheetRow, read_sheet, write_sheets
from evalkit.sheets.columns import COLUMNS, safe_cell

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.skipif(
        shutil.which("soffice") is None, reason="needs soffice (Debian: apt-get install libreoffice-calc-nogui)"
    ),
]
Item = Callable[..., ReviewItem]
Said = list[tuple[str, str, str, str, str]]
Convert = Callable[..., Path]
LABEL, ANSWER = COLUMNS.index("label"), COLUMNS.index("answer")
XLSX, ODS, XLS = "xlsx:Calc MS Excel 2007 XML", "ods:calc8", "xls:MS Excel 97"
ENGLISH, GERMAN = "1033", "1031"
COMMA, SEMICOLON = "44,34,76,1", "59,34,1,1"
"""Delimiter, quotation mark, encoding (76 UTF-8, 1 Windows-1252) and first line, in the words of LibreOffice."""
ANSWERS = (
    "Plain.", "=1+1", "@SUM(A1)", "-5", "007", "3/4", "1e5", "1.000,5", "1,000", "TRUE", "wahr", "50 %", "$5", "5 €",
    "12:30 PM", "2026-01-02", "4 March 2026", "Mar-24", "1" * 40, "(5)", " 7 ", "Grüße\n\n€ 5; \"so\", sagt' er\n",
    "'quoted'", "A line of a poem.\n" * 3_000, "a\tb", "\u202eabc", "t1_looks-like-a-ticket-but-is-none",
    "use\nt1_variable_of_the_first_test\nhere",
)  # fmt: skip
NOTES = ("", "", "because, you know", 'says "no"; then\nhelps', "ä €", "=1+1")


@pytest.fixture(scope="module")
def convert(tmp_path_factory: pytest.TempPathFactory) -> Convert:
    """Opens a file as a person of that language would and saves it in another format; where that is."""
    home, number = tmp_path_factory.mktemp("office"), itertools.count()

    def converted(file: Path, to: str, language: str = ENGLISH) -> Path:
        made = file.parent / f"{file.stem}-{language}-{next(number)}"
        reading = [f"--infilter=CSV:{COMMA},,{language}"] if file.suffix == ".csv" else []
        done = subprocess.run(
            ["soffice", f"-env:UserInstallation={home.as_uri()}", "--headless", *reading, "--convert-to", to,
             "--outdir", str(made), str(file)],
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        found = sorted(made.glob("*")) if made.is_dir() else []
        assert len(found) == 1, done.stdout + done.stderr
        return found[0]

    return converted


@pytest.fixture
def asked(item: Item) -> list[ReviewItem]:
    """An item for each answer that a spreadsheet may make something else of."""
    return [item(number, answer) for number, answer in enumerate(ANSWERS, start=1)]


def label_of(number: int) -> tuple[str, str, str, str]:
    """What the reviewer writes in the row: label, kind, note, name."""
    value = ("correct", "wrong", "", "unsure")[number % 4]
    return value, "OTHER" if value == "wrong" else "", NOTES[number % len(NOTES)] if value else "", "Ada Lövelace"


def expected(items: list[ReviewItem]) -> Said:
    rows = [(item.text_hash, *label_of(number)[:3], "Ada Lövelace") for number, item in enumerate(items)]
    return [row for row in rows if row[1]]


def said(file: Path) -> Said:
    """Every label of a file that has nothing wrong with it."""
    rows, problems = read_sheet(file)
    assert problems == ()
    assert all(isinstance(row, SheetRow) and row.inclusion == 0.1 and row.blind for row in rows)
    return [(row.text_hash, row.value, row.failure_kind, row.note, row.reviewer) for row in rows]


def table(file: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline="")))


def filled_csv(folder: Path, items: list[ReviewItem]) -> Path:
    """review.csv as a careful person fills it in."""
    (path,) = write_sheets(folder, items, title="t", formats=["csv"])
    rows = table(path)
    for number, row in enumerate(rows[1:]):
        row[LABEL : LABEL + 4] = [safe_cell(cell) for cell in label_of(number)]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def filled_workbook(folder: Path, items: list[ReviewItem]) -> Path:
    """review.xlsx as a careful person fills it in."""
    (path,) = write_sheets(folder, items, title="t", formats=["xlsx"])
    book = load_workbook(path)
    for number in range(len(items)):
        for column, text in enumerate(label_of(number), start=LABEL + 1):
            book["Review"].cell(number + 2, column).value = safe_cell(text) or None
    book.save(path)
    return path


@pytest.mark.parametrize("language", [ENGLISH, GERMAN])
def test_a_csv_goes_through_a_workbook_and_back(
    convert: Convert, asked: list[ReviewItem], tmp_path: Path, language: str
) -> None:
    """Every label comes back from CSV → XLSX → CSV, and every answer is shown as it was written."""
    sheet = filled_csv(tmp_path, asked)
    shown = [row[ANSWER] for row in table(sheet)]

    book = convert(sheet, XLSX, language)
    back = [convert(book, f"csv:Text - txt - csv (StarCalc):{dialect}", language) for dialect in (COMMA, SEMICOLON)]

    assert said(book) == said(back[0]) == said(back[1]) == expected(asked)
    assert [row[ANSWER] for row in table(back[0])] == shown


def test_a_workbook_goes_through_other_formats_and_back(
    convert: Convert, asked: list[ReviewItem], tmp_path: Path
) -> None:
    """XLSX → ODS → XLSX keeps labels, drop-downs and answers; ODS and XLS themselves say what to save instead."""
    mine = filled_workbook(tmp_path, asked)
    ods = convert(mine, ODS)
    back = convert(ods, XLSX)
    shown = [[cell.value for cell in load_workbook(book)["Review"]["G"]] for book in (mine, back)]
    choices = load_workbook(back)["Review"].data_validations.dataValidation

    assert said(mine) == said(back) == expected(asked)
    assert shown[0] == shown[1]
    assert len(choices) == 2
    assert [str(problem) for problem in read_sheet(ods, "review.ods")[1]] == [
        "review.ods: this is an OpenDocument file. Save the sheet as XLSX or CSV, and import that."
    ]
    assert [str(problem) for problem in read_sheet(convert(mine, XLS), "review.xls")[1]] == [
        "review.xls: this is an old Excel file (.xls), or one with a password. Save it as XLSX without a password, or "
        "as CSV."
    ]


def test_the_sheet_of_instructions_is_no_sheet_of_labels(
    convert: Convert, asked: list[ReviewItem], tmp_path: Path
) -> None:
    """Who saves the workbook as CSV from its first sheet, or imports the text, is told which one to save."""
    first = convert(filled_workbook(tmp_path, asked), f"csv:Text - txt - csv (StarCalc):{COMMA}")
    write_sheets(tmp_path, asked, title="t", formats=["csv"])

    for file in (first, tmp_path / "review-instructions.txt"):
        assert [str(problem) for problem in read_sheet(file, "review.csv")[1]] == [
            "review.csv: these are the instructions, and the labels are in another sheet. Import review.csv or "
            "review.xlsx themselves; who saves a workbook as CSV saves its sheet Review."
        ]
