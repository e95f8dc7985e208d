"""Rows of a table with a header: which column is which, and each row's fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from evalkit.errors import Problem
from evalkit.reading.suggestions import nearest, shortened
from evalkit.review import LABEL_VALUES
from evalkit.sheets.columns import KNOWN, column_name, undone
from evalkit.sheets.fields import Unsound, row_of
from evalkit.sheets.records import Record, csv_records
from evalkit.sheets.rows import SheetRow
from evalkit.sheets.tickets import START, read_ticket

HEADER_WITHIN = 20
FIRST_MEANING = f"label: {LABEL_VALUES[0]}"
"""Begins the meanings of labels in the instructions."""
IDENTITIES = ("do_not_edit", "text_hash", "trial")


def header_of(records: Sequence[Record]) -> Record | None:
    """The first of the first rows that names the label and what it belongs to."""
    return next((record for record in records[:HEADER_WITHIN] if _is_header(record.cells)), None)


def _is_header(cells: Iterable[str]) -> bool:
    names = {column_name(cell) for cell in cells}
    return "label" in names and bool(names.intersection(IDENTITIES))


def known_columns(records: Sequence[Record]) -> int:
    """How many columns of the likeliest header are known."""
    return max(
        (sum(column_name(cell) in KNOWN for cell in record.cells) for record in records[:HEADER_WITHIN]), default=0
    )


def no_header(records: Sequence[Record], shown: str) -> Problem:
    """Which column the likeliest header lacks, and which one it may be."""
    if not records:
        return Problem(shown, "the file is empty.")
    cells = [cell for record in records[:HEADER_WITHIN] for cell in record.cells]
    if FIRST_MEANING in map(str.strip, cells):
        return Problem(
            shown,
            "these are the instructions, and the labels are in another sheet. Import review.csv or review.xlsx "
            "themselves; who saves a workbook as CSV saves its sheet Review.",
        )
    if any(_is_header(row.cells) for cell in cells for row in islice(csv_records(cell.rstrip(";\t|"), ","), 1)):
        return Problem(
            shown,
            "all columns stand in one, so no label is in its place. Open the sheet as it was written with Data > From "
            "Text/CSV, UTF-8 and the comma, or take review.xlsx, and fill it in there.",
            records[0].line,
        )
    likely = max(records[:HEADER_WITHIN], key=lambda record: known_columns([record]))
    headers = [cell.strip() for cell in likely.cells if cell.strip()]
    names = {column_name(cell) for cell in headers}
    missing = "do_not_edit" if "label" in names else "label"
    near = nearest(missing, [name for name in headers if column_name(name) not in KNOWN])
    hint = f"Rename {near!r} to {missing!r}." if near else "Write the header as it was in the sheet."
    seen = shortened(", ".join(headers), 120)
    return Problem(shown, f"the column {missing!r} is missing; found {seen}. {hint}", likely.line)


def table_rows(records: Iterable[Record], header: Record, shown: str) -> Iterator[SheetRow | Problem]:
    """Each labelled row below the header, or what is wrong with it."""
    columns: dict[str, list[int]] = {}
    for place, cell in enumerate(header.cells):
        columns.setdefault(column_name(cell), []).append(place)
    for record in records:
        if record.line <= header.line:
            continue
        try:
            row = _row(record, columns, len(header.cells), shown)
        except Unsound as error:
            yield Problem(shown, str(error), record.line, error.field or None)
            continue
        if row is not None:
            yield row


def _row(record: Record, columns: dict[str, list[int]], width: int, shown: str) -> SheetRow | None:
    if record.problem:
        raise Unsound("", record.problem)
    fields = {name: _cell(record, columns[name], name) for name in KNOWN if name in columns}
    is_shifted = any(cell.strip() for cell in record.cells[width:]) or _is_ticket_elsewhere(record, columns)
    if not is_shifted and not any(fields.get(name) for name in ("label", "failure_kind", "note")):
        return None
    if is_shifted:
        raise Unsound(
            "",
            f"the cells are not under their headers: there are {len(record.cells)} of them, and {width} headers. A "
            "text that holds a comma, a semicolon or a line end needs quotation marks around it.",
        )
    return row_of({**fields, **_identity(fields, columns)}, shown, record.line)


def _is_ticket_elsewhere(record: Record, columns: dict[str, list[int]]) -> bool:
    """Whether a cell was lost or split before the ticket, so that the label is not under its header either."""
    places = columns.get("do_not_edit", [])
    return bool(places) and any(
        cell.startswith(START) and place not in places and read_ticket(cell) is not None
        for place, cell in enumerate(record.cells)
    )


def _cell(record: Record, places: Sequence[int], name: str) -> str:
    """What the row says under a name; columns of the same name may not disagree."""
    values = {undone(record.cells[place].strip()) for place in places if place < len(record.cells)} - {""}
    if len(values) > 1:
        raise Unsound(name, f"two columns of this name disagree: {' and '.join(map(repr, sorted(values)))}. Empty one.")
    return values.pop() if values else ""


def _identity(fields: dict[str, str], columns: dict[str, list[int]]) -> dict[str, object]:
    """What the ticket says; a table without tickets names trials or texts itself."""
    ticket = fields.get("do_not_edit", "")
    if ticket:
        said = read_ticket(ticket)
        if said is None:
            raise Unsound(
                "do_not_edit",
                f"the cell was changed or cut: {shortened(repr(ticket), 40)}. Copy it from the sheet as it was "
                "written.",
            )
        return {**said, "blind": True}
    if "do_not_edit" in columns and not fields.get("text_hash") and not fields.get("trial"):
        raise Unsound(
            "do_not_edit", "it is empty, so nothing says which answer the label is for. Copy it from the sheet."
        )
    return {}
