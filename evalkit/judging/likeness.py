"""How alike texts are: normalised words, Self-BLEU-4, compression."""

from __future__ import annotations

import itertools
import math
import random
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Sequence

MAX_PAIRS = 50
_MAX_WORDS = 2_000
_WORD = re.compile(r"\w+")


def normalised_words(text: str) -> tuple[str, ...]:
    """The words alone: case, accents' composition and punctuation do not matter."""
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def compression_ratio(text: str) -> float:
    """Bytes over compressed bytes (zlib); about 2 for prose, more the more it repeats. 0.0 for no text."""
    raw = text.encode("utf-8", "replace")
    return len(raw) / len(zlib.compress(raw, 6)) if raw else 0.0


def self_bleu(texts: Sequence[Sequence[str]], seed: str) -> float:
    """Mean BLEU-4 between the texts, 0 to 1, over all pairs or 50 drawn ones; 0.0 for a single text.

    Pairs are taken both ways; the first 2,000 words count. Source: Zhu et al. (2018), smoothed by Lin and Och (2004).
    """
    count = len(texts)
    if count * (count - 1) // 2 <= MAX_PAIRS:
        pairs = list(itertools.combinations(range(count), 2))
    else:
        pairs = _drawn_pairs(count, random.Random(seed))
    scores = [_bleu(texts[a][:_MAX_WORDS], texts[b][:_MAX_WORDS]) for a, b in pairs]
    scores += [_bleu(texts[b][:_MAX_WORDS], texts[a][:_MAX_WORDS]) for a, b in pairs]
    return sum(scores) / len(scores) if scores else 0.0


def _drawn_pairs(count: int, rng: random.Random) -> list[tuple[int, int]]:
    drawn: dict[tuple[int, int], None] = {}
    while len(drawn) < MAX_PAIRS:
        first, second = sorted(rng.sample(range(count), 2))
        drawn[first, second] = None
    return list(drawn)


def _bleu(candidate: Sequence[str], reference: Sequence[str]) -> float:
    if not candidate or not reference:
        return float(not candidate and not reference)
    log_sum = 0.0
    for size in range(1, 5):
        ours = Counter(zip(*(candidate[shift:] for shift in range(size)), strict=False))
        theirs = Counter(zip(*(reference[shift:] for shift in range(size)), strict=False))
        matched = sum(min(number, theirs[gram]) for gram, number in ours.items())
        smooth = 0 if size == 1 else 1
        if matched + smooth == 0:
            return 0.0
        log_sum += math.log((matched + smooth) / (ours.total() + smooth)) / 4
    brevity = min(0.0, 1 - len(reference) / len(candidate))
    return math.exp(log_sum + brevity)
