"""Finds loops: units of words that repeat back to back, and texts made of the same few phrases."""

from __future__ import annotations

import re

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.languages import Languages
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.masking import fenced_blocks
from evalkit.judging.repetition import (
    REPEATED_WORDS,
    Repeat,
    Tokens,
    find_loop,
    find_whole_copies,
    may_be_whole_copies,
    may_loop,
    may_reach,
    repeated_share,
)

_WINDOW = 120
_WINDOW_SHARE = 1.2
_TOLD_SHARE = 0.5
_SURE_SHARE = 0.85
_ENDLESS = 100
_POOR = 0.18
_STEM = 4
_STAMMER = re.compile(r"(?<!\S)(\S{1,16})(?=[ \t])(?:[ \t]+\1(?![^\W_])){7,}", re.IGNORECASE)
_STAMMER_AGAIN = 6
"""So many words of a stammer at least were said before: eight copies, the last of which may run on."""
_OF_OTHER_CASE = re.compile("[İΣ]")
"""Letters that patterns compare in another way than small letters are."""
_NO_STAMMER = re.compile(
    r"[\d.,%+-]*\d[\d.,%+-]*|[-=_*~#+.─━═—–·•…█▓░|/\\<>^xo]+|(?:[hj][aeiou]){1,4}|[\U00010000-\U0010ffff\u2190-\u2bff\ufe0f]+",
    re.IGNORECASE,
)


