"""What a YAML file is read into: fields with their places, and flaws."""

from __future__ import annotations

from dataclasses import dataclass

FieldPath = tuple[str | int, ...]


class Node:
    """Where a field stands: its 1-based line, its fields, and the raw characters of a bare non-text scalar."""

    __slots__ = ("children", "line", "raw")

    def __init__(self, line: int, raw: str | None = None) -> None:
        self.line = line
        self.raw = raw
        self.children: dict[str | int, Node] | None = None


@dataclass(frozen=True, slots=True)
class Flaw:
    """A mistake that leaves the rest of the file readable."""

    path: FieldPath
    line: int
    message: str
