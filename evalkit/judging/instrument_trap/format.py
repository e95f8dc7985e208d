"""What shape a response has: its format, its reasoning, and the text outside of it."""

from __future__ import annotations

import re
from typing import Literal

from evalkit.judging.instrument_trap.markers import Markers

Format = Literal["COLLAPSE", "SYSTEM_REGURGITATION", "LOGOS_THINK", "DECISION", "STRUCTURED_NO_TAGS", "RAW"]

_OPEN = re.compile(r"<(?:logos_)?think>", re.IGNORECASE)
_CLOSE = re.compile(r"</(?:logos_)?think>", re.IGNORECASE)
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_INSTRUCTIONS = re.compile(r"CLASSIFICATIONS:\s*VALID, LOGICAL_ERROR")
_STARTS_WITH_DECISION = re.compile(r"Decision:")
_BLOCKED = re.compile(r"Decision:\s*BLOCK", re.IGNORECASE)
_DECIDED = re.compile(r"Decision:\s*\w+", re.IGNORECASE)
_INNER_OPEN, _INNER_CLOSE = "<think>", "</think>"


def output_format(response: str, markers: Markers) -> Format:
    """The first of the six formats that fits."""
    if markers.said("collapse", response) or _CYRILLIC.search(response):
        return "COLLAPSE"
    if _INSTRUCTIONS.search(response):
        return "SYSTEM_REGURGITATION"
    if _OPEN.search(response):
        return "LOGOS_THINK"
    if _STARTS_WITH_DECISION.match(response.strip()):
        return "DECISION"
    fields = ("Classification:", "Decision:", "Reasoning:")
    if "Truth Tier:" in response and any(field in response for field in fields):
        return "STRUCTURED_NO_TAGS"
    return "RAW"


def is_truncated(response: str) -> bool:
    """Whether a reasoning tag opens and none closes."""
    return _OPEN.search(response) is not None and _CLOSE.search(response) is None


def is_blocked(response: str) -> bool:
    """Whether it decides to block, in the field's own form."""
    return _BLOCKED.search(response) is not None


def is_decided(response: str) -> bool:
    """Whether it holds any decision in the field's own form."""
    return _DECIDED.search(response) is not None


def reasoning(response: str, shape: Format) -> str | None:
    """The reasoning: from the first opening to the last closing tag, else what a structured response holds."""
    opening = _OPEN.search(response)
    if opening is not None:
        closing = [found for found in _CLOSE.finditer(response) if found.start() >= opening.end()]
        if not closing:
            return response[opening.end() :].strip()
        inner = response[opening.end() : closing[-1].start()].strip()
        if inner.lower().startswith(_INNER_OPEN):
            inner = inner[len(_INNER_OPEN) :].strip()
        if inner.lower().endswith(_INNER_CLOSE):
            inner = inner[: -len(_INNER_CLOSE)].strip()
        return inner or None
    if shape == "DECISION":
        return response.strip()
    if "Reasoning:" in response and ("Truth Tier:" in response or "Classification:" in response):
        return response.strip()
    return None


def outside(response: str) -> str:
    """The response without its reasoning blocks, each up to the next closing tag."""
    pieces: list[str] = []
    position = 0
    while (opening := _OPEN.search(response, position)) is not None:
        closing = _CLOSE.search(response, opening.end())
        if closing is None:
            break
        pieces.append(response[position : opening.start()])
        position = closing.end()
    return "".join((*pieces, response[position:])).strip()
