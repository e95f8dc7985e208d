"""How often the case of a word changes from letter to letter, and whether a text shows that style."""

from __future__ import annotations

import re
from itertools import pairwise

LONG_WORD = re.compile(r"(?<![\w/+=])[^\W\d_]{5,}(?![\w/+=])")
FLIPPED = 0.6
_SHORT_WORD = re.compile(r"(?<![\w/+=.])[^\W\d_]{3,4}(?![\w/+=])")


def flips(word: str) -> float:
    """The share of neighbouring letters of different case."""
    return sum(left.isupper() != right.isupper() for left, right in pairwise(word)) / (len(word) - 1)


def shows_alternating_case(text: str) -> bool:
    """Whether a word of the text is written so: a long one, or a short one that is no name like PhD or eBay."""
    return any(flips(word) >= FLIPPED for word in LONG_WORD.findall(text)) or any(
        flips(word) == 1 and (len(word) > 3 or word[0].islower()) for word in _SHORT_WORD.findall(text)
    )
