"""Finds words that no European language would spell so."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, shown
from evalkit.judging.collapse.languages import OTHER_LATIN
from evalkit.judging.collapse.letters import oddness
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.collapse.stretches import CHUNK

WORD = re.compile(r"(?<![\w+/=])[^\W\d_]+(?:['’][^\W\d_]+)?(?![\w+/=])")
LOOKED_AT = 4
LEAST_ODD = 3
LONGEST_WORD = 60
_LETTERS_NEEDED = 24
_ODD_LENGTH = 5
_UNKNOWN_FACTOR = 2
_TABLE_LANGUAGES = frozenset({"en", "es", "fr", "de", "pt", "it", "nl"})
_GROWS = "İ"
"""The one letter of which a small one is two characters."""
_VOWEL = re.compile(r"[aeiouyàâäáãåæèéêëìíîïòóôöõøœùúûüýÿ]", re.IGNORECASE)


def may_be_odd(text: str, policy: DegenerationPolicy) -> bool:
    """Whether the whole text holds as many odd words as a part of it needs."""
    if _GROWS in text:
        return True
    limit = policy.odd_word_score
    words = [word for word in WORD.findall(text) if len(word) >= LOOKED_AT]
    return sum([len(word) > LONGEST_WORD or _is_odd(word, limit) for word in words]) >= LEAST_ODD


def find_odd_words(text: str, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """A good share of Latin words that no European language would spell so."""
    known = set(WORD.findall(asked.prompt.lower()))
    is_spelled_so = asked.languages <= _TABLE_LANGUAGES and len(OTHER_LATIN.findall(text.lower())) < 2
    share = policy.odd_word_share if is_spelled_so else _UNKNOWN_FACTOR * policy.odd_word_share
    looked_at = odd = letters = 0
    first = last = None
    for found in WORD.finditer(text):
        word = found.group().lower() if asked.has("case") else found.group()
        if len(word) < LOOKED_AT or (word.isupper() and len(word) < 9) or word.lower() in known:
            continue
        looked_at += 1
        letters += len(word)
        if _is_odd(word, policy.odd_word_score):
            odd += 1
            first = found if first is None else first
            last = found
    if (
        first is None
        or last is None
        or odd < LEAST_ODD + (len(text) > CHUNK)
        or letters < _LETTERS_NEEDED
        or odd < share * looked_at
    ):
        return None
    sentence = f"{odd} of {looked_at} words are no words, as {shown(first.group())}"
    return Finding("token_soup", sentence, (first.start(), last.end()))


def _is_odd(word: str, limit: float) -> bool:
    is_usual = word[1:].islower() or word.isupper()
    inner = 0 if is_usual else sum(left.islower() and right.isupper() for left, right in pairwise(word))
    if inner >= max(2, 0.3 * len(word)) or (len(word) > LONGEST_WORD and inner == 0):
        return True
    return is_misspelt(word.lower(), limit)


@lru_cache(maxsize=4096)
def is_misspelt(word: str, limit: float) -> bool:
    """Whether the letters of a word in lower case are too unlikely, or all of them consonants."""
    score = oddness(word)
    if score is None or OTHER_LATIN.search(word):
        return False
    return score >= limit or (len(word) >= _ODD_LENGTH and _VOWEL.search(word) is None)
