"""Lines laid out by how wide they look, not by how many characters they hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from tabulate import tabulate

MIN_LABEL_WIDTH = 8


@dataclass(frozen=True, slots=True)
class Column:
    """A column of figures: short ASCII-width cells, right-aligned."""

    header: str
    cells: tuple[str, ...]


def display_width(text: str) -> int:
    """Terminal cells a text takes: wide East Asian characters two, combining marks none."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def cut(text: str, width: int) -> str:
    """The text, or its beginning and … where it is wider than ``width``."""
    return text if display_width(text) <= width else _head(text, width - 1) + "…"


def squeezed(text: str, width: int) -> str:
    """The text, or its two ends with … between them: what tells labels apart is often at the end."""
    if display_width(text) <= width:
        return text
    left = width // 2
    return _head(text, left) + "…" + _head(text[::-1], width - 1 - left)[::-1]


def padded(text: str, width: int) -> str:
    """The text filled with blanks to ``width``."""
    return text + " " * (width - display_width(text))


def folded(text: str, width: int, indent: int = 0) -> list[str]:
    """The text in lines of at most ``width``, all but the first indented; words too long for a line are broken."""
    lines, line, used = [], "", 0
    margin = " " * indent
    for word in text.split():
        wide = display_width(word)
        if line.strip() and used + 1 + wide <= width:
            line, used = f"{line} {word}", used + 1 + wide
            continue
        if line.strip():
            lines.append(line)
            line, used = margin, indent
        *whole, rest = _pieces(word, width - used, width - indent) if used + wide > width else [word]
        for piece in whole:
            lines.append(line + piece)
            line = margin
        line, used = line + rest, display_width(line) + display_width(rest)
    return [*lines, line] if line.strip() else lines


def _pieces(word: str, first: int, room: int) -> list[str]:
    """The word in pieces of ``first`` cells, then ``room`` each; a piece holds two cells at least."""
    pieces, start, taken, most = [], 0, 0, max(first, 2)
    for place, character in enumerate(word):
        taken += _width(character)
        if taken > most:
            pieces.append(word[start:place])
            start, taken, most = place, _width(character), max(room, 2)
    return [*pieces, word[start:]]


def _head(text: str, width: int) -> str:
    taken = 0
    for position, character in enumerate(text):
        taken += _width(character)
        if taken > width:
            return text[:position]
    return text


def table(label_header: str, labels: Sequence[str], columns: Sequence[Column], width: int) -> list[str]:
    """Header, rule, then one line per label, within ``width``: the labels give way, from the middle.

    The labels are put beside the figures here, because tabulate counts characters and not how wide they are.
    """
    # Header and rule go in as rows: tabulate widens a column by two for a header given as such.
    cells = zip(*((column.header, "-" * _column_width(column), *column.cells) for column in columns), strict=True)
    alignment = ["right"] * len(columns)
    figures = tabulate(list(cells), tablefmt="plain", disable_numparse=True, colalign=alignment).splitlines()
    room = max(width - figures_width(columns), MIN_LABEL_WIDTH)
    label_width = min(max(display_width(label) for label in (label_header, *labels)), room)
    left = [label_header, "-" * label_width, *labels]
    pairs = zip(left, figures, strict=True)
    return [f"{padded(squeezed(label, label_width), label_width)}  {line}".rstrip() for label, line in pairs]


def figures_width(columns: Sequence[Column]) -> int:
    """What a table takes beside its labels."""
    return sum(2 + _column_width(column) for column in columns)


def _column_width(column: Column) -> int:
    return max(map(len, (column.header, *column.cells)))
