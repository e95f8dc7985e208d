"""The columns of a spreadsheet of review items."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.reporting.safe_text import for_csv
from evalkit.reporting.summary import DEMO_STAMP
from evalkit.review import ReviewItem
from evalkit.sheets.instructions import expected_in_words
from evalkit.sheets.tickets import ticket_of

COLUMNS = (
    "no", "category", "probe", "prompt", "expected", "thinking", "answer",
    "label", "failure_kind", "note", "reviewer", "stamp", "do_not_edit",
)  # fmt: skip
TO_FILL = ("label", "failure_kind", "note", "reviewer")

OTHER_NAMES = {
    "human_label": "label",
    "human_failure_kind": "failure_kind",
    "kind": "failure_kind",
    "human_note": "note",
    "notes": "note",
    "comment": "note",
    "author": "reviewer",
    "annotator": "reviewer",
    "inclusion_probability": "inclusion",
    "ticket": "do_not_edit",
}
KNOWN = (*TO_FILL, "do_not_edit", "text_hash", "trial", "run", "stratum", "inclusion", "at", "seconds", "blind")
"""The columns that are read back; all others are there for the reviewer."""


def column_name(header: str) -> str:
    """The column that a header cell names: ``Label (correct, wrong, …)`` is ``label``."""
    name = header.partition("(")[0].partition(":")[0].strip().lower().replace(" ", "_").replace("-", "_")
    return OTHER_NAMES.get(name, name)


def conversation(messages: Sequence[tuple[str, str]]) -> str:
    """What led to the answer: the bare prompt, or every message with its role where there are several."""
    if len(messages) == 1:
        return messages[0][1]
    return "\n\n".join(f"{role}: {content}" for role, content in messages)


def cells_of(item: ReviewItem, number: int) -> dict[str, str]:
    """The item's row by column, without the model and the verdict; not yet made safe for a format."""
    return {
        "no": str(number),
        "category": item.category,
        "probe": item.probe,
        "prompt": conversation(item.messages),
        "expected": expected_in_words(item.expected),
        "thinking": item.thinking,
        "answer": item.answer,
        **dict.fromkeys(TO_FILL, ""),
        "stamp": DEMO_STAMP if item.is_demo else "",
        "do_not_edit": ticket_of(item),
    }


def safe_cell(text: str) -> str:
    """The text as a cell that is no formula; what was cut is whole in review.html."""
    return for_csv(text.replace("\ufffe", "").replace("\uffff", ""), "review.html")


def undone(cell: str) -> str:
    """The text of a cell that ``safe_cell`` or a reviewer defused with an apostrophe."""
    return cell[1:] if cell.startswith("'") and for_csv(cell[1:]) == f"{cell}" else cell
