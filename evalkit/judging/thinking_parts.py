"""The two parts of a text, thinking and answer, put together from their pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from evalkit.judging.masking import Extent

LATE_AFTER_CHARS = 40
_WORD = re.compile(r"\w")
_HEADING = re.compile(
    r"^[ \t]*(?:\*\*|#{1,4} )[A-Z][a-z]+ing\b[^*\n]{0,80}(?:\*\*)?[ \t]*\n+[ \t]*"
    r"(?:I\b|We\b|My\b|Now\b|Okay\b|Let\b|So\b|The user\b)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Segments:
    """A text in two parts, both trimmed; several pieces of a part are joined by one line break.

    ``pieces`` says where the answer stands: for each piece its place in ``answer``, then its place in the text.
    ``flags``: ``implicit`` (a closing tag only), ``unclosed`` (thinking to the end), ``late`` (thinking after more
    than 40 visible characters), ``multiple``, ``empty`` (blocks without a word), ``untagged`` (what reads like
    thinking stands in the answer).
    """

    thinking: str
    answer: str
    pieces: tuple[tuple[int, int], ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def start(self) -> int:
        """Where the answer begins in the text."""
        return self.pieces[0][1] if self.pieces else 0


@dataclass(slots=True)
class Draft:
    """The parts found so far, each a list of blocks, each block a list of extents."""

    text: str
    thoughts: list[list[Extent]] = field(default_factory=list)
    answer: list[list[Extent]] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    _said: int = 0

    def say(self, extents: list[Extent]) -> None:
        """A block of the answer."""
        self.answer.append(extents)
        if self._said <= LATE_AFTER_CHARS:
            self._said += sum(len(self.text[start:end].strip()) for start, end in extents)

    def think(self, extents: list[Extent], *, is_closed: bool) -> None:
        """A block of the thinking; only the last one can be open."""
        self.thoughts.append(extents)
        if not is_closed:
            self.flags.append("unclosed")
        if self._said > LATE_AFTER_CHARS and "late" not in self.flags:
            self.flags.append("late")

    def finished(self) -> Segments:
        thinking = "\n".join(part for part, _ in _trimmed_blocks(self.text, self.thoughts))
        pieces: list[tuple[int, int]] = []
        parts: list[str] = []
        length = 0
        for part, places in _trimmed_blocks(self.text, self.answer):
            pieces += [(length + offset, place) for offset, place in places]
            parts.append(part)
            length += len(part) + 1
        answer = "\n".join(parts)
        if len(self.thoughts) > 1:
            self.flags.append("multiple")
        if self.thoughts and not _WORD.search(thinking):
            self.flags.append("empty")
        if not self.thoughts and _is_untagged(answer):
            self.flags.append("untagged")
        return Segments(thinking, answer, tuple(pieces) or ((0, len(self.text)),), tuple(self.flags))


def all_answer(text: str) -> Segments:
    """What a ``Draft`` comes to whose only block is an answer of the whole text."""
    answer = text.strip()
    place = len(text) - len(text.lstrip()) if answer else len(text)
    return Segments("", answer, ((0, place),), ("untagged",) if _is_untagged(answer) else ())


def _trimmed_blocks(text: str, blocks: Iterable[list[Extent]]) -> Iterable[tuple[str, list[tuple[int, int]]]]:
    """Each block that holds anything: its trimmed text, and where its extents begin, in it and in the text."""
    for block in blocks:
        raw = "".join(text[start:end] for start, end in block)
        trimmed = raw.strip()
        if not trimmed:
            continue
        first = len(raw) - len(raw.lstrip())
        last = first + len(trimmed)
        places: list[tuple[int, int]] = []
        position = 0
        for start, end in block:
            size = end - start
            if size and position < last and position + size > first:
                places.append((max(position, first) - first, start + max(0, first - position)))
            position += size
        yield trimmed, places


def _is_untagged(answer: str) -> bool:
    """Whether an answer begins with two headed paragraphs of the kind that summarises thinking."""
    first = _HEADING.match(answer)
    return first is not None and _HEADING.search(answer, first.end()) is not None
