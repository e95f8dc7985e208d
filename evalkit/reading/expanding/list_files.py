"""Files of values for ``expand:``, a YAML list or one value a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from evalkit.errors import Problem, UnreadableFile
from evalkit.reading.complaints import complaint
from evalkit.reading.named_files import UnusableFile
from evalkit.reading.suggestions import shortened
from evalkit.reading.yaml_nodes import Document, decoded, parse_yaml, read_bytes
from evalkit.reading.yaml_parts import FieldPath
from evalkit.workspace import PROBE_SUFFIXES, Workspace

TEXT_SUFFIX = ".txt"


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Where the values of a list stand: at a field of a document, or on these lines of a text file."""

    document: Document
    at: FieldPath = ()
    lines: tuple[int, ...] = ()

    def problem(self, path: FieldPath, message: str) -> Problem:
        """A Problem at the field ``path`` of the list; its first step is the value's index."""
        if self.lines:
            return Problem(self.document.file, message, self.line(path))
        return self.document.problem((*self.at, *path), message)

    def line(self, path: FieldPath) -> int:
        return self.lines[int(path[0])] if self.lines else self.document.line((*self.at, *path))

    def raw(self, path: FieldPath) -> str | None:
        return None if self.lines else self.document.raw((*self.at, *path))


@dataclass(frozen=True, slots=True)
class FileOfValues:
    """The values of a file, where each stands, and the sha256 (hex) of the file."""

    values: Sequence[Any]
    place: ListPlace
    digest: str


def read_list_file(file: Path, name: str, workspace: Workspace) -> FileOfValues:
    """What the file holds. In a text file blank lines are left out.

    Raises:
        UnusableFile: its name ends otherwise than .yaml, .yml or .txt.
        UnreadableFile: it is no YAML list, no UTF-8, or too large.
    """
    shown = workspace.shown(file)
    if file.suffix not in (*PROBE_SUFFIXES, TEXT_SUFFIX):
        raise UnusableFile(
            f"expected a .yaml, .yml or .txt file, found {shortened(name)!r}. Save the list as one of these."
        )
    content = read_bytes(file, shown)
    digest = sha256(content).hexdigest()
    if file.suffix == TEXT_SUFFIX:
        lines = enumerate(decoded(content, shown).splitlines(), 1)
        values = [(number, line.strip()) for number, line in lines if line.strip()]
        place = ListPlace(Document(shown, None), lines=tuple(number for number, _ in values))
        return FileOfValues([line for _, line in values], place, digest)
    document = parse_yaml(content, shown)
    if document.flaws:
        raise UnreadableFile(document.flaw_problems())
    if not isinstance(document.data, list):
        message = f"{complaint('a list', document.data, document.raw(()))} Begin each value with a hyphen."
        raise UnreadableFile([document.problem((), message)])
    return FileOfValues(document.data, ListPlace(document), digest)
