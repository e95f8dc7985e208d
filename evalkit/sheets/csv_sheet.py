"""A queue as review.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from evalkit.reporting.kept_as_text import kept_as_text
from evalkit.review import FAILURE_KINDS, LABEL_VALUES, ReviewItem
from evalkit.sheets.columns import COLUMNS, cells_of, safe_cell

HINTS = {
    "label": f"label ({', '.join(LABEL_VALUES)})",
    "failure_kind": f"failure_kind (if wrong: {', '.join(FAILURE_KINDS)})",
    "note": "note (why; if you like)",
    "reviewer": "reviewer (your name)",
}

SHOWN = ("category", "probe", "prompt", "expected", "thinking", "answer")


def csv_sheet(items: Sequence[ReviewItem]) -> bytes:
    """One row per item, with a byte-order mark and CRLF as spreadsheets want; the header says what to fill in."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([HINTS.get(name, name) for name in COLUMNS])
    for number, item in enumerate(items, start=1):
        cells = cells_of(item, number)
        safe = {name: safe_cell(cells[name]) for name in COLUMNS}
        writer.writerow([kept_as_text(safe[name]) if name in SHOWN else safe[name] for name in COLUMNS])
    return ("\ufeff" + buffer.getvalue()).encode()
