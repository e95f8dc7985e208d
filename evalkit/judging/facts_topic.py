"""How far an answer is from what was asked, by its words and by its letters."""

from __future__ import annotations

import math
import re
from collections import Counter

from evalkit.judging.content_words import STOP_WORDS, stems
from evalkit.judging.phrases import fold

_CONTENT = re.compile(r"[^\W\d_]{4,}")
_SHORT = re.compile(r"\b[^\W\d_]{3}\b")
_DULL_WORDS = """
    the and but you was are his her its our out not can had has who why how one any all she him did may two now for say
    get got let see use way too yet own off per una uno los las del por con que mas sin sus muy son fue ser hay les nos
    eso esa ese mis tus
"""
_DULL = frozenset(_DULL_WORDS.split())
_ENTITY = re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][\w'’-]+|\b\d[\d.,:]*", re.MULTILINE)


def shares_a_word(prompt: str, answer: str) -> bool:
    """Whether the answer holds a content word of the prompt (endings aside), one of its names or numbers."""
    said = fold(answer)
    if stems(fold(prompt)) & stems(said):
        return True
    words = frozenset(re.findall(r"\w+", said))
    entities = {fold(found.group()).rstrip(".,:") for found in _ENTITY.finditer(prompt)}
    short = {word for word in _SHORT.findall(fold(prompt)) if word not in _DULL}
    return not words.isdisjoint(entities | short | {f"{word}s" for word in short})


def similarity(prompt: str, answer: str) -> float:
    """Cosine of the letter trigrams of the content words, 0 to 1; unrelated English pairs stay under 0.2."""
    first, second = _trigrams(prompt), _trigrams(answer)
    shared = sum(count * second[gram] for gram, count in first.items())
    size = math.sqrt(sum(n * n for n in first.values()) * sum(n * n for n in second.values()))
    return shared / size if size else 0.0


def _trigrams(text: str) -> Counter[str]:
    words = Counter(word for word in _CONTENT.findall(fold(text)) if word not in STOP_WORDS)
    found: Counter[str] = Counter()
    for word, count in words.items():
        padded = f" {word} "
        for index in range(len(padded) - 2):
            found[padded[index : index + 3]] += count
    return found
