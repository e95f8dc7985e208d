"""The rows of a workbook's sheets as texts."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from evalkit.errors import MissingPackage
from evalkit.sheets.records import Record

MAX_UNPACKED_BYTES = 1 << 30
_CARRIAGE_RETURN = re.compile(r"_x000[dD]_")


class UnreadableWorkbook(Exception):
    """The file is no workbook that can be read; the message says why and what to do."""


def workbook_sheets(content: bytes) -> list[tuple[str, list[Record]]]:
    """Each sheet's name and its rows that are not blank, numbered as the spreadsheet numbers them.

    Raises:
        UnreadableWorkbook: it is damaged, or another kind of file.
        MissingPackage: openpyxl is not installed.
    """
    _look_inside(content)
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise MissingPackage("Reading an XLSX sheet", "openpyxl", "review") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, which nothing here reads
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            try:
                return [(sheet.title, list(_records(sheet))) for sheet in book.worksheets]
            finally:
                book.close()
    except Exception as error:  # openpyxl raises whatever its parts do on damaged files
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnreadableWorkbook(
            f"the workbook is damaged ({why}). Open it in a spreadsheet program and save it again as XLSX."
        ) from None


def _look_inside(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            unpacked = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise UnreadableWorkbook(
            "the workbook is damaged: the end of the file is missing or changed. Copy or download it again."
        ) from None
    if "xl/workbook.xml" not in names:
        kind = "an OpenDocument file" if "content.xml" in names else "a zip archive that is no workbook"
        raise UnreadableWorkbook(f"this is {kind}. Save the sheet as XLSX or CSV, and import that.")
    if unpacked > MAX_UNPACKED_BYTES:
        raise UnreadableWorkbook(
            f"the workbook unpacks to {unpacked:,} bytes; at most {MAX_UNPACKED_BYTES:,} are read. Save it as CSV."
        )


def _records(sheet: Any) -> Iterator[Record]:
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = tuple(_text(value) for value in row)
        if any(cell.strip() for cell in cells):
            yield Record(number, cells)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return _CARRIAGE_RETURN.sub("", str(value))
