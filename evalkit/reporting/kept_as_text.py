"""Cells of a CSV file that a spreadsheet would show otherwise than they are."""

from __future__ import annotations

import re

_TRUTH = re.compile(
    "true|false|wahr|falsch|vrai|faux|verdadero|falso|vero|verdadeiro|waar|onwaar|prawda|fałsz|sant|falskt",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")
MOST_WORDS = 3
"""A date has no more: ``Wednesday, 30 September 2026, 12:30 PM``."""


def kept_as_text(cell: str) -> str:
    """The cell with an apostrophe in front where a spreadsheet would show it as a number, a date or a truth value.

    Who opens a CSV file is shown 7 for 007 and 4 March for 3/4, and would judge that.
    """
    plain = cell.strip()
    if "\n" in plain or plain.startswith("'"):
        return cell
    is_number_like = any(character.isnumeric() for character in plain) and len(_WORD.findall(plain)) <= MOST_WORDS
    return f"'{cell}" if is_number_like or _TRUTH.fullmatch(plain) else cell
