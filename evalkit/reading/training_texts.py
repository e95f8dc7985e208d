"""The texts of a training file: chats, prompts or plain lines, one at a time."""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from evalkit.errors import Problem, UnreadableFile
from evalkit.reading.yaml_nodes import decoded

CHAT_KEYS = ("messages", "conversations", "conversation", "turns")
TEXT_KEYS = ("prompt", "instruction", "text", "question", "input", "query", "claim")
_USER_ROLES = ("user", "human")
_LIST_START = re.compile(rb"\s*\[\s*(\{.*)?", re.DOTALL)


class TrainingTexts:
    """Iterates over (text, place); ``sha256`` and ``texts`` are known at its end.

    A line of JSON gives what users say: each of their messages and, where there are several, all of them together; or
    the value of each of TEXT_KEYS. A JSON list is read whole, each item as a line. Any other line is a text.
    ``unknown_lines`` counts JSON in which nothing was found.
    """

    def __init__(self, path: Path, shown: str) -> None:
        self._path = path
        self._shown = shown
        self._digest = hashlib.sha256()
        self.texts = 0
        self.unknown_lines = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Raises UnreadableFile where the file cannot be opened, a line is not UTF-8 or no JSON among JSON."""
        try:
            with self._path.open("rb") as lines:
                yield from self._read(lines)
        except OSError as error:
            raise self._unreadable(f"cannot be opened: {error.strerror or error}.") from None

    def _read(self, lines: BinaryIO) -> Iterator[tuple[str, str]]:
        is_json: bool | None = None
        for number, raw in enumerate(lines, start=1):
            self._digest.update(raw)
            line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            if not line.strip():
                continue
            if is_json is None:
                is_json = line.lstrip().startswith(b"{") or _is_json_list(line)
                if not is_json and _LIST_START.fullmatch(line):
                    rest = lines.read()
                    self._digest.update(rest)
                    yield from self._items(line + rest, number)
                    return
            yield from self._taken(self._texts(line, number, is_json=is_json), f"{self._shown}:{number}")

    def _items(self, raw: bytes, number: int) -> Iterator[tuple[str, str]]:
        """The texts of a JSON list that starts at line ``number`` and goes on to the end of the file."""
        try:
            plain = json.loads(decoded(raw, self._shown))
        except UnreadableFile as error:
            (problem,) = error.problems
            raise self._unreadable(problem.message, number - 1 + (problem.line or 1)) from None
        except json.JSONDecodeError as error:
            message = f"expected a JSON list over several lines ({error.msg}). Correct it, or write one object a line."
            raise self._unreadable(message, number - 1 + error.lineno) from None
        except RecursionError:
            raise self._unreadable("the JSON is nested too deep. Write one object a line.", number) from None
        for index, item in enumerate(plain):
            yield from self._taken(texts_of(item), f"{self._shown}: $[{index}]")

    def _taken(self, found: list[str], place: str) -> Iterator[tuple[str, str]]:
        self.unknown_lines += not found
        self.texts += len(found)
        yield from ((text, place) for text in found)

    def _texts(self, raw: bytes, number: int, *, is_json: bool) -> list[str]:
        try:
            line = decoded(raw, self._shown)
        except UnreadableFile as error:
            raise self._unreadable(error.problems[0].message, number) from None
        if not is_json:
            return [line.strip()]
        try:
            plain = json.loads(line)
        except (ValueError, RecursionError):
            raise self._unreadable("expected a JSON object on this line, as on the first.", number) from None
        return texts_of(plain)

    def _unreadable(self, message: str, line: int | None = None) -> UnreadableFile:
        return UnreadableFile([Problem(self._shown, message, line)])


def texts_of(plain: Any) -> list[str]:
    """What a user asks in one line of training data, whatever its form."""
    if isinstance(plain, str):
        return [plain]
    if isinstance(plain, list):
        return _said(plain) or [text for item in plain for text in texts_of(item)]
    if not isinstance(plain, dict):
        return []
    chats = [text for key in CHAT_KEYS if isinstance(plain.get(key), list) for text in _said(plain[key])]
    plainly = [plain[key] for key in TEXT_KEYS if isinstance(plain.get(key), str) and plain[key].strip()]
    listed = [text for key in TEXT_KEYS if isinstance(plain.get(key), list) for text in _said(plain[key])]
    whole = ["\n\n".join(plainly)] if len(plainly) > 1 else []
    return list(dict.fromkeys([*chats, *plainly, *listed, *whole]))


def _is_json_list(line: bytes) -> bool:
    if not line.lstrip().startswith(b"["):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _said(messages: list[Any]) -> list[str]:
    """Each message of a user, in the two spellings in use; then all of them together."""
    found = []
    for message in messages:
        if not isinstance(message, dict):
            continue
        role = message.get("role", message.get("from", "user" if "user" in message else None))
        text = message.get("content", message.get("value", message.get("user")))
        if isinstance(text, list):
            text = " ".join(
                part["text"] for part in text if isinstance(part, dict) and isinstance(part.get("text"), str)
            )
        if role in _USER_ROLES and isinstance(text, str) and text.strip():
            found.append(text)
    return [*found, "\n\n".join(found)] if len(found) > 1 else found
