"""Files that are no sheet, or only half of one: each kind is named, with what to do."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from evalkit.errors import MissingPackage
from evalkit.review import ReviewItem
from evalkit.sheets import read_sheet, write_sheets

Item = Callable[..., ReviewItem]


def told(tmp_path: Path, content: bytes | str, name: str = "back.csv") -> tuple[list[str], list[str]]:
    """The values of the rows that were read, and the problems as the user sees them."""
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    rows, problems = read_sheet(path, name)
    return [row.value for row in rows], [str(problem) for problem in problems]


@pytest.fixture
def book(tmp_path: Path, item: Item) -> bytes:
    """review.xlsx as it was written."""
    return write_sheets(tmp_path / "sheets", [item(1)], title="t", formats=["xlsx"])[0].read_bytes()


def packed(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    return buffer.getvalue()


BINARY = "expected a CSV, XLSX or JSONL file with labels; this is a binary file of another kind."
OTHER_FILES = {
    "nothing": (b"", "the file is empty."),
    "blanks": (b" \r\n\t", "the file is empty."),
    "a byte-order mark alone": (b"\xef\xbb\xbf", "the file is empty."),
    "the page": (
        b"<!doctype html><html>", "this is a page, and its labels are kept in the browser. Open it there, press D to "
        "download the labels, and import the downloaded file.",
    ),
    "old Excel": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 99, "this is an old Excel file (.xls), or one with a password. "
        "Save it as XLSX without a password, or as CSV.",
    ),
    "OpenDocument": (
        packed("content.xml"), "this is an OpenDocument file. Save the sheet as XLSX or CSV, and import that.",
    ),
    "another archive": (
        packed("a.txt"), "this is a zip archive that is no workbook. Save the sheet as XLSX or CSV, and import that.",
    ),
    "half an archive": (
        b"PK\x03\x04" + b"x" * 200, "the workbook is damaged: the end of the file is missing or changed. Copy or "
        "download it again.",
    ),
    "a PDF": (b"%PDF-1.7 ...", BINARY),
    "noise": (bytes(range(256)) * 9, BINARY),
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHER_FILES)
def test_another_kind_of_file_is_named(tmp_path: Path, kind: str) -> None:
    """It says what the file is and what to import instead."""
    content, message = OTHER_FILES[kind]

    assert told(tmp_path, content) == ([], [f"back.csv: {message}"])


def test_a_workbook_with_a_broken_part(tmp_path: Path, book: bytes) -> None:
    """What openpyxl says of it stands in the message."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"<broken" if name == "xl/workbook.xml" else old.read(name))
    values, problems = told(tmp_path, buffer.getvalue(), "r.xlsx")

    assert values == []
    assert problems == [
        "r.xlsx: the workbook is damaged (unclosed token: line 1, column 0). Open it in a spreadsheet program and save "
        "it again as XLSX."
    ]


def test_a_workbook_without_the_sheet(tmp_path: Path) -> None:
    """A sheet that was renamed is found by its header; without one the message says what is missing."""
    other = Workbook()
    other.active.append(["name", "age"])  # type: ignore[union-attr]
    other.save(tmp_path / "made.xlsx")
    empty = Workbook()
    empty.save(tmp_path / "empty.xlsx")

    assert told(tmp_path, (tmp_path / "made.xlsx").read_bytes(), "r.xlsx") == (
        [],
        ["r.xlsx:1: the column 'label' is missing; found name, age. Write the header as it was in the sheet."],
    )
    assert told(tmp_path, (tmp_path / "empty.xlsx").read_bytes(), "r.xlsx") == (
        [], ["r.xlsx: the workbook has no filled cells."]
    )  # fmt: skip


def test_a_workbook_that_unpacks_without_end(tmp_path: Path, book: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip bomb is refused by what its directory says."""
    monkeypatch.setattr("evalkit.sheets.xlsx_rows.MAX_UNPACKED_BYTES", 10)
    values, (problem,) = told(tmp_path, book, "r.xlsx")

    assert values == []
    assert problem.startswith("r.xlsx: the workbook unpacks to ")
    assert problem.endswith(" bytes; at most 10 are read. Save it as CSV.")


def test_files_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file, a folder, and one that is too big."""
    big = tmp_path / "big.csv"
    big.write_text("12345")
    monkeypatch.setattr("evalkit.sheets.reading.MAX_BYTES", 4)

    impossible = Path("a\x00b")
    with pytest.raises(ValueError, match="null") as in_pythons_words:
        impossible.stat()

    problems = [str(read_sheet(path, "f")[1][0]) for path in (tmp_path / "none", tmp_path, big, impossible)]

    assert problems == [
        "f: there is no such file.",
        "f: this is a folder. Name a CSV, XLSX or JSONL file with labels in it.",
        "f: the file has 5 bytes; at most 4 are read. Import it in parts.",
        f"f: the file cannot be read: {in_pythons_words.value}.",
    ]


def test_a_workbook_needs_its_package(tmp_path: Path, book: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without openpyxl the message says what to install."""
    monkeypatch.setitem(sys.modules, "openpyxl", None)

    with pytest.raises(MissingPackage) as error:
        told(tmp_path, book)

    assert str(error.value) == (
        "Reading an XLSX sheet needs the package 'openpyxl'. Install it with: pip install 'pytest-evalkit[review]'"
    )
