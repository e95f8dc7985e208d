"""Recorded generations as lines of JSON: written by --eval-record, read by the replay engine."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from evalkit.errors import Problem, UnreadableFile
from evalkit.generation import Finish, Generation, Request, SystemPlacement
from evalkit.identity import Conversation, canonical, conversation

REQUIRED = ("messages", "target", "text")
OPTIONAL = ("sample", "raw_text", "finish", "prompt_tokens", "new_tokens", "system_placement")
ROLES = ("system", "user", "assistant")

Key = tuple[Conversation, str, int]
"""What a recording is found by: rendered messages, target label, sample index."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded answer; ``place`` is ``file:line``."""

    key: Key
    generation: Generation
    place: str

    @property
    def prompt(self) -> str:
        return prompt_of(self.key[0])


def record_line(request: Request, generation: Generation) -> str:
    """The line (without its newline) from which the replay engine gives this answer to this request."""
    return canonical(
        {
            "messages": [{"role": role, "content": content} for role, content in conversation(request)],
            "target": request.target.label,
            "sample": request.sample,
            "text": generation.text,
            "raw_text": generation.raw_text,
            "finish": generation.finish,
            "prompt_tokens": generation.prompt_tokens,
            "new_tokens": generation.new_tokens,
            "system_placement": generation.system_placement,
        }
    )


def read_recordings(files: dict[str, Path]) -> dict[Key, Recording]:
    """Every recording of the files, which are keyed by the name that messages show.

    Raises:
        UnreadableFile: a line is no recording, or two lines answer the same request differently.
    """
    found: dict[Key, Recording] = {}
    problems: list[Problem] = []
    for shown, file in files.items():
        for item in _read_file(shown, file):
            if isinstance(item, Problem):
                problems.append(item)
                continue
            first = found.setdefault(item.key, item)
            if first.generation != item.generation:
                problems.append(_contradiction(item, first))
    if problems:
        raise UnreadableFile(problems)
    return found


def prompt_of(messages: Conversation) -> str:
    """The user's words of a conversation, one blank line between turns."""
    return "\n\n".join(content for role, content in messages if role == "user")


def nearest_recording(prompt: str, recordings: list[Recording]) -> Recording | None:
    """The recording whose prompt is most like this one; None if there are no recordings.

    difflib is slow on many long texts, so it only ranks the eight that share the most words.
    """
    words = set(prompt.split())
    shortlist = sorted(recordings, key=lambda item: -len(words & set(item.prompt.split())))[:8]
    return max(shortlist, key=lambda item: difflib.SequenceMatcher(None, prompt, item.prompt).ratio(), default=None)


def _read_file(shown: str, file: Path) -> Iterator[Recording | Problem]:
    try:
        lines = file.read_bytes().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        yield Problem(shown, f"expected UTF-8 text, found byte {error.object[error.start]:#04x}. Save it as UTF-8.")
        return
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _read_line(shown, number, line)


def _read_line(shown: str, number: int, line: str) -> Recording | Problem:
    try:
        data = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        message = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
        return Problem(shown, f"expected one JSON object on one line, found broken JSON ({message}).", number)
    if not isinstance(data, dict):
        return Problem(shown, f"expected one JSON object on one line, found {_kind(data)}.", number)
    wrong = _first_mistake(data)
    if wrong is not None:
        return Problem(shown, wrong[1], number, wrong[0])
    return _recording(data, f"{shown}:{number}")


def _recording(data: dict[str, Any], place: str) -> Recording:
    messages = tuple((message["role"], message["content"]) for message in data["messages"])
    generation = Generation(
        text=data["text"],
        raw_text=data.get("raw_text", data["text"]),
        token_ids=(),
        finish=data.get("finish", "stop"),
        prompt_tokens=data.get("prompt_tokens", 0),
        new_tokens=data.get("new_tokens", 0),
        system_placement=data.get("system_placement", "none"),
    )
    return Recording((messages, data["target"], data.get("sample", 0)), generation, place)


def _first_mistake(data: dict[str, Any]) -> tuple[str, str] | None:
    """The path and the sentence of the first thing wrong with a line."""
    for key in data:
        if key not in REQUIRED + OPTIONAL:
            near = difflib.get_close_matches(key, REQUIRED + OPTIONAL, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known keys: {', '.join(REQUIRED + OPTIONAL)}."
            return "$", f"unknown key {key!r}.{hint}"
    for key in REQUIRED:
        if key not in data:
            return "$", f"missing key {key!r}."
    for key in ("target", "text", "raw_text"):
        if key in data and not isinstance(data[key], str):
            return f"$.{key}", f"expected text, found {_kind(data[key])}."
    for key in ("sample", "prompt_tokens", "new_tokens"):
        value = data.get(key, 0)
        if type(value) is not int or value < 0:
            return f"$.{key}", f"expected a whole number of at least 0, found {value!r}."
    for key, allowed in (("finish", get_args(Finish)), ("system_placement", get_args(SystemPlacement))):
        if key in data and data[key] not in allowed:
            return f"$.{key}", f"expected one of {', '.join(allowed)}; found {data[key]!r}."
    return _message_mistake(data["messages"])


def _message_mistake(messages: Any) -> tuple[str, str] | None:
    if not isinstance(messages, list) or not messages:
        return "$.messages", f"expected a list of messages, found {_kind(messages)}."
    for index, message in enumerate(messages):
        path = f"$.messages[{index}]"
        if not isinstance(message, dict) or set(message) != {"role", "content"}:
            return path, "expected the keys role and content, and no others."
        if message["role"] not in ROLES:
            return f"{path}.role", f"expected one of {', '.join(ROLES)}; found {message['role']!r}."
        if not isinstance(message["content"], str):
            return f"{path}.content", f"expected text, found {_kind(message['content'])}."
    return None


def _contradiction(second: Recording, first: Recording) -> Problem:
    file, line = second.place.rsplit(":", 1)
    _, label, sample = second.key
    return Problem(
        file,
        f"another answer to the same prompt, target {label!r} and sample {sample} is at {first.place}. Remove one.",
        int(line),
    )


def _kind(value: Any) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", type(None): "null"}
    if isinstance(value, (list, dict)):
        return f"{'an empty' if not value else 'a'} {'list' if isinstance(value, list) else 'mapping'}"
    return names[type(value)]