def find_exact(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """A unit of words that repeats back to back more often than the prompt asks for."""
    if not _may_loop(passage, policy):
        return None
    tokens = passage.tokens
    factor = policy.verse_factor if asked.has("verse") else 1.0
    loop = find_loop(tokens, policy.loops, policy.loop_max_period, factor)
    if loop is None and not asked.has("verse", "one_character"):
        loop = find_whole_copies(tokens, policy.whole_copies, policy.whole_copies_short)
    loop = loop or _in_code(passage, policy)
    if loop is None or (asked.has("repetition") and not _ran_away(loop, passage, asked, policy)):
        return None
    sentence = f"{passage.part} repeats {shown(loop.unit)} {int(loop.copies)} times in a row"
    return Finding("loop", sentence, (loop.start, loop.end))


def _may_loop(passage: Passage, policy: DegenerationPolicy) -> bool:
    """Whether enough words come again for a loop, or all of them but a tail may be copies; code is looked at later."""
    line = passage.line
    if line is None:
        words = passage.tokens.words
        return (
            bool(passage.hidden)
            or may_loop(passage.tokens, policy.loops, 1.0)
            or may_be_whole_copies(len(words), len(set(words)), policy.whole_copies)
        )
    return may_reach(policy.loops, len(line.text), line.again) or may_be_whole_copies(
        len(line.words), len(line.distinct), policy.whole_copies
    )


def _may_stammer(passage: Passage) -> bool:
    """Whether enough words, and enough sequences of them, come again; over what is hidden a stammer may go on."""
    if passage.line is not None:
        return passage.line.again >= _STAMMER_AGAIN
    if passage.hidden or _OF_OTHER_CASE.search(passage.text):
        return True
    return passage.tokens.repeats > _STAMMER_AGAIN - REPEATED_WORDS


def find_stammer(passage: Passage, asked: Asked, policy: DegenerationPolicy, languages: Languages) -> Finding | None:
    """One word or mark many times in a row; a small word ("of of of") needs fewer copies than another."""
    if not _may_stammer(passage) or asked.has("repetition", "verse", "symbols"):
        return None
    for found in _STAMMER.finditer(passage.visible):
        unit = found.group(1)
        copies = len(found.group().split())
        needed = policy.stammer_copies + (0 if unit.lower() in languages else 1)
        if copies >= needed and _NO_STAMMER.fullmatch(unit) is None:
            sentence = f"{passage.part} repeats {shown(unit)} {copies} times in a row"
            return Finding("loop", sentence, found.span())
    return None


def find_scattered(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """The same few phrases over and over, in the whole text or in any window of 120 words."""
    if passage.line is not None and len(passage.line.words) < policy.repeated_min_words:
        return None
    tokens = passage.tokens
    words = tokens.words
    if len(words) < policy.repeated_min_words or asked.has("repetition"):
        return None
    limit = policy.repeated_share_verse if asked.has("verse") else policy.repeated_share
    share = repeated_share(words)
    different = _different(tokens, words[:_WINDOW])
    if different < _POOR * min(_WINDOW, len(words)) and _is_prose(tokens, words[:_WINDOW], asked):
        sentence = f"{passage.part} has {different} different words among {min(_WINDOW, len(words))}"
        return Finding("repetition", sentence, (0, len(passage.text)))
    if share > limit and (share > _SURE_SHARE or _told(words) < _TOLD_SHARE):
        sentence = f"{share:.0%} of the four-word sequences of {passage.part} occurred before ({len(words)} words)"
        return Finding("repetition", sentence, (0, len(passage.text)))
    if share * len(words) < _WINDOW_SHARE * limit * (_WINDOW - REPEATED_WORDS):
        return None
    places = [
        place for place, start in enumerate(tokens.starts) if tokens.ids[place] >= 0 and tokens.text[start].isalnum()
    ]
    for first in range(0, len(words) - _WINDOW, _WINDOW // 2):
        window = words[first : first + _WINDOW]
        share = repeated_share(window)
        if share > _WINDOW_SHARE * limit and _told(window) < _TOLD_SHARE:
            extent = tokens.starts[places[first]], tokens.ends[places[first + _WINDOW - 1]]
            sentence = f"{share:.0%} of the four-word sequences of {passage.part} occurred before ({_WINDOW} words)"
            return Finding("repetition", sentence, extent)
    return None


def _different(tokens: Tokens, words: list[int]) -> int:
    """How many words differ in more than their endings."""
    stems = [said[:_STEM].lower() for said in tokens.head if said[:1].isalnum()][: len(words)]
    return min(len(set(words)), len(set(stems)))


def _is_prose(tokens: Tokens, words: list[int], asked: Asked) -> bool:
    """Whether it is words, not numbers and not what the prompt asks for."""
    if asked.has("verse", "symbols", "variants", "words"):
        return False
    letters = sum(said[:1].isalpha() for said in tokens.head)
    return letters >= 0.8 * len(words)


def _told(words: list[int]) -> float:
    """The share of ten-word stretches that bring a word (or a number) never said before; a list goes on doing so."""
    known: set[int] = set()
    stretches = [words[first : first + 10] for first in range(0, len(words), 10)]
    fresh = 0
    for stretch in stretches:
        fresh += not known.issuperset(stretch)
        known.update(stretch)
    return fresh / len(stretches)


def _in_code(passage: Passage, policy: DegenerationPolicy) -> Repeat | None:
    """A loop inside code or a table that only the token limit ended, or that is far longer than anybody writes."""
    if not passage.hidden:
        return None
    was_cut = passage.is_cut or fenced_blocks(passage.text)[1] is not None
    factor = policy.unfinished_factor if was_cut else policy.endless_factor
    loop = find_loop(passage.all_tokens, policy.loops, policy.loop_max_period, factor)
    return loop if loop is not None and _reaches_end(loop, passage.text) else None


def _ran_away(loop: Repeat, passage: Passage, asked: Asked, policy: DegenerationPolicy) -> bool:
    """Whether asked-for repetition went on far past the number the prompt names, or without one past any sense."""
    if passage.is_cut and _reaches_end(loop, passage.text):
        return loop.copies > 3 * max(policy.asked_copies, asked.copies)
    if asked.copies >= 2:
        return loop.copies > 3 * asked.copies + policy.asked_copies
    return loop.copies > _ENDLESS and not asked.has("endless")


def _reaches_end(loop: Repeat, text: str) -> bool:
    return len(text.rstrip()) - loop.end <= max(len(loop.unit), 4)
