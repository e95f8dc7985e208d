"""A table as CSV that a spreadsheet may open."""

from __future__ import annotations

import csv
import io

from evalkit.exporting.columns import ExportTable, Value
from evalkit.reporting.safe_text import for_csv


def csv_text(table: ExportTable) -> str:
    """Begins with a byte-order mark, ends rows with CRLF, quotes text; no cell is a formula, None is empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([column.name for column in table.columns])
    for row in table.rows:
        writer.writerow([_cell(value) for value in row])
    return "\ufeff" + buffer.getvalue()


def _cell(value: Value) -> str | int | float | None:
    """Truth as ``true`` and ``false``; numbers bare, with all their digits."""
    if isinstance(value, bool):
        return str(value).lower()
    return for_csv(value) if isinstance(value, str) else value
