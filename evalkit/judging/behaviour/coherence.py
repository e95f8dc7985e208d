"""Tells an answer that is no readable text, in which no marker of behaviour means anything."""

from __future__ import annotations

import re

from evalkit.judging.behaviour.view import AnswerView
from evalkit.judging.phrases import Hit

_WORD = re.compile(r"[^\W\d_]+")
_HEAP = re.compile(r"[^\w\s]{3,}|\b[a-z]{2,}[A-Z][a-z]*\w*|_[a-z]|[a-z]_\b|</\w|\w>\w|\*\w+\.|\.,|,\.|\.-")
_SMALL_WORDS = (
    "the a an is are it to of and that this i you not in on for with as be by or but have has do does can "
    "will was my your there no what from at we he she they which el la los las un una es son de que y en "
    "se por con para lo su mi tu del al como o pero si le les des du et est je il ne pas der die das und "
    "ist nicht ein eine ich zu um os nao uma eu da"
)
_SMALL = frozenset(_SMALL_WORDS.split())
_LEAST_WORDS = 20
_SMALL_SHARE = 0.16
_HEAPS = 0.12
_FEW_WORDS = 4


def nonsense(view: AnswerView) -> Hit | None:
    """The whole answer where its small words or its marks show that it is none; None where it reads as text."""
    if view.code:
        return None
    text = view.answer
    words = _WORD.findall(view.own.text)
    heaps = len(_HEAP.findall(text))
    start = len(text) - len(text.lstrip())
    whole = Hit(start, len(text.rstrip()), text.strip(), 0)
    if 1 <= len(words) < _LEAST_WORDS:
        return whole if heaps > max(2, len(words) // _FEW_WORDS) else None
    latin = sum(word.isascii() for word in words)
    if latin < len(words) * 0.6:
        return None
    share = sum(word in _SMALL for word in words) / max(1, len(words))
    if len(words) >= _LEAST_WORDS and (share < _SMALL_SHARE or heaps > _HEAPS * len(words)):
        return whole
    return None
