"""Reads the channels of a harmony conversation, with its special tokens or with them stripped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from evalkit.judging.masking import Extent, blank, code_extents

_CHANNEL = re.compile(
    r"<\|channel\|>\s*(?P<name>[a-z]+)(?:(?!<\|(?:channel|start|end|message)\|>)[^\n]){0,200}?\s*<\|message\|>",
    re.IGNORECASE,
)
_BARE_CHANNEL = re.compile(r"\s*(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*(?P<name>analysis|final|commentary)\b")
_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
_BETWEEN = re.compile(r"\s*(?:<\|(?:end|return|call|start)\|>\s*(?:assistant\b[^\n<]{0,80})?\s*)*", re.IGNORECASE)
_STRIPPED_START = re.compile(r"\s*(?:assistant)?(?P<name>analysis)(?=\S|\s*\S)")
_STRIPPED_NEXT = re.compile(
    r"assistant(?P<name>analysis|final|commentary)(?P<header>[ ]to=[\w.]+(?:[ ]?(?:<\|constrain\|>)?json|code)?)?"
)
_STRIPPED_ALONE = re.compile(r"\s*analysis[A-Z][\w'’]{0,14}[ ,]+[a-z\"'0-9]")
_THINKING = frozenset(("analysis", "thought", "thinking", "reasoning"))

Part = Literal["thinking", "answer", "neither"]


@dataclass(frozen=True, slots=True)
class Section:
    """Characters of the text that belong to one channel; ``is_closed`` is false where the text ends inside."""

    part: Part
    extent: Extent
    is_closed: bool


def find_channels(text: str) -> list[Section] | None:
    """The channels of a harmony text in order; None for any other text. O(characters)."""
    if "<|channel|>" in text:
        return _marked(text)
    if "analysis" in text[:40] and (found := _STRIPPED_START.match(text)) is not None:
        return _stripped(text, found)
    return None


def _marked(text: str) -> list[Section] | None:
    visible = blank(text, code_extents(text)) if "`" in text or "~~~" in text else text
    headers = list(_CHANNEL.finditer(visible))
    bare = _BARE_CHANNEL.match(visible)
    if bare is not None and (not headers or headers[0].start("name") != bare.start("name")):
        headers.insert(0, bare)
    if not headers:
        return None
    sections: list[Section] = []
    position = 0
    for number, header in enumerate(headers):
        sections += _outside(text, position, header.start())
        limit = headers[number + 1].start() if number + 1 < len(headers) else len(text)
        end = _END.search(visible, header.end(), limit)
        stop = limit if end is None else end.start()
        is_closed = end is not None or number + 1 < len(headers)
        sections.append(Section(_part(header["name"]), (header.end(), stop), is_closed))
        position = stop
    return sections + _outside(text, position, len(text))


def _outside(text: str, start: int, end: int) -> list[Section]:
    """Visible text between two channels, turn marks taken off."""
    found = _BETWEEN.match(text, start, end)
    start = start if found is None else found.end()
    tail = re.search(r"(?:\s*<\|start\|>\s*assistant\s*)$", text[max(start, end - 60) : end], re.IGNORECASE)
    if tail is not None:
        end -= len(tail.group())
    return [Section("answer", (start, end), True)] if text[start:end].strip() else []


def _stripped(text: str, first: re.Match[str]) -> list[Section] | None:
    following = list(_STRIPPED_NEXT.finditer(text, first.end()))
    if not following and _STRIPPED_ALONE.match(text) is None:
        return None
    headers = [first, *following]
    ends = [*(header.start() for header in following), len(text)]
    return [
        Section(_part(header["name"]), (header.end(), end), number + 1 < len(headers))
        for number, (header, end) in enumerate(zip(headers, ends, strict=True))
    ]


def _part(name: str) -> Part:
    lowered = name.lower()
    if lowered in _THINKING:
        return "thinking"
    return "neither" if lowered == "commentary" else "answer"
