"""A queue as review.csv."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from evalkit.review import FAILURE_KINDS, LABEL_VALUES, ReviewItem
from evalkit.sheets.columns import COLUMNS, cells_of, safe_cell

HINTS = {
    "label": f"label ({', '.join(LABEL_VALUES)})",
    "failure_kind": f"failure_kind (if wrong: {', '.join(FAILURE_KINDS)})",
    "note": "note (why; if you like)",
    "reviewer": "reviewer (your name)",
}

SHOWN = ("category", "probe", "prompt", "expected", "thinking", "answer")
_TRUTH = re.compile(
    "true|false|wahr|falsch|vrai|faux|verdadero|falso|vero|verdadeiro|waar|onwaar|prawda|fałsz|sant|falskt",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")
MOST_WORDS = 3
"""A date has no more: ``Wednesday, 30 September 2026, 12:30 PM``."""


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


def kept_as_text(cell: str) -> str:
    """The cell with an apostrophe in front where a spreadsheet would show it as a number, a date or a truth value.

    Who opens a CSV file is shown 7 for 007 and 4 March for 3/4, and would judge that.
    """
    plain = cell.strip()
    if "\n" in plain or plain.startswith("'"):
        return cell
    is_number_like = any(character.isnumeric() for character in plain) and len(_WORD.findall(plain)) <= MOST_WORDS
    return f"'{cell}" if is_number_like or _TRUTH.fullmatch(plain) else cell
