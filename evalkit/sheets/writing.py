"""The sheets of a queue, each written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from evalkit.review import ReviewItem
from evalkit.sheets.csv_sheet import csv_sheet
from evalkit.sheets.html import html_sheet
from evalkit.sheets.instructions_text import instructions_text
from evalkit.sheets.jsonl_sheet import jsonl_sheet
from evalkit.sheets.xlsx_sheet import xlsx_sheet

INSTRUCTIONS_FILE = "review-instructions.txt"
SheetFormat = Literal["html", "csv", "xlsx", "jsonl"]
SHEET_FORMATS: tuple[SheetFormat, ...] = ("html", "csv", "xlsx", "jsonl")


def write_sheets(
    folder: Path, items: Sequence[ReviewItem], *, title: str, formats: Sequence[SheetFormat] = SHEET_FORMATS
) -> list[Path]:
    """Writes review.html, review.csv, review.xlsx and review.jsonl into ``folder``; the paths, in order of ``formats``.

    The items keep their order. ``title`` is shown at the top of the page. Beside review.csv comes
    review-instructions.txt, for a CSV file has no place for any.

    Raises:
        MissingPackage: xlsx is asked for and openpyxl is not installed.
    """
    whole = [(folder / f"review.{form}", _sheet(form, items, title)) for form in formats]
    folder.mkdir(parents=True, exist_ok=True)
    if "csv" in formats:
        _write(folder / INSTRUCTIONS_FILE, instructions_text(title))
    return [_write(path, content) for path, content in whole]


def _sheet(form: SheetFormat, items: Sequence[ReviewItem], title: str) -> bytes:
    if form == "html":
        return html_sheet(items, title)
    if form == "csv":
        return csv_sheet(items)
    return xlsx_sheet(items, title) if form == "xlsx" else jsonl_sheet(items)


def _write(path: Path, content: bytes) -> Path:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path
