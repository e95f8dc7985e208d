"""Suites as they were read before, kept until a file that they come from changes."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import evalkit
from evalkit.reading.cached_probes import packed, unpacked
from evalkit.reading.garbage import no_garbage_search
from evalkit.reading.readings import FileReading
from evalkit.workspace import Workspace

FORMAT = 2
MIN_PROBES = 100
"""A smaller suite is read as fast as looked up."""
MAX_ENTRY_BYTES = 100_000_000
MAX_FOLDER_BYTES = 300_000_000
_CODE = ("probe.py", "target.py", "reading", "perturbing")
_PACKAGES = ("pydantic", "pydantic_core", "pyyaml", "jinja2", "jsonschema", "regex")

Digests = dict[str, str]
"""The sha256 (hex) of files, by absolute path."""


@dataclass(frozen=True, slots=True)
class SuiteCache:
    """One JSON file a suite in ``folder``: data alone, so that nothing in it can run.

    An entry that is missing, stale, damaged or of another evalkit counts as absent; one that cannot be written is no
    error. ``workspace`` is whose suites they are. ``puts_off``: what is put is written by ``write``, when there is
    nothing better to do.
    """

    folder: Path
    workspace: Workspace
    puts_off: bool = False
    _unwritten: list[Callable[[], None]] = field(default_factory=list)

    @classmethod
    def of(cls, workspace: Workspace, *, puts_off: bool = False) -> SuiteCache:
        return cls(cache_folder(workspace), workspace, puts_off)

    def get(self, suite: Path, files: Digests, judge_names: frozenset[str] | None) -> tuple[FileReading, ...] | None:
        """The readings of a suite whose own files have these digests; None where they are not known."""
        with suppress(OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            head, _, body = self._entry(suite).read_bytes().partition(b"\n")
            facts = json.loads(head)
            is_same = facts["key"] == self._key(suite, files, judge_names) and facts["body"] == _digest(body)
            if is_same and all(self._is_unchanged(path, digest) for path, digest in facts["named"].items()):
                return unpacked(json.loads(body))
        return None

    def put(
        self,
        suite: Path,
        files: Digests,
        judge_names: frozenset[str] | None,
        named: Digests,
        readings: Iterable[FileReading],
    ) -> None:
        """Keeps the readings; ``named`` are the files besides the suite's own that they were read from."""
        self._unwritten.append(partial(self._write, suite, files, judge_names, named, tuple(readings)))
        if not self.puts_off:
            self.write()

    def write(self) -> None:
        """Writes what was put off."""
        with no_garbage_search():
            while self._unwritten:
                self._unwritten.pop()()

    def _write(
        self,
        suite: Path,
        files: Digests,
        judge_names: frozenset[str] | None,
        named: Digests,
        readings: tuple[FileReading, ...],
    ) -> None:
        try:
            body = json.dumps(packed(readings), separators=(",", ":")).encode("ascii")
        except (TypeError, ValueError):  # a value that JSON has no form for
            return
        if len(body) > MAX_ENTRY_BYTES:
            return
        facts = {"key": self._key(suite, files, judge_names), "body": _digest(body), "named": named}
        entry = self._entry(suite)
        draft = entry.with_name(f".{entry.name}.{os.getpid()}")
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                draft.write_bytes(json.dumps(facts).encode("ascii") + b"\n" + body)
                os.replace(draft, entry)
            finally:
                draft.unlink(missing_ok=True)
            _prune(self.folder)

    def _entry(self, suite: Path) -> Path:
        name = re.sub(r"[^A-Za-z0-9._-]", "-", suite.name)[:60]
        return self.folder / f"{name}-{_digest(str(suite).encode('utf-8', 'surrogateescape'))[:8]}.json"

    def _key(self, suite: Path, files: Digests, judge_names: frozenset[str] | None) -> str:
        names = None if judge_names is None else sorted(judge_names)
        parts = [FORMAT, _reader(), str(self.workspace.root), str(suite), sorted(files.items()), names]
        return _digest(json.dumps(parts).encode("ascii"))

    def _is_unchanged(self, path: str, digest: str) -> bool:
        """Whether a named file is still inside the workspace and holds the same bytes."""
        inside = Path(path).resolve().is_relative_to(self.workspace.root.resolve())
        return inside and digests_of([Path(path)])[path] == digest


def cache_folder(workspace: Workspace) -> Path:
    return workspace.state / "cache" / "suites"


def digests_of(files: Iterable[Path]) -> Digests:
    """The digests of files; one that cannot be read has none that a file could have."""
    found = {}
    for file in files:
        try:
            found[str(file)] = _digest(file.read_bytes())
        except OSError as error:
            found[str(file)] = f"unreadable: {error.errno}"
    return found


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


@lru_cache(maxsize=1)
def _reader() -> str:
    """What reads suites: this Python, evalkit's version and the state of its own files, the packages it reads with."""
    package = Path(evalkit.__file__).parent
    sources = sorted(
        file for name in _CODE for file in ((package / name).rglob("*.py") if "." not in name else [package / name])
    )
    stamps = [(file.name, facts.st_size, facts.st_mtime_ns) for file in sources for facts in [file.stat()]]
    parts = [sys.version, evalkit.__version__, stamps, [_version(name) for name in _PACKAGES]]
    return _digest(json.dumps(parts).encode("ascii"))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _prune(folder: Path) -> None:
    """Removes the entries that were written longest ago, until the others fit."""
    files = sorted((file for file in folder.iterdir() if file.is_file()), key=lambda file: file.stat().st_mtime_ns)
    size = sum(file.stat().st_size for file in files)
    for file in files[:-1]:
        if size <= MAX_FOLDER_BYTES:
            return
        size -= file.stat().st_size
        file.unlink(missing_ok=True)


def kept(workspace: Workspace) -> tuple[int, int]:
    """How many suites are kept, and in how many bytes."""
    with suppress(OSError):
        sizes = [file.stat().st_size for file in cache_folder(workspace).iterdir()]
        return len(sizes), sum(sizes)
    return 0, 0
