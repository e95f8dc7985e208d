"""The file pytest writes its terminal to, watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class WatchedFile:
    """A file that tells ``before`` of every text that is about to be written, and writes what that makes of it."""

    def __init__(self, file: Any, before: Callable[[str], str]) -> None:
        self.file = file
        self._before = before

    def write(self, text: str) -> Any:
        return self.file.write(self._before(text))

    def flush(self) -> None:
        """Spelt out, because pytest does it after every dot."""
        self.file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)
