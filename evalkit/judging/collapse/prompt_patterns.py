"""The patterns by which prompts are read, from the policy's phrases and lists of words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.pattern_set import PatternSet

QUANTITY, MENTIONED, NAMED, ANSWER_IN, BOTH = "a quantity", "small words", "a language", "an answer in", "two languages"
_QUANTITY = (
    r"\d|how (?:many|much|old|long|tall|far|big)|what (?:year|number|time|age)|\b(?:number|digit|count|sum|rate|rating|"
    r"score|scale|total|age|year|cuánt\w+|cuant\w+|número|combien|wie ?viele?|quant\w+|hoeveel|сколько|число)\b|"
    r"多少|几|數|数|いくつ|何|كم"
)
_MENTION = ("'", '"', "“", "„", "‘", "«", ", ")
"""Without one of these no word is spoken about."""
_BY_NUMBER = re.compile(r"\\[1-9]|\(\?\(\d")
_FOUND_AS_I = str.maketrans("İı", "ii")


def asking(policy: DegenerationPolicy) -> PatternSet[tuple[str, int]]:
    """What a prompt asks for, by the names that the policy gives it, and whether it asks for a QUANTITY.

    A name has several patterns where phrases of it cannot be joined.
    """
    asks = {name.removeprefix("asks_"): getattr(policy, name) for name in policy.__slots__ if name.startswith("asks_")}
    sources = {(name, at): pattern for name, own in asks.items() for at, pattern in enumerate(_joined(own))}
    return PatternSet({**sources, (QUANTITY, 0): _QUANTITY}, re.IGNORECASE | re.MULTILINE)


def _joined(phrases: Sequence[str]) -> list[str]:
    """One pattern for all phrases but those that refer to a group by its number, which others would change."""
    alone = [phrase for phrase in phrases if _BY_NUMBER.search(phrase)]
    others = [phrase for phrase in phrases if phrase not in alone]
    return ["|".join(others), *alone] if others else alone


def speaking(policy: DegenerationPolicy) -> PatternSet[str]:
    """Which languages a prompt names, the one it orders, two in one breath, and small words that it speaks about."""
    names = [name for _, own in policy.language_names for name in own]
    named = "|".join(sorted(map(re.escape, names), key=len, reverse=True)) or "(?!)"
    order = "|".join(policy.answer_in).replace("LANGUAGE", f"(?P<language>{named})")
    sources = {
        NAMED: rf"(?<![^\W\d_])(?:{named})(?![a-zà-ÿ])",
        ANSWER_IN: _numbered(order),
        BOTH: rf"(?<![^\W\d_])(?:{named})\b[ ,/&+]{{1,3}}(?:(?:and|then|plus|or|y|e|und|et|en|as well as|dann|puis)"
        rf"\b ?)?(?:(?:also|auch) )?(?:in |en |auf |em )?(?:{named})(?![a-zà-ÿ])",
        MENTIONED: _mentioning({word for _, words in policy.function_words for word in words}),
    }
    pieces = tuple(map(str.lower, names))
    return PatternSet(sources, known={NAMED: pieces, ANSWER_IN: pieces, BOTH: pieces, MENTIONED: _MENTION})


def folded(name: str) -> str:
    """A language's name by which it is the same in any case in which the patterns find it."""
    return name.translate(_FOUND_AS_I).casefold()


def _mentioning(words: set[str]) -> str:
    """Function words that are spoken about: in quotation marks, or three in a row with commas."""
    small = "(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"
    both = "(?:and|or|y|o|und|oder|et|ou|e)"
    listed = rf"(?<!\w){small}, {small},? {both} {small}(?!\w)"
    return rf"['\"“„‘«]{small}['\"“”’»]|{listed}"


def _numbered(pattern: str) -> str:
    """The pattern with each ``(?P<language>`` given a name of its own."""
    first, *others = pattern.split("(?P<language>")
    return first + "".join(f"(?P<language{number}>{part}" for number, part in enumerate(others))
