"""A sheet that came back from a reviewer, whatever its format."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from evalkit.errors import Problem
from evalkit.sheets.json_rows import json_rows
from evalkit.sheets.records import DELIMITERS, csv_records
from evalkit.sheets.rows import SheetRow
from evalkit.sheets.table import HEADER_WITHIN, header_of, known_columns, no_header, table_rows
from evalkit.sheets.xlsx_rows import UnreadableWorkbook, workbook_sheets

MAX_BYTES = 256 << 20
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_KINDS = "a CSV, XLSX or JSONL file with labels"


def read_sheet(path: Path, shown: str | None = None) -> tuple[tuple[SheetRow, ...], tuple[Problem, ...]]:
    """Every sound labelled row of the file, in its order, and everything that is wrong with the others.

    The format is told by the content, not by the name. Rows without a label are left out silently. ``shown`` is what
    messages call the file. Nothing is raised for what the file holds.

    Raises:
        MissingPackage: it is an XLSX file and openpyxl is not installed.
    """
    shown = shown or str(path)
    content = _content(path)
    if isinstance(content, str):
        return (), (Problem(shown, content),)
    rows: list[SheetRow] = []
    problems: list[Problem] = []
    for found in _once(_rows(content, shown), shown):
        if isinstance(found, Problem):
            problems.append(found)
        else:
            rows.append(found)
    return tuple(rows), tuple(problems)


def _content(path: Path) -> bytes | str:
    """The file's bytes, or why there are none."""
    try:
        if path.is_dir():
            return f"this is a folder. Name {_KINDS} in it."
        size = path.stat().st_size
        if size > MAX_BYTES:
            return f"the file has {size:,} bytes; at most {MAX_BYTES:,} are read. Import it in parts."
        content = path.read_bytes()
    except FileNotFoundError:
        return "there is no such file."
    except (OSError, ValueError) as error:
        return f"the file cannot be read: {getattr(error, 'strerror', None) or error}."
    return content if content.strip() else "the file is empty."


def _rows(content: bytes, shown: str) -> Iterator[SheetRow | Problem]:
    if content.startswith(b"PK"):
        yield from _workbook_rows(content, shown)
        return
    refusal = _refusal(content)
    if refusal:
        yield Problem(shown, refusal)
        return
    text = _decoded(content)
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start == "<":
        yield Problem(
            shown,
            "this is a page, and its labels are kept in the browser. Open it there, press D to download the labels, "
            "and import the downloaded file.",
        )
    elif start and start in "{[":
        yield from json_rows(text.lstrip("\ufeff"), shown)
    else:
        yield from _csv_rows(text, shown)


def _refusal(content: bytes) -> str | None:
    if content.startswith(_OLD_OFFICE):
        return (
            "this is an old Excel file (.xls), or one with a password. Save it as XLSX without a password, or as CSV."
        )
    marked = any(content.startswith(mark) for mark, _ in _BYTE_ORDER_MARKS)
    start = content[:4096]
    unprintable = sum(byte < 32 and byte not in b"\t\n\r\x0b\x0c\x1b" for byte in start)
    if content.startswith((b"%PDF", b"\x89PNG")) or (not marked and unprintable * 10 > len(start)):
        return f"expected {_KINDS}; this is a binary file of another kind."
    return None


def _decoded(content: bytes) -> str:
    """The text; what is not UTF-8 is taken for Windows-1252, as Excel writes CSV where nobody asks for UTF-8."""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return content.decode("cp1252" if encoding == "utf-8" else encoding, errors="replace")


def _csv_rows(text: str, shown: str) -> Iterator[SheetRow | Problem]:
    tops = {delimiter: list(islice(csv_records(text, delimiter), HEADER_WITHIN)) for delimiter in DELIMITERS}
    for delimiter, top in tops.items():
        header = header_of(top)
        if header is not None:
            yield from table_rows(csv_records(text, delimiter), header, shown)
            return
    yield no_header(max(tops.values(), key=known_columns), shown)


def _workbook_rows(content: bytes, shown: str) -> Iterator[SheetRow | Problem]:
    try:
        sheets = workbook_sheets(content)
    except UnreadableWorkbook as error:
        yield Problem(shown, str(error))
        return
    with_header = [(records, header) for _, records in sheets if (header := header_of(records)) is not None]
    for records, header in with_header:
        yield from table_rows(records, header, shown)
    if not with_header:
        best = max((records for _, records in sheets), key=known_columns, default=[])
        yield no_header(best, shown) if best else Problem(shown, "the workbook has no filled cells.")


def _once(found: Iterable[SheetRow | Problem], shown: str) -> Iterator[SheetRow | Problem]:
    """Rows of which the file says the same thing twice become problems; a later change of mind does not."""
    first: dict[tuple[str, str, str, str], SheetRow] = {}
    for row in found:
        if isinstance(row, Problem):
            yield row
            continue
        key = (row.run, row.trial, row.text_hash, row.reviewer)
        before = first.get(key)
        if before is None or (before.at is not None and row.at is not None and before.at != row.at):
            first[key] = row
            yield row
        elif (before.value, before.failure_kind, before.note) == (row.value, row.failure_kind, row.note):
            yield Problem(shown, f"this label is in line {before.line} already. It was taken once.", row.line)
        else:
            yield Problem(
                shown,
                f"the same answer is {before.value!r} in line {before.line} and {row.value!r} here. The first was "
                "taken; delete the one that is wrong and import the file again.",
                row.line,
            )
