"""Answers that may well be the same for unrelated prompts: refusals and greetings, in English and Spanish."""

from __future__ import annotations

import re

from evalkit.judging.phrases import compile_phrases, fold

_REFUSAL = compile_phrases([
    "i (cannot|will not|must decline|have to decline|decline|refuse)", "i am (unable|not able|not allowed|sorry)",
    "(sorry|unfortunately|apologies)", "as an ai", "(no puedo|me niego|lo siento|no me es posible|debo declinar)",
])  # fmt: skip
_GREETING = compile_phrases([
    "(hello|hi|hey|greetings|welcome|good (morning|afternoon|evening|day))", "how (can|may) i (help|assist)",
    "(hola|buenos dias|buenas (tardes|noches)|bienvenid*|en que puedo ayudar*)",
])  # fmt: skip
_HEAD_CHARS = 160
_GREETING_WORDS = 40


def is_refusal(text: str) -> bool:
    """Whether its first words decline."""
    return _found(_REFUSAL, text)


def is_greeting(text: str) -> bool:
    """Whether it is short and greets or offers help."""
    return len(text.split()) <= _GREETING_WORDS and _found(_GREETING, text)


def _found(pattern: re.Pattern[str] | None, text: str) -> bool:
    return pattern is not None and pattern.search(fold(text[:_HEAD_CHARS])) is not None
