"""File digests kept between runs, so that large weights are hashed once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from pathlib import Path


class DigestCache(MutableMapping[str, str]):
    """A mapping that lives in one JSON file; an unreadable file counts as empty, an unwritable one is no error."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = _read(file)

    def __getitem__(self, key: str) -> str:
        return self._known[key]

    def __setitem__(self, key: str, value: str) -> None:
        self._known[key] = value
        self._write()

    def __delitem__(self, key: str) -> None:
        del self._known[key]
        self._write()

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def _write(self) -> None:
        draft = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(self._known, indent=0, sort_keys=True), encoding="utf-8")
            draft.replace(self._file)


def _read(file: Path) -> dict[str, str]:
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in data.items()} if isinstance(data, dict) else {}
