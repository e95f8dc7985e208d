"""Finds syllables in pieces among stray capitals, digits and quotes, and answers of a few giant glued words."""

from __future__ import annotations

import re

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.languages import Languages
from evalkit.judging.collapse.plain_line import PlainLine
from evalkit.judging.collapse.stretches import are_whole, chunks, without_references

_WORD = re.compile(r"[^\W\d_]+")
_SHORT = 3
_LEAST_SHORT = 6
_SHORT_SHARE = 0.25
_LEAST_LOWER = 4
_LEAST_STRAYS = 5
_LEAST_KINDS = 3
_STRAYS = (
    re.compile(r"(?<=[a-zà-ÿ] )[A-ZÀ-Þ][a-zà-ÿ]{0,2}(?![\w.'’-])|\b[a-zà-ÿ]{1,3}[A-ZÀ-Þ][a-zà-ÿ]{0,2}\b"),
    re.compile(r"(?<=[^\W\d_] )\d(?= ?[^\W\d_▁])|(?<=[^\W\d_] )\d(?=▁)"),
    re.compile(r"(?<=[^\W_] )['’](?=[^\W_]+(?!['’\w]))|(?<=[^\W_])['’](?= [^\W_])|(?<=[^\W_] )['’](?= )"),
    re.compile("(?<![▁-█])▁(?![▁-█])"),
)
_STRAY_SIGNS = (re.compile(r"\d"), re.compile("['’]"), re.compile("▁"))
"""Of every kind but the first."""
_GIANT = 30
_GIANT_GERMAN = 36
_GIANT_SHARE = 0.6
_GIANT_ALONE = 40
_SMALL_WORDS = 3
_LOOKED_AT = 400
_ASKS_LONG_WORDS = re.compile(
    r"\b(?:long(?:est|ue?s?)?|längst\w*|lang(?:e[snrm]?)?|larg[ao]s?|lung[ao]|lunghissim\w+|comprid[ao]s?|compounds?|"
    r"compuest\w+|chemi\w+|quími\w+|chimi\w+|identifiers?|hashtags?|slugs?|urls?|domains?|domain ?names?|bezeichner|"
    r"one word|single word|ein wort|un(?:a)? sola? palabra|un seul mot|una sola parola|glu(?:ed?|ing)|pegad[oa]s?|"
    r"without (?:any )?(?:spaces|blanks)|no spaces|ohne leer\w+|sin espacios|sans espaces?|senza spazi|sem espaços|"
    r"scriptio continua|variable|filename|dateiname)\b",
    re.IGNORECASE,
)


def _may_hold_giants(line: PlainLine) -> bool:
    """Whether a word is long enough; strays of three kinds do not stand in a plain line."""
    return line.longest >= _GIANT


def find_fragments(passage: Passage, asked: Asked, languages: Languages) -> Finding | None:
    """Words in pieces with strays of three kinds among them, or little but giant words."""
    if passage.line is not None and not _may_hold_giants(passage.line):
        return None
    text = without_references(passage.prose)
    parts = chunks(text)
    may_be_pieces = not are_whole(text, parts) or _may_be_pieces(text)
    may_be_giants = passage.longest >= _GIANT
    if not (may_be_pieces or may_be_giants) or asked.has("symbols", "template", "case"):
        return None
    for start, end in parts if may_be_pieces else ():
        found = _pieces(text[start:end], languages)
        if found is not None and found.extent is not None:
            return Finding(found.kind, found.sentence, (start + found.extent[0], start + found.extent[1]))
    return _giants(text, asked, languages) if may_be_giants else None


def _may_be_pieces(text: str) -> bool:
    """Whether strays of kinds enough stand in the whole text: two at least need a sign of their own."""
    if sum(sign.search(text) is not None for sign in _STRAY_SIGNS) < _LEAST_KINDS - 1:
        return False
    return sum(kind.search(text) is not None for kind in _STRAYS) >= _LEAST_KINDS


def _pieces(text: str, languages: Languages) -> Finding | None:
    """A quarter of the words are short and no function word, and strays of three kinds stand among them."""
    words = list(_WORD.finditer(text))
    short = [found for found in words if len(found.group()) <= _SHORT and found.group().lower() not in languages]
    if sum(found.group().islower() for found in short) < _LEAST_LOWER:
        return None
    if len(short) < _LEAST_SHORT or len(short) < _SHORT_SHARE * len(words):
        return None
    strays = [list(kind.finditer(text)) for kind in _STRAYS]
    if sum(map(bool, strays)) < _LEAST_KINDS or sum(map(len, strays)) < _LEAST_STRAYS:
        return None
    pieces = ", ".join(found.group() for found in short[:5])
    sentence = f"{len(short)} of {len(words)} words are splinters: {shown(pieces)}"
    return Finding("token_soup", sentence, (short[0].start(), short[-1].end()))


def _giants(text: str, asked: Asked, languages: Languages) -> Finding | None:
    """Two giant words or more that make most of the letters, or one with function words inside it."""
    if asked.has("words", "languages", "repetition"):
        return None
    least = _GIANT_GERMAN if "de" in asked.languages else _GIANT
    words = list(_WORD.finditer(text))
    giants = [found for found in words if len(found.group()) >= least and found.group()[1:].islower()]
    letters = sum(len(found.group()) for found in words)
    if not giants or sum(len(found.group()) for found in giants) < _GIANT_SHARE * letters:
        return None
    if _ASKS_LONG_WORDS.search(asked.prompt):
        return None
    if not any(char.isascii() and char.isalpha() for char in giants[0].group()):
        return None
    if len(giants) == 1 and not _is_glued(giants[0].group().lower(), languages):
        return None
    sentence = (
        f"{len(giants)} words of more than {least - 1} letters are most of the answer: {shown(giants[0].group())}"
    )
    return Finding("token_soup", sentence, (giants[0].start(), giants[-1].end()))


def _is_glued(word: str, languages: Languages) -> bool:
    """Whether a long word holds three different function words of three letters or more."""
    word = word[:_LOOKED_AT]
    inside = {word[at : at + size] for size in (3, 4, 5) for at in range(len(word) - size + 1)}
    return len(word) >= _GIANT_ALONE and sum(part in languages for part in inside) >= _SMALL_WORDS
