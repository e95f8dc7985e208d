"""Finds chat-template markers and invented turns that leaked into an answer."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKER = re.compile(
    r"""
      </?(?:start|end)_of_turn>(?:[ ]*(?:user|model|system|assistant)\b)?
    | <\|(?:im_start|start_header_id|start|turn|channel)\|?>(?:[ ]*(?:user|model|system|assistant|analysis|final)\b)?
    | <\|[a-z][a-z0-9_]{1,40}\|>
    | <(?:turn|channel)\|>
    | \[/?INST\] | <</?SYS>>
    | <(?:bos|eos|pad|unk|unused\d{1,5})>
    | </s>
    """,
    re.IGNORECASE | re.VERBOSE,
)
_STRUCK_OUT = re.compile(r"<s>[^<]{0,400}</s>", re.IGNORECASE)
_USER_LINE = re.compile(r"^[ \t]*(?:\*\*|#+ ?)?(?:User|Human)(?:\*\*)?:(?:\*\*)?[ \t]*(?P<said>\S.*)?$", re.MULTILINE)
_MODEL_LINE = re.compile(r"^[ \t]*(?:\*\*|#+ ?)?(?:Assistant|AI|Model|Bot)(?:\*\*)?:", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Leak:
    """Characters ``start`` to ``end`` are a marker or an invented turn's first line; text follows or does not."""

    start: int
    end: int
    marker: str
    is_trailing: bool


def mentions_template(prompt: str) -> bool:
    """Whether the prompt itself shows a template marker."""
    return _MARKER.search(prompt) is not None


def find_marker(visible: str) -> Leak | None:
    """The first leaked marker of a text whose code is blanked; trailing when nothing but markers comes after it."""
    struck_out = {found.end() for found in _STRUCK_OUT.finditer(visible)}
    markers = [found for found in _MARKER.finditer(visible) if found.end() not in struck_out]
    if not markers:
        return None
    first = markers[0]
    position = first.start()
    for found in markers:
        if visible[position : found.start()].strip():
            break
        position = found.end()
    is_trailing = not visible[position:].strip()
    return Leak(first.start(), first.end(), first.group(), is_trailing)


def find_invented_turn(visible: str) -> Leak | None:
    """A user's line the model wrote itself after its answer: a question, or words that it then answers."""
    model_lines = [found.start() for found in _MODEL_LINE.finditer(visible)]
    text_start = len(visible) - len(visible.lstrip())
    for found in _USER_LINE.finditer(visible):
        if model_lines and model_lines[0] < found.start():
            return None
        if found.end() > text_start and found.start() <= text_start:
            continue
        if (found["said"] or "").rstrip().endswith("?") or model_lines:
            return Leak(found.start(), found.end(), found.group().strip(), is_trailing=False)
    return None
