"""Cells of a CSV file that a spreadsheet would show otherwise than they are."""

from __future__ import annotations

import re

_TRUTH = re.compile(
    "true|false|wahr|falsch|vrai|faux|verdadero|falso|vero|verdadeiro|waar|onwaar|prawda|fałsz|sant|falskt",
    re.IGNORECASE,
)
_LONGEST_TRUTH = max(map(len, _TRUTH.pattern.split("|")))
_WORD = re.compile(r"[^\W\d_]{2,}")
MOST_WORDS = 3
"""A date has no more: ``Wednesday, 30 September 2026, 12:30 PM``."""
_BEGINNING = 32
"""Characters that are looked at first: a text that has too many words in them for a date is none."""


def kept_as_text(cell: str) -> str:
    """The cell with an apostrophe in front where a spreadsheet would show it as a number, a date or a truth value.

    Who opens a CSV file is shown 7 for 007 and 4 March for 3/4, and would judge that.
    """
    plain = cell.strip()
    if not plain or "\n" in plain or plain.startswith("'"):
        return cell
    if _has_few_words(plain) and any(map(str.isnumeric, plain)):
        return f"'{cell}"
    return f"'{cell}" if len(plain) <= _LONGEST_TRUTH and _TRUTH.fullmatch(plain) else cell


def _has_few_words(plain: str) -> bool:
    if len(_WORD.findall(plain, 0, _BEGINNING)) > MOST_WORDS:
        return False
    return len(plain) <= _BEGINNING or len(_WORD.findall(plain)) <= MOST_WORDS
