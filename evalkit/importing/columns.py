"""Rows with named columns, CSV or JSONL, as drafts: which column gives which key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalkit.errors import UsageError
from evalkit.importing.drafts import Draft, Drafts
from evalkit.importing.rows import Row, csv_rows, json_rows
from evalkit.reading.suggestions import did_you_mean

PLAIN_KEYS = ("subcategory", "language", "cluster", "why", "license", "author")
TEXT_EXPECTATIONS = ("behaviour", "recommendation", "choice")
LIST_EXPECTATIONS = ("must_say", "must_not_say", "contains", "contains_any", "not_contains", "equals")
PATTERN_EXPECTATIONS = ("regex", "not_regex")
COUNT_EXPECTATIONS = ("min_words", "max_words", "min_chars", "max_chars")
KEYS = (
    "prompt", "id", "category", "system", "tags", *PLAIN_KEYS, *TEXT_EXPECTATIONS, *LIST_EXPECTATIONS,
    *PATTERN_EXPECTATIONS, "number", *COUNT_EXPECTATIONS,
)  # fmt: skip
BETWEEN = "|"
"""Separates the texts of a cell that holds several."""


def column_choice(pairs: Sequence[str]) -> dict[str, str]:
    """KEY=COLUMN of the command line as key → column.

    Raises:
        UsageError: a pair is none, or names no key.
    """
    chosen: dict[str, str] = {}
    for pair in pairs:
        key, given, column = pair.partition("=")
        if not given or not column:
            raise UsageError(f"--column {pair}: expected KEY=COLUMN, such as prompt=question.")
        if key not in KEYS:
            raise UsageError(f"--column {pair}: there is no key {key!r}. {did_you_mean(key, KEYS)}")
        chosen[key] = column
    return chosen


def read_columns(files: Sequence[Path], chosen: Mapping[str, str], *, is_csv: bool) -> Drafts:
    """A draft of every row. A column that bears a key's own name needs no mention.

    Raises:
        UsageError: a column that was named, or the prompt's, is in no row.
    """
    rows = [row for file in files for row in (csv_rows(file) if is_csv else json_rows(file))]
    present = dict.fromkeys(name for _, row in rows for name in row)
    for key, column in chosen.items():
        if column not in present:
            raise UsageError(
                f"--column {key}={column}: no row has a column {column!r}. {did_you_mean(column, present)}"
            )
    columns = {key: chosen.get(key, key) for key in KEYS if key in chosen or key in present}
    if rows and "prompt" not in columns:
        named = ", ".join(present)
        raise UsageError(f"{files[0]}: no column is named prompt. Say which one is: --column prompt=COLUMN ({named})")
    drafts = Drafts()
    used = set(columns.values())
    for row in rows:
        drafts.unknown.update(name for name in row[1] if name not in used)
        _add(drafts, row, columns)
    return drafts


def _add(drafts: Drafts, row: Row, columns: Mapping[str, str]) -> None:
    place, cells = row
    given = {key: cells[column] for key, column in columns.items() if cells.get(column) not in (None, "", [])}
    prompt = given.pop("prompt", None)
    if not isinstance(prompt, str) or not prompt.strip():
        drafts.leave_out(place, f"there is no text under {columns['prompt']!r}, which gives the prompt.")
        return
    try:
        expect = _expectation(given)
    except ValueError as error:
        drafts.leave_out(place, str(error))
        return
    keys: dict[str, Any] = {key: str(given[key]) for key in PLAIN_KEYS if key in given}
    if "tags" in given:
        keys["tags"] = [part.strip() for part in _texts(given["tags"], ",") if part.strip()]
    if "system" in given:
        keys["turns"] = [{"system": str(given["system"])}, {"user": prompt}, "generate"]
    else:
        keys["prompt"] = prompt
    if expect:
        keys["expect"] = expect
    identity, category = given.get("id"), given.get("category")
    drafts.probes.append(
        Draft(place, None if identity is None else str(identity), None if category is None else str(category), keys)
    )


def _expectation(given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ValueError with a sentence where a cell is of the wrong kind."""
    expect: dict[str, Any] = {key: str(given[key]) for key in TEXT_EXPECTATIONS if key in given}
    if "recommendation" in expect:
        expect["recommendation"] = expect["recommendation"].strip().upper()
        if expect["recommendation"] not in ("BLOCK", "PASS", "LIMIT"):
            raise ValueError(f"expected BLOCK, PASS or LIMIT as recommendation, found {given['recommendation']!r}.")
    expect |= {key: _texts(given[key], BETWEEN) for key in LIST_EXPECTATIONS if key in given}
    expect |= {key: _texts(given[key]) for key in PATTERN_EXPECTATIONS if key in given}
    if "number" in given:
        expect["number"] = _number(given["number"], "number")
    for key in COUNT_EXPECTATIONS:
        if key in given:
            value = _number(given[key], key)
            if value != int(value) or value < 0:
                raise ValueError(f"expected a whole number as {key}, found {given[key]!r}.")
            expect[key] = int(value)
    return expect


def _texts(cell: Any, between: str | None = None) -> list[str]:
    if isinstance(cell, list):
        return [str(item) for item in cell]
    if between is None or between not in str(cell):
        return [str(cell)]
    return [part.strip() for part in str(cell).split(between) if part.strip()]


def _number(cell: Any, key: str) -> float | int:
    try:
        value = float(str(cell).replace(" ", ""))
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise ValueError(f"expected a number as {key}, found {cell!r}.")
    return int(value) if value == int(value) else value
