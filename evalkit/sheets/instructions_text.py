"""The instructions beside review.csv, which has no place for them that survives a spreadsheet."""

from __future__ import annotations

from textwrap import fill

from evalkit.reporting.safe_text import utf8_safe
from evalkit.sheets.instructions import INSTRUCTIONS

WIDTH = 96
INDENT = "    "
OPENING = (
    (
        "Opening review.csv",
        "Any spreadsheet program reads it. Where all of a row stands in one column, as in Excel where commas are "
        "decimal, take Data > From Text/CSV instead, with UTF-8 and the comma. Texts that a spreadsheet would take for "
        "a formula, a number or a date begin with an apostrophe; it is not part of them. Where numbers or signs look "
        "wrong to you, the page review.html has the text as it is.",
    ),
)


def instructions_text(title: str) -> bytes:
    """review-instructions.txt, for any editor: UTF-8 with the line ends of Windows."""
    parts = [utf8_safe(title)]
    for head, text in (*OPENING, *INSTRUCTIONS):
        parts.append(f"{head}\n{fill(text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)}")
    return ("\n\n".join(parts) + "\n").replace("\n", "\r\n").encode()
