"""A review queue as a page, a spreadsheet or lines of JSON, and what comes back of them."""

from __future__ import annotations

from evalkit.sheets.reading import read_sheet
from evalkit.sheets.rows import SheetRow
from evalkit.sheets.writing import SHEET_FORMATS, SheetFormat, write_sheets

__all__ = ["SHEET_FORMATS", "SheetFormat", "SheetRow", "read_sheet", "write_sheets"]
