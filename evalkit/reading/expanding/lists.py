"""The named lists of ``expand:``, written in place or kept in files."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.errors import Problem, UnreadableFile
from evalkit.reading.complaints import complaint
from evalkit.reading.expanding.list_files import FileOfValues, ListPlace, read_list_file
from evalkit.reading.named_files import UnusableFile, named_file
from evalkit.reading.suggestions import did_you_mean, shortened
from evalkit.reading.yaml_nodes import Document
from evalkit.reading.yaml_parts import FieldPath
from evalkit.workspace import Workspace

Scalar = str | int | float
Value = Scalar | dict[str, Scalar]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_TAKEN_NAMES = frozenset(
    {"and", "or", "not", "if", "else", "in", "is", "true", "false", "none", "self", *keyword.kwlist}
)
_VALUE = "text, a number or a mapping of these"


@dataclass(frozen=True, slots=True)
class NamedList:
    """One list; ``fields`` are the keys of its values where they are mappings, else None."""

    name: str
    values: tuple[Value, ...]
    fields: tuple[str, ...] | None = None


@dataclass(slots=True)
class ListReader:
    """Reads the lists of one probe file's templates, each file of values once.

    ``digests`` are the sha256 (hex) of the files by path, as they were named.
    """

    document: Document
    folder: Path
    workspace: Workspace
    digests: dict[str, str] = field(default_factory=dict)
    _files: dict[Path, FileOfValues] = field(default_factory=dict)

    def read(self, raw: Any, at: FieldPath) -> tuple[tuple[NamedList, ...], list[Problem]]:
        """The lists that stand at ``at``, in the order written, and what is wrong with the others."""
        if not isinstance(raw, dict) or not raw:
            example = "a mapping of lists such as {city: [Paris, Lima]}"
            message = f"{complaint(example, raw, self.document.raw(at))} Name a list, or remove expand."
            return (), [self.document.problem(at, message)]
        lists, problems = [], []
        for name, values in raw.items():
            found = self._named(name, values, (*at, name))
            if isinstance(found, NamedList):
                lists.append(found)
            else:
                problems += found
        return tuple(lists), problems

    def _named(self, name: str, raw: Any, at: FieldPath) -> NamedList | list[Problem]:
        if not _NAME.match(name) or name.lower() in _TAKEN_NAMES:
            return [self.document.problem(at, _wrong_name(name))]
        if isinstance(raw, dict):
            source = self._from_file(raw, at)
            if isinstance(source, list):
                return source
            values, place = source
        elif isinstance(raw, list):
            values, place = raw, ListPlace(self.document, at)
        else:
            message = complaint("a list or {file: …}", raw, self.document.raw(at))
            remedy = f" Write [{shortened(raw)}]." if isinstance(raw, str) and raw else ""
            return [self.document.problem(at, message + remedy)]
        if not values:
            return [self.document.problem(at, f"the list {name!r} is empty. Add a value, or remove the list.")]
        problems = list(_value_problems(name, values, place))
        first = values[0]
        return problems or NamedList(name, tuple(values), tuple(first) if isinstance(first, dict) else None)

    def _from_file(self, raw: dict[str, Any], at: FieldPath) -> tuple[Sequence[Any], ListPlace] | list[Problem]:
        """The values that a file holds, or why there are none."""
        unknown = [key for key in raw if key != "file"]
        if unknown:
            message = f"unknown key {shortened(unknown[0])!r}. {did_you_mean(unknown[0], ['file'])}"
            return [self.document.problem((*at, unknown[0]), message)]
        where = (*at, "file")
        name = raw.get("file")
        if not isinstance(name, str) or not name:
            return [self.document.problem(where, complaint("the name of a text file", name, self.document.raw(where)))]
        try:
            file = named_file(name, self.folder, self.workspace)
            if file not in self._files:
                if self.workspace.is_probe_file(self.folder / name):
                    raise UnusableFile(
                        f"the file {shortened(name)!r} is read as a file of probes where it is. Move it to a folder "
                        "whose name starts with _, such as _data/."
                    )
                self._files[file] = read_list_file(file, name, self.workspace)
        except UnusableFile as error:
            return [self.document.problem(where, str(error))]
        except UnreadableFile as error:
            return list(error.problems)
        found = self._files[file]
        self.digests[str(self.folder / name)] = found.digest
        return found.values, found.place


def _wrong_name(name: str) -> str:
    if name.lower() in _TAKEN_NAMES:
        return f"the name {name!r} has a meaning of its own in placeholders. Choose another name."
    meant = re.sub(r"\W+", "_", name.strip(), flags=re.ASCII).strip("_")
    remedy = f"Did you mean {meant!r}?" if _NAME.match(meant) else "Start it with a letter."
    return f"expected a list's name of letters, digits and '_', found {shortened(name)!r}. {remedy}"


def _value_problems(name: str, values: Sequence[Any], place: ListPlace) -> Iterator[Problem]:
    """What is wrong with single values: their types, keys that differ, values that come twice."""
    first = values[0]
    seen: dict[Any, int] = {}
    for index, value in enumerate(values):
        if isinstance(value, dict) != isinstance(first, dict):
            kind = "a mapping" if isinstance(first, dict) else "text or a number"
            yield place.problem(
                (index,), complaint(f"{kind} like the first value of {name!r}", value, place.raw((index,)))
            )
            continue
        wrong = list(_wrong_scalars(value, index, place))
        if isinstance(first, dict) and not wrong and set(value) != set(first):
            wrong = [place.problem((index,), _other_keys(name, first, value))]
        yield from wrong
        if wrong:
            continue
        key = tuple(sorted((one, str(value[one])) for one in value)) if isinstance(value, dict) else str(value)
        if key in seen:
            shown = "this value" if isinstance(value, dict) else repr(shortened(str(value)))
            message = (
                f"{shown} is in the list {name!r} twice; the first is at line {place.line((seen[key],))}. Keep one."
            )
            yield place.problem((index,), message)
        seen.setdefault(key, index)


def _wrong_scalars(value: Any, index: int, place: ListPlace) -> Iterator[Problem]:
    if not isinstance(value, dict):
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            yield place.problem((index,), complaint(_VALUE, value, place.raw((index,))))
        return
    if not value:
        yield place.problem((index,), complaint(_VALUE, value, None))
    for key, inner in value.items():
        if not _NAME.match(key):
            yield place.problem((index, key), _wrong_name(key).replace("a list's name", "a key"))
        elif isinstance(inner, bool) or not isinstance(inner, (str, int, float)):
            yield place.problem((index, key), complaint("text or a number", inner, place.raw((index, key))))


def _other_keys(name: str, first: dict[str, Any], value: dict[str, Any]) -> str:
    """The keys of a value differ from those of the first one."""
    extra = [key for key in value if key not in first]
    if extra:
        return f"unknown key {shortened(extra[0])!r} in a value of {name!r}. {did_you_mean(extra[0], first)}"
    missing = [key for key in first if key not in value]
    return f"the key {missing[0]!r} is missing, which the first value of {name!r} has. Add it."
