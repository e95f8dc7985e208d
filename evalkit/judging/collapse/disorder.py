"""Finds sentences whose words stand in an order that no sentence of their language has, by two measures that agree."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, shown
from evalkit.judging.collapse.languages import Languages
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.collapse.sentence_net import find_stretch, may_reach, sentence_net
from evalkit.judging.collapse.word_order import bits_of, find_disorder, order_table

_WORD = re.compile(r"[^\W\d_]+")
_LEAST_WORDS = 8
_COMMAS = 0.5
_SMALL_WORDS = 0.7
_STYLE_SCORE = 6.6
_LEEWAY = 1.7
_OTHER_LANGUAGE_BITS = 6
_NORMAL_BITS = 0.4


def may_be_disordered(text: str, words: Sequence[str], policy: DegenerationPolicy, languages: Languages) -> bool:
    """Whether the net of its language may speak as much against a stretch of the text as is needed."""
    if len(words) < _LEAST_WORDS:
        return False
    code = languages.of(text) or ""
    net = sentence_net(code)
    limit = dict(policy.disorder_score).get(code)
    return net is not None and limit is not None and may_reach(limit, text, net)


def find_disordered(text: str, asked: Asked, policy: DegenerationPolicy, languages: Languages) -> Finding | None:
    """A stretch that the net of its language speaks against, and the table of small words too, and no other language.

    Lists of words have more commas than sentences; writers who play with small words are let off with more, and so is
    what the prompt may have asked for.
    """
    code = languages.of(text) or ""
    net, table = sentence_net(code), order_table(code)
    limits = dict(policy.disorder_score)
    if net is None or table is None or code not in limits or asked.has("template", "style", "grammar"):
        return None
    found = find_stretch(text, net)
    if found is None or found.words < _LEAST_WORDS or found.score < limits[code]:
        return None
    stretch = text[found.start : found.end]
    words = _WORD.findall(stretch.lower())
    is_style = sum(word in languages for word in words) >= _SMALL_WORDS * len(words)
    needed = max(limits[code], _STYLE_SCORE if is_style else 0.0)
    needed *= _LEEWAY if asked.has("verse", "words", "symbols", "languages", "repetition") else 1
    small = find_disorder(stretch, table)
    if (
        found.score < needed
        or small is None
        or small.bits < policy.disorder_bits
        or stretch.count(",") > _COMMAS * found.words
    ):
        return None
    limit = max(_OTHER_LANGUAGE_BITS, _NORMAL_BITS * found.words)
    others = [order_table(other) for other, _ in policy.closing_words if other != code]
    if any(other is not None and bits_of(stretch, other) > limit for other in others):
        return None
    place = shown(text[slice(*found.worst)])
    sentence = f"{found.words} words in a row stand in an order that no sentence has, as {place}"
    return Finding("word_salad", sentence, (found.start, found.end))
