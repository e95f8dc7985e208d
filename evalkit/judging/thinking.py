"""Splits a model's text into its thinking and its answer."""

from __future__ import annotations

import re

from evalkit.judging.masking import blank, code_extents, fenced_blocks

_OPEN = re.compile(r"<(?:think|thinking)>", re.IGNORECASE)
_CLOSE = re.compile(r"</(?:think|thinking)>", re.IGNORECASE)
_ANY = re.compile(r"</?(?:think|thinking)>", re.IGNORECASE)
_SPACE = re.compile(r"\s*")


def split_thinking(text: str) -> tuple[str, str, int]:
    """The thinking, the answer, and where the answer begins in ``text``.

    Reads ``<think>`` and ``<thinking>`` blocks at the start, one or several (joined by a line break). A block that
    never closes is all thinking and leaves an empty answer. Tags quoted in code are text. Both parts are trimmed,
    and ``text[answer_start:answer_start + len(answer)] == answer`` always holds.
    """
    visible = blank(text, code_extents(text) if "`" in text or "~~~" in text else [])
    thoughts: list[str] = []
    position = _skip_space(text, 0)
    while True:
        opening = _OPEN.match(visible, position)
        stray = _CLOSE.match(visible, position) if thoughts else None
        if opening is not None:
            closing = _closing_tag(text, visible, opening.end())
            thoughts.append(text[opening.end() : len(text) if closing is None else closing[0]])
            position = len(text) if closing is None else _skip_space(text, closing[1])
        elif stray is not None:
            position = _skip_space(text, stray.end())
        else:
            break
    thinking = "\n".join(part for part in (_ANY.sub("", thought).strip() for thought in thoughts) if part)
    return thinking, text[position:].rstrip(), position


def _closing_tag(text: str, visible: str, start: int) -> tuple[int, int] | None:
    """The next closing tag outside code; a fence the thinking left open does not hide it."""
    found = _CLOSE.search(visible, start)
    if found is None:
        _, unclosed = fenced_blocks(text)
        if unclosed is not None:
            found = _CLOSE.search(text, max(start, unclosed))
    return None if found is None else found.span()


def _skip_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return position if found is None else found.end()
