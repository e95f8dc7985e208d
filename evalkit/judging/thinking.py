"""Splits a model's text into its thinking and its answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from evalkit.judging.masking import Extent, fenced_blocks
from evalkit.judging.thinking_channels import find_channels
from evalkit.judging.thinking_parts import Draft, Segments, all_answer
from evalkit.judging.thinking_tags import TAGS_BEGIN, Tag, find_tags


def split_thinking(text: str) -> tuple[str, str, int]:
    """The thinking, the answer, and where the answer begins in ``text``."""
    found = segments(text)
    return found.thinking, found.answer, found.start


def segments(text: str) -> Segments:
    """The thinking and the answer of a text in any common form; tags in code or merely mentioned are text.

    Forms: ``<think>`` and its kin (also ``[THINK]``, ``◁think▷``, Gemma's and Cohere's tokens), a closing tag alone,
    an opening tag alone, and harmony channels, whose commentary belongs to neither part. O(characters).
    """
    channels = find_channels(text)
    if channels is None and not any(mark in text for mark in TAGS_BEGIN):
        return all_answer(text)
    draft = Draft(text)
    if channels is None:
        _read_tags(draft)
    else:
        for section in channels:
            if section.part == "answer":
                draft.say([section.extent])
            elif section.part == "thinking":
                draft.think([section.extent], is_closed=section.is_closed)
    return draft.finished()


def _read_tags(draft: Draft) -> None:
    text = draft.text
    found = find_tags(text)
    tags = found.act
    closers = _closers(tags)
    visible: list[Extent] = []
    position = index = 0
    was_in_code = False
    if tags and not tags[0].opens:
        draft.flags.append("implicit")
        draft.think([(0, tags[0].start)], is_closed=True)
        position, index = tags[0].end, 1
    while index < len(tags):
        tag = tags[index]
        visible.append((position, tag.start))
        position = tag.end
        if not tag.opens:
            index += 1
            continue
        draft.say(visible)
        visible = []
        close = closers[index]
        if close is not None:
            draft.think(_between(tag, tags[index + 1 : close + 1]), is_closed=True)
            position, index = tags[close].end, close + 1
            continue
        hidden = None if was_in_code else _closer_in_code(text, tag, found.in_code)
        was_in_code = True
        inner = [other for other in tags[index + 1 :] if hidden is None or other.start < hidden.start]
        end = len(text) if hidden is None else hidden.start
        draft.think(_between(tag, [*inner, Tag(end, end, "", False)]), is_closed=hidden is not None)
        position = len(text) if hidden is None else hidden.end
        index += 1 + len(inner)
    draft.say([*visible, (position, len(text))])


def _closers(tags: Sequence[Tag]) -> list[int | None]:
    """For each opening tag the index of the tag that closes it: its own by depth, else the next closing one."""
    closers: list[int | None] = [None] * len(tags)
    open_tags: dict[str, list[int]] = {}
    for index, tag in enumerate(tags):
        waiting = open_tags.setdefault(tag.name, [])
        if tag.opens:
            waiting.append(index)
        elif waiting:
            closers[waiting.pop()] = index
    following: int | None = None
    for index in range(len(tags) - 1, -1, -1):
        if not tags[index].opens:
            following = index
        elif closers[index] is None:
            closers[index] = following
    return closers


def _between(opening: Tag, inner: Sequence[Tag]) -> list[Extent]:
    """What stands between the tags of one block."""
    edges = [opening, *inner]
    return [(first.end, second.start) for first, second in pairwise(edges)]


def _closer_in_code(text: str, opening: Tag, hidden: Iterable[Tag]) -> Tag | None:
    """A closing tag that only seems to be in code, because the thinking left its own code open.

    Then what comes after it has all its fences and backticks in pairs. The first and the last candidate are tried.
    """
    candidates = [tag for tag in hidden if not tag.opens and tag.start >= opening.end]
    for tag in dict.fromkeys((*candidates[:1], *candidates[-1:])):
        rest = text[tag.end :]
        if fenced_blocks(rest)[1] is None and rest.count("`") % 2 == 0:
            return tag
    return None
