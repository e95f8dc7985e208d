"""Parts of a text that only quote: code, tables, quotation marks; as spans, and blanked without moving a character."""

from __future__ import annotations

import re
from collections.abc import Iterable

Extent = tuple[int, int]

_FENCE = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})")
_INLINE_CODE = re.compile(r"(?<!`)(`{1,2})(?!`)[^`\n]{1,400}?\1(?!`)")
_TABLE_LINE = re.compile(r"^[ \t]*\|.*$", re.MULTILINE)
_QUOTATIONS = (
    ('"', re.compile(r'"[^"\n]{1,600}"')),
    ("“", re.compile(r"“[^”\n]{1,600}”")),
    ("«", re.compile(r"«[^»\n]{1,600}»")),
    ("‘", re.compile(r"‘[^’\n]{1,300}’(?!\w)")),
    ("'", re.compile(r"(?<![\w'])'[^'\n]{1,300}'(?![\w'])")),
    (">", re.compile(r"^[ \t]*>.*$", re.MULTILINE)),
)
"""Each with the mark that it cannot do without."""
_WHOLE = 0.8


def fenced_blocks(text: str) -> tuple[list[Extent], int | None]:
    """Extents of closed code fences, fence lines included, and where an unclosed one starts.

    A fence opens and closes at the start of a line; the closing one is at least as long (CommonMark).
    """
    if "```" not in text and "~~~" not in text:
        return [], None
    blocks: list[Extent] = []
    opened: tuple[int, str] | None = None
    position = 0
    for line in text.splitlines(keepends=True):
        found = _FENCE.match(line)
        if found is not None:
            mark = found.group(1)
            if opened is None:
                opened = (position, mark)
            elif mark.startswith(opened[1]) and not line[found.end() :].strip():
                blocks.append((opened[0], position + len(line)))
                opened = None
        position += len(line)
    return blocks, None if opened is None else opened[0]


def code_extents(text: str) -> list[Extent]:
    """Closed fences, inline code, and everything after a fence that was never closed."""
    if "`" not in text and "~~~" not in text:
        return []
    blocks, unclosed = fenced_blocks(text)
    if unclosed is not None:
        blocks = [*blocks, (unclosed, len(text))]
    outside = blank(text, blocks)
    return sorted([*blocks, *(found.span() for found in _INLINE_CODE.finditer(outside))])


def table_extents(text: str) -> list[Extent]:
    """Lines of a Markdown table."""
    return [found.span() for found in _TABLE_LINE.finditer(text)] if "|" in text else []


def quotation_extents(text: str) -> list[Extent]:
    """What stands in quotation marks or in a block quotation; nothing if that is nearly the whole text."""
    found = [match.span() for mark, pattern in _QUOTATIONS if mark in text for match in pattern.finditer(text)]
    longest = max((end - start for start, end in found), default=0)
    return [] if longest >= _WHOLE * len(text.strip()) else sorted(found)


def blank(text: str, extents: Iterable[Extent]) -> str:
    """The text with those extents as spaces; line ends stay, so every other character keeps its place."""
    places = sorted(extents)
    if not places:
        return text
    pieces: list[str] = []
    position = 0
    for start, end in places:
        if end <= position:
            continue
        start = max(start, position)
        pieces.append(text[position:start])
        pieces.append("\n".join([" " * len(line) for line in text[start:end].split("\n")]))
        position = end
    pieces.append(text[position:])
    return "".join(pieces)
