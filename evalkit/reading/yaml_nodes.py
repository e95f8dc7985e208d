"""YAML as plain data with the line of every field, read safely within bounds."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.errors import Problem, UnreadableFile
from evalkit.reading.suggestions import shortened
from evalkit.reading.yaml_errors import Unparsable
from evalkit.reading.yaml_events import MAX_FILE_BYTES, build
from evalkit.reading.yaml_parts import FieldPath, Flaw, Node

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: plain ``data``, where everything in it stands, and the ``flaws`` its syntax hides.

    Flaws are mistakes that leave the rest of the file readable: a duplicate key, a bare date, a YAML tag.
    """

    file: str
    data: Any
    flaws: tuple[Flaw, ...] = ()
    root: Node = field(default_factory=lambda: Node(1), repr=False)

    def line(self, path: FieldPath) -> int:
        """1-based line of the field, or of the innermost field around it that the file holds."""
        return self._node(path).line

    def raw(self, path: FieldPath) -> str | None:
        """The characters of a bare scalar that YAML did not read as text, else None."""
        return self._node(path).raw

    def problem(self, path: FieldPath, message: str) -> Problem:
        """A Problem at the field, for an UnreadableFile."""
        return Problem(self.file, message, self.line(path), shown_path(path))

    def flaw_problems(self) -> tuple[Problem, ...]:
        """The flaws as Problems, in the order of the file."""
        return tuple(self.flaw_problem(flaw) for flaw in self.flaws)

    def flaw_problem(self, flaw: Flaw) -> Problem:
        """One of the flaws as a Problem."""
        return Problem(self.file, flaw.message, flaw.line, shown_path(flaw.path))

    def _node(self, path: FieldPath) -> Node:
        node = self.root
        for step in path:
            inner = node.children.get(step) if node.children else None
            if inner is None:
                break
            node = inner
        return node


def read_yaml(path: Path, shown: str) -> Document:
    """The file's document, without a flaw.

    Raises:
        UnreadableFile: it cannot be opened, is no YAML, is outside the bounds, or holds a flaw.
    """
    document = read_flawed_yaml(path, shown)
    if document.flaws:
        raise UnreadableFile(document.flaw_problems())
    return document


def read_flawed_yaml(path: Path, shown: str) -> Document:
    """The file's document, its flaws beside the data, so that what is not touched by them can still be used.

    Raises:
        UnreadableFile: it cannot be opened, is no YAML or is outside the bounds.
    """
    return parse_yaml(read_bytes(path, shown), shown)


def parse_yaml(content: bytes, shown: str) -> Document:
    """The document that these bytes hold; ``shown`` names the file in messages.

    Raises:
        UnreadableFile: they are no YAML or outside the bounds.
    """
    text = decoded(content, shown)
    unprintable = _UNPRINTABLE.search(text)
    if unprintable is not None:
        name = f"U+{ord(unprintable.group()):04X}"
        message = f"found the control character {name}, which YAML does not allow. Remove it."
        raise UnreadableFile([Problem(shown, message, text.count("\n", 0, unprintable.start()) + 1)])
    try:
        data, root, flaws = build(text)
    except Unparsable as error:
        path = None if error.path is None else shown_path(error.path)
        raise UnreadableFile([Problem(shown, error.message, error.line, path)]) from None
    return Document(shown, data, tuple(flaws), root)


def read_bytes(path: Path, shown: str) -> bytes:
    """The bytes of a regular file of at most MAX_FILE_BYTES.

    Raises:
        UnreadableFile: there is no such file, it is too large, or it cannot be opened.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise UnreadableFile([Problem(shown, "expected a file, found a folder or a device.")])
        if facts.st_size > MAX_FILE_BYTES:
            message = f"found {facts.st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read. Split the file."
            raise UnreadableFile([Problem(shown, message)])
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile([Problem(shown, f"cannot be opened: {error.strerror or error}.")]) from None


def decoded(content: bytes, shown: str) -> str:
    """The UTF-8 text of these bytes, without a byte order mark.

    Raises:
        UnreadableFile: they are not UTF-8; the message holds the offset of the first wrong byte.
    """
    if content.startswith(_UTF16_BOMS):
        raise UnreadableFile([Problem(shown, "found UTF-16 text. Save the file as UTF-8.", 1)])
    try:
        return content.removeprefix(_UTF8_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        offset = error.start + (len(_UTF8_BOM) if content.startswith(_UTF8_BOM) else 0)
        message = f"expected UTF-8 text, found the byte 0x{content[offset]:02x} at offset {offset}. Save it as UTF-8."
        raise UnreadableFile([Problem(shown, message, content.count(b"\n", 0, offset) + 1)]) from None


def shown_path(path: FieldPath) -> str:
    """A field's path as messages write it: ``$.probes[3].turns[1].user``."""
    shown = "$"
    for step in path:
        if isinstance(step, int):
            shown += f"[{step}]"
        else:
            name = shortened(step)
            shown += f".{name}" if _PLAIN_KEY.match(step) else f"[{name!r}]"
    return shown
