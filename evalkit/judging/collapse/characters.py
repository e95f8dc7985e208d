"""Finds runs of symbols, and words whose case flips from letter to letter."""

from __future__ import annotations

import re

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.letter_case import FLIPPED, LONG_WORD, flips
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.masking import Extent
from evalkit.judging.repetition import find_character_run

_LEAST_SYMBOLS = 24
_SYMBOL_RUN = re.compile(rf"([^\w\s])\1{{{_LEAST_SYMBOLS - 1},}}")
_OTHER_BLANK = re.compile("[\x1c-\x1f\x85\u1680\u2000-\u200a\u2028\u2029\u202f\u205f]")
"""Blanks that a run of characters may hold."""
_RULE_CHARACTERS = frozenset("-=_*~#+.─━═—–·•…█▓░")
_RULE_LENGTH = 200
_SCREAM = 120
_REACH = 80
_OPENED = re.compile(r"[\"“„«»‘'][^\"“”„«»\n]*$")
_CLOSED = re.compile(r"[^\"“”„«»\n]*![^\"“”„«»\n]*[\"”“»«’']")
_ASKS_SCREAM = re.compile(
    r"\b(?:(?:scream|shout|yell|shriek|howl|roar|screech|groan|moan|sigh)\w*|\w*schrei(?!b)\w*|gebrüll|grit(?:o|a|ar|os)|"
    r"aullid\w+|chillid\w+|cri(?:e|er|s)?|hurle\w*|url(?:o|a|are)|grid(?:o|a|are)|berr(?:o|ar)|a{3,}h*)\b",
    re.IGNORECASE,
)
_INNER_CAPITAL = re.compile("[A-Za-z][A-Z]")
_LEADER_END = re.compile(r"[ \t]{0,4}\w")


def _may_run(passage: Passage, policy: DegenerationPolicy) -> bool:
    """Whether a stretch without a blank is long enough for characters to repeat in it; a plain line heaps no marks."""
    if passage.line is not None:
        return passage.line.longest >= policy.run_min_chars
    return passage.longest >= min(policy.run_min_chars, _LEAST_SYMBOLS) or _OTHER_BLANK.search(passage.text) is not None


def find_run(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """Characters that repeat back to back without a space."""
    if not _may_run(passage, policy) or asked.has("repetition", "symbols"):
        return None
    scream = _scream(passage, asked, policy)
    hidden = sorted([*passage.hidden, scream]) if scream else passage.hidden
    run = find_character_run(passage.text, hidden, policy.run_max_period, policy.run_min_chars, policy.run_min_copies)
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


def _scream(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Extent | None:
    """The first word that draws out one letter, where a scream is asked for or it is exclaimed in quotation marks."""
    found = re.search(rf"([^\W\d_])\1{{{policy.run_min_chars - 1},}}", passage.visible)
    if found is None:
        return None
    start, end = found.span()
    text = passage.visible
    while start > 0 and text[start - 1].isalpha() and found.start() - start < _SCREAM:
        start -= 1
    while end < len(text) and text[end].isalpha() and end - start <= _SCREAM:
        end += 1
    is_quoted = _OPENED.search(text[max(0, start - _REACH) : start]) and _CLOSED.match(text[end : end + _REACH])
    return (start, end) if end - start <= _SCREAM and (is_quoted or _ASKS_SCREAM.search(asked.prompt)) else None


def _may_alternate(visible: str, policy: DegenerationPolicy) -> bool:
    """Whether words enough have a capital behind another letter."""
    if not visible.isascii():
        words = LONG_WORD.findall(visible)
        return sum([not word[1:].islower() for word in words]) >= policy.altcase_words
    return len(_INNER_CAPITAL.findall(visible)) >= policy.altcase_words


def find_alternating_case(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """Three or more long words that change case from letter to letter, and a good share of all long words.

    No word of a plain line does.
    """
    if passage.line is not None or not _may_alternate(passage.visible, policy) or asked.has("case", "symbols"):
        return None
    words = list(LONG_WORD.finditer(passage.visible))
    flipped = [found for found in words if flips(found.group()) >= FLIPPED]
    if len(flipped) < policy.altcase_words or len(flipped) < policy.altcase_share * len(words):
        return None
    sentence = f"the case alternates in {len(flipped)} of {len(words)} long words, as in {shown(flipped[0].group())}"
    return Finding("alternating_case", sentence, (flipped[0].start(), flipped[-1].end()))
