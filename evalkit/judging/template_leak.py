"""Finds chat-template markers that leaked into an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from evalkit.judging.pattern_set import PatternSet

_ROLE = r"(?:user|model|system|assistant|human|analysis|final|commentary|tool|developer)"
_MARKER = rf"""
      </?\s?\W?(?:start|end)[\s._]{{0,2}}of[\s._]{{0,2}}(?:turn|text|sequence)\w{{0,12}}(?:\s?>)?(?:[ \n]*{_ROLE}\b)?
    | </?(?:start|end)(?:turn|_turn)\w{{0,12}}>?
    | <\|[A-Za-z][\w .-]{{0,40}}\|?>(?:[ ]*{_ROLE}\b)?
    | <(?:turn|channel)\|>
    | <｜[^｜\n<>]{{1,40}}｜>
    | \[/?INST\] | <</?SYS>> | \[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]
    | <(?:bos|eos|pad|unk|s|unused\d{{1,5}}|extra_id_\d{{1,4}}|reserved_\d{{1,4}})>
    | </s>
    | ^[ \t]*\#\#\#[ ]?(?:Instruction|Response|Human|User|Assistant|Input)s?:(?=\s)
    | ^[ \t]*<(?:human|bot|user|assistant)>:
    | ^[ \t]*GPT4[ ]Correct[ ](?:User|Assistant):
"""
MARKERS = PatternSet({"marker": _MARKER}, re.IGNORECASE | re.VERBOSE | re.MULTILINE)
_ROLE_ONLY = re.compile(rf"\s*(?:{_ROLE}\s*)?", re.IGNORECASE)
_STRUCK_OUT = re.compile(r"<s>[^<]{0,400}</s>", re.IGNORECASE)
_SIGN = re.compile(r"[<\[]|###|[Tt]4")
"""No marker is without one of these."""
_KEPT = 10_000
_QUOTES = frozenset("\"'“”‘’«»`")


@dataclass(frozen=True, slots=True)
class Leak:
    """Characters ``start`` to ``end`` are a marker; text follows it, or only markers do (trailing)."""

    start: int
    end: int
    marker: str
    is_trailing: bool


def mentions_template(prompt: str) -> bool:
    """Whether the prompt itself shows a template marker."""
    return any(True for _ in _found(prompt))


def leading_end(visible: str) -> int:
    """Where the text begins after markers that stand in front of it; 0 if none does."""
    position = 0
    for found in _markers(visible):
        if visible[position : found.start()].strip():
            break
        position = found.end()
    if position:
        following = _ROLE_ONLY.match(visible, position)
        position = following.end() if following and "\n" in following.group() else position
    return position


def find_marker(visible: str) -> Leak | None:
    """The first marker after some text, in a text whose code is blanked; trailing when nothing but markers follows."""
    every = _markers(visible)
    if not every:
        return None
    leading = leading_end(visible)
    markers = [found for found in every if found.start() >= leading]
    if not markers:
        return None
    first = markers[0]
    position = first.start()
    for found in markers:
        if not _is_role_only(visible[position : found.start()]):
            break
        position = found.end()
    return Leak(first.start(), first.end(), first.group().strip(), _is_role_only(visible[position:]))


def text_between(visible: str) -> tuple[int, int]:
    """Where the text stands without the markers before and after it."""
    if not _markers(visible):
        return 0, len(visible)
    leading = leading_end(visible)
    leak = find_marker(visible)
    return leading, leak.start if leak is not None and leak.is_trailing else len(visible)


def _is_role_only(text: str) -> bool:
    found = _ROLE_ONLY.fullmatch(text)
    return found is not None


def _markers(visible: str) -> tuple[re.Match[str], ...]:
    """Markers that nobody quotes: not in quotation marks, not inside a sentence that speaks of them."""
    if _SIGN.search(visible) is None:
        return ()
    return _kept_markers(visible) if len(visible) <= _KEPT else _read_markers(visible)


def _read_markers(visible: str) -> tuple[re.Match[str], ...]:
    struck_out = {place for found in _STRUCK_OUT.finditer(visible) for place in (found.start(), found.end())}
    return tuple(
        found
        for found in _found(visible)
        if found.end() not in struck_out
        and found.start() not in struck_out
        and not _is_spoken_of(visible, found.start(), found.end())
    )


_kept_markers = lru_cache(maxsize=4)(_read_markers)


def _found(text: str) -> Iterator[re.Match[str]]:
    for name in MARKERS.candidates(text) if _SIGN.search(text) else ():
        yield from MARKERS[name].finditer(text)


def _is_spoken_of(visible: str, start: int, end: int) -> bool:
    before, after = visible[max(0, start - 2) : start], visible[end : end + 2]
    if before[-1:] in _QUOTES and before[-1:] and after[:1] in _QUOTES and after[:1]:
        return True
    follows_word = len(before) == 2 and before[1] == " " and (before[0].islower() or before[0] in ",(")
    goes_on = after[:1] in (",", ")", ".") or (after[:1] == " " and after[1:2].islower())
    return follows_word and goes_on
