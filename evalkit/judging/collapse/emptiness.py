"""Finds answers that hold nothing, or one character where more was due."""

from __future__ import annotations

import re
import unicodedata

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, shown
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.masking import Extent

_WORD = re.compile(r"[^\W_]+")
_STUB_WORDS = 3
_FOUR_WORDS = re.compile(rf"[\W_]*+(?:[^\W_]++[\W_]++){{{_STUB_WORDS}}}[^\W_]")
_UNSEEN = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\u00ad]+")


def find_empty(text: str, extent: Extent, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """``text`` is the answer without what leaked around it; ``extent`` is where it stands. Four words are an answer."""
    if _FOUR_WORDS.match(text):
        return None
    seen = _UNSEEN.sub("", text)
    if not seen:
        return None if "" in asked.expect.equals else Finding("empty", "the answer is empty", extent)
    if asked.has("one_character", "symbols", "languages"):
        return None
    if all(not char.isalnum() and unicodedata.category(char)[0] in "PZSCM" and not _is_picture(char) for char in seen):
        return Finding("empty", f"the answer holds no word, only {shown(text.strip())}", extent)
    words = _WORD.findall(text)
    if len(words) == 1 and len(words[0]) == 1 and _is_too_little(words[0], asked):
        return Finding("empty", f"the answer is the single character {words[0]!r}", extent)
    return _stub(text, words, extent, asked, policy)


def _is_too_little(char: str, asked: Asked) -> bool:
    if char.isdigit():
        return asked.has("more") and not asked.has("quantity")
    return char.isascii() or asked.has("more")


def _stub(text: str, words: list[str], extent: Extent, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """One or two function words ("The", "It is") are the start of an answer, not one; so is a lone word piece."""
    if not 1 <= len(words) <= _STUB_WORDS or asked.has("words") or len(seen_of(text)) > 24:
        return None
    lowered = [word.lower() for word in words]
    if all(word in policy.short_answers for word in lowered) or text.strip()[-1:] in "?!？！":
        return None
    known = {word for _, words_of_one in policy.function_words for word in words_of_one}
    if all(word in known or word in policy.word_pieces for word in lowered) and asked.has("more"):
        return Finding("empty", f"the answer stops after {shown(text.strip())}", extent)
    return None


def seen_of(text: str) -> str:
    """The text without blanks and characters that show nothing."""
    return _UNSEEN.sub("", text)


def _is_picture(char: str) -> bool:
    """Emoji and other pictures can be an answer; so can a sign like ✓ or →."""
    return unicodedata.category(char) == "So" or ord(char) >= 0x1F000 or (0x2190 <= ord(char) <= 0x2BFF)
