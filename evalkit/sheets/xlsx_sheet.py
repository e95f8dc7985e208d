"""A queue as review.xlsx: a sheet with drop-downs, and one with instructions."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evalkit.errors import MissingPackage
from evalkit.review import FAILURE_KINDS, LABEL_VALUES, ReviewItem
from evalkit.sheets.columns import COLUMNS, TO_FILL, cells_of, safe_cell
from evalkit.sheets.instructions import INSTRUCTIONS

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

REVIEW = "Review"
WIDTHS = {
    "no": 5, "category": 18, "probe": 20, "prompt": 50, "expected": 36, "thinking": 30, "answer": 70,
    "label": 13, "failure_kind": 20, "note": 36, "reviewer": 14, "stamp": 14, "do_not_edit": 12,
}  # fmt: skip
LINE_POINTS = 15
MIN_POINTS, MAX_POINTS = 45, 320
COLOURS = {"correct": "D7F0DD", "wrong": "F8D7DA", "borderline": "FFF0C2", "unsure": "E3E3EA"}
_ESCAPED = re.compile(r"_x(?=[0-9A-Fa-f]{4}_)")


def xlsx_sheet(items: Sequence[ReviewItem], title: str) -> bytes:
    """The workbook; every cell is text, so that nothing is a formula and nothing is turned into a number.

    Raises:
        MissingPackage: openpyxl is not installed.
    """
    try:
        from openpyxl import Workbook
    except ImportError:
        raise MissingPackage("A review sheet for Excel", "openpyxl", "review") from None
    book = Workbook()
    sheet: Any = book.active
    sheet.title = REVIEW
    _head(sheet)
    for number, item in enumerate(items, start=1):
        _row(sheet, number + 1, cells_of(item, number))
    _choices(sheet, len(items) + 1)
    _instructions(book, title)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _head(sheet: Worksheet) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    for column, name in enumerate(COLUMNS, start=1):
        cell = sheet.cell(1, column, name)
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="1F5FBF" if name in TO_FILL else "44505E")
        cell.alignment = Alignment(vertical="center", wrap_text=True)
        letter = get_column_letter(column)
        sheet.column_dimensions[letter].width = WIDTHS[name]
    sheet.row_dimensions[1].height = 24
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}1"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]
    sheet.print_title_rows = "1:1"


def _row(sheet: Worksheet, row: int, cells: dict[str, str]) -> None:
    from openpyxl.styles import Alignment, PatternFill

    to_fill = PatternFill("solid", fgColor="F3F7FE")
    lines = 1
    for column, name in enumerate(COLUMNS, start=1):
        cell = sheet.cell(row, column)
        text = _ESCAPED.sub("_x005F_x", safe_cell(cells[name]))
        if text:
            _put(cell, text)
        cell.number_format = "@"
        cell.alignment = Alignment(vertical="top", wrap_text=name != "do_not_edit")
        if name in TO_FILL:
            cell.fill = to_fill
        if name != "do_not_edit":
            lines = max(lines, sum(1 + int(len(line) * 1.1) // WIDTHS[name] for line in text.split("\n")))
    sheet.row_dimensions[row].height = min(MAX_POINTS, max(MIN_POINTS, LINE_POINTS * lines))


def _put(cell: Any, text: str) -> None:
    """Writes text as text, whatever it looks like."""
    cell.value = text
    cell.data_type = "s"


def _choices(sheet: Worksheet, last: int) -> None:
    from openpyxl.formatting.rule import CellIsRule
    from openpyxl.styles import PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    for name, values, hint in (
        ("label", LABEL_VALUES, "Is the answer what was expected?"),
        ("failure_kind", FAILURE_KINDS, "Only where the label is wrong or borderline."),
    ):
        letter = get_column_letter(COLUMNS.index(name) + 1)
        cells = f"{letter}2:{letter}{max(last, 2)}"
        choice = DataValidation("list", formula1=f'"{",".join(values)}"', allow_blank=True, showErrorMessage=True)
        choice.errorTitle, choice.error = name, f"One of: {', '.join(values)}"
        choice.promptTitle, choice.prompt, choice.showInputMessage = name, hint, True
        choice.add(cells)
        sheet.add_data_validation(choice)
        for value, colour in COLOURS.items() if name == "label" else ():
            rule = CellIsRule("equal", formula=[f'"{value}"'], fill=PatternFill(bgColor=colour))  # type: ignore[no-untyped-call]
            sheet.conditional_formatting.add(cells, rule)


def _instructions(book: Workbook, title: str) -> None:
    from openpyxl.styles import Alignment, Font

    sheet = book.create_sheet("Instructions", 0)
    sheet.column_dimensions["A"].width = 22
    sheet.column_dimensions["B"].width = 96
    sheet.sheet_view.showGridLines = False
    for row, (left, right) in enumerate(((safe_cell(title), ""), *INSTRUCTIONS), start=1):
        _put(sheet.cell(row, 1), left)
        _put(sheet.cell(row, 2), right)
        sheet.cell(row, 1).font = Font(bold=True, size=14 if row == 1 else 11)
        for column in (1, 2):
            sheet.cell(row, column).alignment = Alignment(vertical="top", wrap_text=row > 1)
    book.active = sheet
    for other in book.worksheets:
        other.sheet_view.tabSelected = other is sheet
