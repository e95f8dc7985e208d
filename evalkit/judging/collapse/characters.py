"""Finds runs of symbols, and words whose case flips from letter to letter."""

from __future__ import annotations

import re
from itertools import pairwise

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.repetition import find_character_run

_SYMBOL_RUN = re.compile(r"([^\w\s])\1{23,}")
_RULE_CHARACTERS = frozenset("-=_*~#+.─━═—–·•…█▓░")
_RULE_LENGTH = 200
_LONG_WORD = re.compile(r"(?<![\w/+=])[^\W\d_]{5,}(?![\w/+=])")
_LEADER_END = re.compile(r"[ \t]{0,4}\w")
_FLIPS = 0.6


def find_run(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """Characters that repeat back to back without a space."""
    if asked.has("repetition", "symbols"):
        return None
    run = find_character_run(
        passage.text, passage.hidden, policy.run_max_period, policy.run_min_chars, policy.run_min_copies
    )
    if run is not None:
        sentence = f"{passage.part} repeats the characters {shown(run.unit)} {int(run.copies)} times in a row"
        return Finding("character_run", sentence, (run.start, run.end))
    for found in _SYMBOL_RUN.finditer(passage.visible):
        length = found.end() - found.start()
        allowed = _RULE_LENGTH if found.group(1) in _RULE_CHARACTERS else policy.symbol_run
        if _LEADER_END.match(passage.visible, found.end()):
            continue
        ends_words = passage.visible[: found.start()].strip()[-1:].isalnum() and found.group(1) in ".,"
        if length >= (policy.symbol_run if ends_words else allowed):
            sentence = f"{passage.part} repeats the characters {found.group(1)!r} {length} times in a row"
            return Finding("character_run", sentence, found.span())
    return None


def find_alternating_case(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """Three or more long words that change case from letter to letter, and a good share of all long words."""
    if asked.has("case", "symbols"):
        return None
    if any(_flips(word) >= _FLIPS for word in _LONG_WORD.findall(asked.prompt)):
        return None
    words = list(_LONG_WORD.finditer(passage.visible))
    flipped = [found for found in words if _flips(found.group()) >= _FLIPS]
    if len(flipped) < policy.altcase_words or len(flipped) < policy.altcase_share * len(words):
        return None
    sentence = f"the case alternates in {len(flipped)} of {len(words)} long words, as in {shown(flipped[0].group())}"
    return Finding("alternating_case", sentence, (flipped[0].start(), flipped[-1].end()))


def _flips(word: str) -> float:
    """The share of neighbouring letters of different case."""
    return sum(left.isupper() != right.isupper() for left, right in pairwise(word)) / (len(word) - 1)
