"""The records of a CSV file, each with its line, and the way back to sound ones after a lost quotation mark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from evalkit.sheets.tickets import SHORTEST, TICKET, has_ticket

DELIMITERS = (",", ";", "\t", "|")
_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"')


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a table. ``problem`` says what broke it, ``""`` where it is whole."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""


def csv_records(text: str, delimiter: str) -> Iterator[Record]:
    """Every record that is not blank.

    A record that swallowed others, because a quotation mark is missing or too many, ends with the line of its own
    ticket; reading goes on after it.
    """
    at = counted = 0
    line = 1
    bare = re.compile(f"[^{re.escape(delimiter)}\r\n]*")
    while at < len(text):
        line, counted = line + _line_ends(text, counted, at), at
        cells, end, is_closed = _record(text, at, delimiter, bare)
        with_ticket = [cell for cell in cells if has_ticket(cell)]
        is_swallowing = len(with_ticket) > 1 or any("\n" in cell.strip() for cell in with_ticket)
        if not is_closed or is_swallowing:
            why = "a quotation mark is missing or too many in this row. Mend it, or copy the row from the sheet again."
            yield Record(line, cells, why)
            at = _after_own_line(text, at, end)
            continue
        at = end
        if any(cell.strip() for cell in cells):
            yield Record(line, cells)


def _record(text: str, at: int, delimiter: str, bare: re.Pattern[str]) -> tuple[tuple[str, ...], int, bool]:
    """The cells from ``at`` on, where the next record begins, and whether every quotation was closed."""
    cells: list[str] = []
    while True:
        cell = ""
        if text.startswith('"', at):
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                return (*cells, text[at + 1 :]), len(text), False
            cell, at = quoted[1].replace('""', '"'), quoted.end()
        rest = bare.match(text, at)
        if rest:
            cell, at = cell + rest[0], rest.end()
        cells.append(cell)
        if text.startswith(delimiter, at):
            at += 1
            continue
        return tuple(cells), at + (2 if text.startswith("\r\n", at) else 1), True


def _after_own_line(text: str, start: int, end: int) -> int:
    """Where the line ends that holds the record's first ticket, or its first line where it has none."""
    found = TICKET.finditer(text, start, end)
    ticket = next((one for one in found if len(one[0]) >= SHORTEST or has_ticket(one[0])), None)
    line_end = re.compile(r"\r\n|\r|\n").search(text, ticket.end() if ticket else start)
    return line_end.end() if line_end else len(text)


def _line_ends(text: str, start: int, end: int) -> int:
    feeds = text.count("\n", start, end)
    return feeds + text.count("\r", start, end) - text.count("\r\n", start, end)
