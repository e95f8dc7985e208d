"""Finds answers that are one short text said several times, with its words in another order or a few exchanged."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.plain_line import PlainLine
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.masking import blank
from evalkit.judging.repetition import LONG

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_NAME = re.compile(r"(?<=[a-zà-ÿ,] )[A-ZÀ-Þ]\w{2,}")
_DIGITS = re.compile(r"\d+")
_LIST_NUMBER = re.compile(r"^[ \t]*\(?\d{1,3}[.)][ \t]", re.MULTILINE)
_LEAST_WORDS = 10
_MOST_COPIES = 6
_LONGEST = 400
_STEM = 5
_REWORDED = 3
_MOST_FRESH = 0.5
_LISTED_SIMILARITY = 0.85


def _may_be_copies(line: PlainLine, policy: DegenerationPolicy) -> bool:
    """Whether there are words enough for the fewest parts."""
    return len(line.words) >= policy.rewordings * _LEAST_WORDS


def _may_be_alike(words: Sequence[str], policy: DegenerationPolicy) -> bool:
    """Whether there are words enough for the fewest parts, and few enough different ones.

    Of each part but the first no more words are new than it may differ by.
    """
    number = len(words)
    if number < policy.rewordings * _LEAST_WORDS:
        return False
    similarity = min(policy.copy_similarity, _LISTED_SIMILARITY)
    most = similarity * (number / policy.rewordings + 1) + (1 - similarity) * number
    return len({word.lower()[:_STEM] for word in words}) <= most + 1


def find_copies(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """The words of the whole answer, cut into three to six parts of one length, are nearly the same in each part.

    Parts with numbers or names of their own tell different things; so do four or more that each bring a new word.
    """
    if passage.line is not None and not _may_be_copies(passage.line, policy):
        return None
    text = blank(passage.prose, [found.span() for found in _LIST_NUMBER.finditer(passage.prose)])
    may_be_alike = len(text) > LONG or _may_be_alike(_WORD.findall(text), policy)
    if not may_be_alike or asked.has("repetition", "verse", "variants"):
        return None
    words = list(_WORD.finditer(text))
    similarity = _LISTED_SIMILARITY if asked.has("words") else policy.copy_similarity
    for copies in range(policy.rewordings, _MOST_COPIES + 1):
        size = len(words) // copies
        if size < _LEAST_WORDS or size > _LONGEST or asked.copies >= copies:
            continue
        edges = [round(part * len(words) / copies) for part in range(copies + 1)]
        parts = [words[start:end] for start, end in pairwise(edges)]
        if _are_copies(text, parts, similarity):
            start, end = words[0].start(), words[-1].end()
            said = shown(passage.prose[start : parts[0][-1].end()])
            sentence = f"{passage.part} is {said} said {copies} times in nearly the same words"
            return Finding("near_loop", sentence, (start, end))
    return None


def _are_copies(text: str, parts: list[list[re.Match[str]]], similarity: float) -> bool:
    bags = [Counter(word.group().lower()[:_STEM] for word in part) for part in parts]
    first = bags[0]
    if any((bag & first).total() < similarity * max(bag.total(), first.total()) for bag in bags[1:]):
        return False
    known = set(first)
    fresh = 0
    for bag in bags[1:]:
        fresh += not known.issuperset(bag)
        known.update(bag)
    if len(parts) > _REWORDED and fresh > _MOST_FRESH * len(parts):
        return False
    said = [text[part[0].start() : part[-1].end()] for part in parts]
    numbers = {tuple(sorted(set(_DIGITS.findall(part)))) for part in said}
    names = [set(_NAME.findall(part)) for part in said]
    own = sum(bool(other - names[0]) for other in names[1:])
    return len(numbers) == 1 and own <= 0.5 * len(names[1:])
