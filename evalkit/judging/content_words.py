"""Which words of a text carry its content."""

from __future__ import annotations

import re

_STEM = 5
STOP_WORDS = frozenset((
    "about", "after", "also", "another", "because", "been", "before", "being", "between", "cannot", "could",
    "does", "doing", "down", "each", "even", "every", "from", "have", "here", "into", "just", "like", "made",
    "make", "many", "more", "most", "much", "must", "never", "only", "other", "over", "same", "should", "some",
    "such", "than", "that", "their", "them", "then", "there", "these", "they", "this", "those", "through", "under",
    "very", "want", "were", "what", "when", "where", "which", "while", "will", "with", "would", "your", "como",
    "cual", "cuando", "desde", "donde", "ellos", "entre", "esta", "este", "esto", "hasta", "para", "pero",
    "porque", "puede", "quien", "sobre", "solo", "tiene", "todo", "todos", "tener", "unos",
))  # fmt: skip


def stems(folded: str) -> set[str]:
    """The first five letters of every content word."""
    return {word[:_STEM] for word in re.findall(r"[^\W\d_]{4,}", folded) if word not in STOP_WORDS}
