"""Counts the stock words of generated prose: a matter of style, shown and never judged."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from evalkit.judging.phrases import compile_phrases, fold

STOCK_PHRASES = (
    "delve*", "tapestr*", "testament to", "multifaceted", "ever-evolving", "ever-changing", "in the realm of",
    "embark on", "navigating the", "nestled", "bustling", "underscore* the", "a beacon of", "treasure trove",
    "game-changer", "seamless*", "unwavering", "intricate* (interplay|dance|web|balance)", "rich (history|heritage)",
    "it is (important|worth|crucial|essential) (to note|noting|to remember)", "in today's (world|fast-paced|digital)",
    "plays a (crucial|vital|pivotal|key) role", "at the heart of", "shiver* down", "barely above a whisper",
    "a mix of", "the weight of", "unspoken", "hum of", "let us dive", "in conclusion", "whether you are a",
    "stands as a", "deeply human", "sumergir*", "un testimonio de", "cabe destacar", "en el mundo actual",
    "juega un papel (crucial|fundamental|clave)", "es importante (tener en cuenta|destacar|senalar)",
)  # fmt: skip
_PHRASES = compile_phrases(STOCK_PHRASES)
_CONTRAST = re.compile(
    r"\b(?:not (?:just|merely|simply|only)|(?:is|are|was)(?: not|n't) (?:just|merely|about))\b[^.!?\n]{1,80}?"
    r"(?:[,;—–-]\s*(?:but|it is|it's|they are|they're)|\.\s+it(?: is|'s))\b"
)
_WORD = re.compile(r"[\w']+")


@dataclass(frozen=True, slots=True)
class Slop:
    """Hits among ``words``; ``commonest`` are up to five, each with its count. A contrast is "not just X, but Y"."""

    words: int
    hits: int
    contrasts: int
    commonest: tuple[tuple[str, int], ...]

    @property
    def per_1000(self) -> float:
        """Stock phrases and contrasts in 1,000 words."""
        return 1000 * (self.hits + self.contrasts) / self.words if self.words else 0.0


def count_slop(text: str) -> Slop:
    """The stock phrases of a text. O(characters)."""
    folded = fold(text)
    found = Counter(match.group() for match in _PHRASES.finditer(folded)) if _PHRASES is not None else Counter()
    contrasts = sum(1 for _ in _CONTRAST.finditer(folded))
    return Slop(len(_WORD.findall(folded)), found.total(), contrasts, tuple(found.most_common(5)))
