"""What a column of an export holds, said once for every format and for the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["text", "integer", "number", "truth"]
Value = str | int | float | bool | None
Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column; an empty cell stands for what is not there, of whatever type."""

    name: str
    type: ColumnType
    meaning: str


@dataclass(frozen=True, slots=True)
class ExportTable:
    """Rows of plain values; every number is finite, every text whole and valid Unicode."""

    columns: tuple[ExportColumn, ...]
    rows: tuple[Row, ...]


def schema_lines(columns: tuple[ExportColumn, ...]) -> list[str]:
    """The columns as a Markdown table, as docs/reports.md has it."""
    body = [f"| `{column.name}` | {column.type} | {column.meaning} |" for column in columns]
    return ["| column | type | meaning |", "|---|---|---|", *body]
