"""Finds text that is no writing: broken characters, mixed scripts, impossible words, debris of markup."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.drift import unquoted_prose
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.languages import SCRIPTS, is_latin, script_numbers
from evalkit.judging.collapse.odd_words import (
    LEAST_ODD,
    LONGEST_WORD,
    LOOKED_AT,
    WORD,
    find_odd_words,
    is_misspelt,
    may_be_odd,
)
from evalkit.judging.collapse.plain_line import PlainLine
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.collapse.stretches import are_whole, chunks, without_references
from evalkit.judging.masking import Extent

_BAD = re.compile("[\ufffd\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]+|[\ue000-\uf8ff]+")
_MIXED = re.compile(r"[^\W\d_]{2,}")
_CLUSTER = re.compile(r"[^\w\s]{2,}")
_COMMON_CLUSTER = re.compile(
    r"""[*_~`#>|=+-]+|\.{2,}|…+|[?!]{1,6}|[)\]}"'”’»*_]*[.,;:?!…]{1,3}[)\]}"'”’»*_]*[—–-]{0,2}"""
    r"""|[.,;:?!]?[—–-]{0,3}["'“‘«(\[{*_$#¿¡]+|[)\]"'”’»*_%°]+[—–(-]*|['’"”],?|[^\x00-\x7f]+|[:;]-?[()DPp/]|<3"""
    r"""|\W?[$€£%°]+\W?|->|=>|<-|[<>]=|[+*/^=()\[\]<>−×÷·|-]+"""
)
_GLUED = re.compile(
    r"[^\W\d_]{2}(?:[,;:!?)\]>}]|\.(?!(?:com|org|net|io|py|js|ai|de|es|co|uk|exe|gov|edu)\b))(?=[^\W\d_]{2,})"
)
_GLUE = re.compile(r"(?<=[^\W\d_]{2})[,;:!?)\]>}.](?=[^\W\d_]{2})")
_TAG = re.compile(r"<(/?)([A-Za-z][\w.-]{1,40})\s?[^<>\n]{0,40}>|</([A-Za-z][\w. -]{1,40})(?=[\]\n]|$)")
_HTML = re.compile(
    r"a|abbr|b|big|blockquote|body|br|button|center|code|col|dd|del|details|div|dl|dt|em|font|footer|"
    r"form|h1|h2|h3|h4|head|header|hr|html|i|img|input|ins|kbd|label|li|link|main|mark|meta|nav|ol|"
    r"option|p|pre|q|s|script|section|select|small|span|strike|strong|style|sub|summary|sup|svg|table|"
    r"tbody|td|textarea|th|thead|title|tr|u|ul|video|think|thinking|answer"
)
_RULE = re.compile(r"([_=*~─━·-])\1{2,}|\.{4,}(?=\s*\w)")
_SHORT = 240
_FRAGMENT = 90
_LEAST_SHORT_DEBRIS, _LEAST_DEBRIS = 2, 4
_LEAST_TAGS = 3
_PILED = re.compile("[\u0300-\u036f]")
_PLAIN_SHARE = 0.4
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalnum())


def _may_be_soup(line: PlainLine, policy: DegenerationPolicy) -> bool:
    """Whether there are odd words enough, or one that is too long: in a plain line nothing else is soup."""
    if line.longest > LONGEST_WORD:
        return True
    limit = policy.odd_word_score
    return sum([is_misspelt(word, limit) for word in line.words if len(word) >= LOOKED_AT]) >= LEAST_ODD


def find_soup(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """The first sign that a passage is not writing."""
    if passage.line is not None and not _may_be_soup(passage.line, policy):
        return None
    found = _bad_characters(passage)
    if found is not None or asked.has("symbols"):
        return found
    text = unquoted_prose(passage) if passage.line is not None else without_references(unquoted_prose(passage))
    return (
        _mixed_words(text, asked)
        or _many_scripts(text, asked)
        or _in_chunks(text, passage, asked, policy)
        or _tags(passage.prose, asked)
        or _symbols(text, passage)
    )


def _in_chunks(text: str, passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """Odd words and debris in the whole text, or in any part of it."""
    parts = chunks(text)
    looks_odd = looks_broken = True
    if are_whole(text, parts):
        looks_odd, looks_broken = may_be_odd(text, policy), _may_be_debris(text, passage)
    for start, end in parts if looks_odd or looks_broken else ():
        part = text[start:end]
        found = find_odd_words(part, asked, policy) if looks_odd else None
        found = found or (_debris(part, passage, policy) if looks_broken else None)
        if found is not None and found.extent is not None:
            first, last = found.extent
            return Finding(found.kind, found.sentence, (start + first, start + last))
    return None


def _may_be_debris(text: str, passage: Passage) -> bool:
    """Whether the whole text holds as many heaps of marks and glued words as a part needs, and not commas alone."""
    is_short = len(passage.text) <= _SHORT
    heaps = [heap for heap in _CLUSTER.findall(text) if len(heap) > (1 if is_short else 2)]
    heaps = [heap for heap in heaps if _COMMON_CLUSTER.fullmatch(heap) is None]
    glue = _GLUE.findall(text)
    is_list = not heaps and set(glue) <= set(",;")
    return not is_list and len(heaps) + len(glue) >= (_LEAST_SHORT_DEBRIS if is_short else _LEAST_DEBRIS)


def _bad_characters(passage: Passage) -> Finding | None:
    bad = list(_BAD.finditer(passage.text))
    number = sum(found.end() - found.start() for found in bad)
    if number >= 3 and number > 0.01 * len(passage.text):
        sentence = f"{number} characters of {passage.part} are broken"
        return Finding("token_soup", sentence, (bad[0].start(), bad[-1].end()))
    if passage.text.isascii():
        return None
    if len(_PILED.findall(passage.text)) > max(20, 0.3 * len(passage.text)):
        marks = [found.start() for found in _PILED.finditer(passage.text)]
        sentence = f"{len(marks)} marks are piled on the letters of {passage.part}"
        return Finding("token_soup", sentence, (marks[0], marks[-1] + 1))
    return None


def _mixed_words(text: str, asked: Asked) -> Finding | None:
    """Two words or more whose letters come from two alphabets; the prompt's own do not count."""
    if is_latin(text):
        return None
    numbers = script_numbers(text)
    free = frozenset(SCRIPTS.index(name) for name in ("Han", "Kana", "Hangul", "Thai"))
    known = set(_MIXED.findall(asked.prompt))
    mixed: dict[str, Extent] = {}
    changes = (numbers[1:] != numbers[:-1]) & (numbers[1:] > 0) & (numbers[:-1] > 0)
    checked = -1
    for place in np.flatnonzero(changes).tolist():
        if place < checked:
            continue
        found = _word_around(text, place)
        checked = found[1]
        scripts = set(numbers[found[0] : found[1]].tolist()) - {0}
        word = text[found[0] : found[1]]
        if scripts & free or word in known or _is_unit(word):
            continue
        mixed.setdefault(word, found)
    if len(mixed) < 2:
        return None
    first, *_, last = mixed.values()
    words = ", ".join(list(mixed)[:3])
    return Finding("token_soup", f"words mix alphabets: {shown(words)}", (first[0], last[1]))


def _word_around(text: str, place: int) -> Extent:
    start, end = place, place + 1
    while start > 0 and place - start < 60 and text[start - 1].isalpha():
        start -= 1
    while end < len(text) and end - place < 60 and text[end].isalpha():
        end += 1
    return start, end


def _is_unit(word: str) -> bool:
    """A Greek letter beside Latin ones, as in formulas: μm, Δx, αβ."""
    greek = sum("\u0370" <= char <= "\u03ff" for char in word)
    return greek == 1 or (greek > 0 and len(word) <= 4)


def _many_scripts(text: str, asked: Asked) -> Finding | None:
    """Letters of two alphabets or more that neither the prompt nor its language knows, in one text."""
    if is_latin(text) or asked.has("languages") or not asked.scripts:
        return None
    numbers = script_numbers(text)
    counts = np.bincount(numbers, minlength=len(SCRIPTS))
    names = {SCRIPTS[number] for number in np.flatnonzero(counts).tolist() if number}
    foreign = names - asked.scripts - {"Latin", "Greek"}
    foreign -= {"Han"} if "Kana" in foreign else set()
    if len(foreign) < 2 or counts[[SCRIPTS.index(name) for name in foreign]].sum() < 4:
        return None
    places = np.flatnonzero(np.isin(numbers, [SCRIPTS.index(name) for name in foreign]))
    listed = ", ".join(sorted(foreign))
    return Finding("token_soup", f"letters of {listed} stand among each other", (int(places[0]), int(places[-1]) + 1))


def _debris(text: str, passage: Passage, policy: DegenerationPolicy) -> Finding | None:
    """Marks piled up as no writing has them, and words glued by them; long texts may hold names of programs."""
    words = len(WORD.findall(text))
    is_short = len(passage.text) <= _SHORT
    clusters = [
        found
        for found in _CLUSTER.finditer(text)
        if len(found.group()) > (1 if is_short else 2) and not _COMMON_CLUSTER.fullmatch(found.group())
    ]
    glued = [found for found in _GLUED.finditer(text) if len(passage.text) <= _FRAGMENT or _is_glued(text, found)]
    number = len(clusters) + len(glued)
    least = _LEAST_SHORT_DEBRIS if is_short else _LEAST_DEBRIS
    is_list = not clusters and {match.group()[-1] for match in glued} <= set(",;")
    if is_list or number < least or number < policy.debris_share * words * (1 if is_short and number > 2 else 2):
        return None
    if not is_short and words < least:
        return None
    found = sorted([*clusters, *glued], key=lambda match: match.start())
    sentence = (
        f"{passage.part} holds {number} heaps of marks or glued words among {words} words: {shown(found[0].group())}"
    )
    return Finding("token_soup", sentence, (found[0].start(), found[-1].end()))


def _is_glued(text: str, found: re.Match[str]) -> bool:
    """Whether a mark glues two words of prose, and not the parts of a name like ``os.path``."""
    mark, following = found.group()[-1], text[found.end() : found.end() + 2]
    return mark in ",;!?" or (mark == "." and following[:1].isupper() and following[1:].islower())


def _tags(visible: str, asked: Asked) -> Finding | None:
    """Three closing tags or more of elements that nobody opened and that do not exist."""
    if visible.count("</") < _LEAST_TAGS:
        return None
    opened: set[str] = set()
    stray: list[re.Match[str]] = []
    for found in _TAG.finditer(visible):
        name = (found.group(2) or found.group(3) or "").lower()
        if found.group(2) and not found.group(1):
            opened.add(name)
        elif _HTML.fullmatch(name) is None and name not in opened:
            stray.append(found)
    names = {found.group().lower() for found in stray}
    if len(names) < _LEAST_TAGS:
        return None
    sentence = f"closing tags that close nothing: {shown(' '.join(found.group() for found in stray[:3]))}"
    return Finding("token_soup", sentence, (stray[0].start(), stray[-1].end()))


def _may_be_symbols(text: str) -> bool:
    """Whether the letters and digits of English alone are too few."""
    plain = len(text.encode("ascii", "ignore").translate(None, _NO_LETTERS))
    return plain < _PLAIN_SHARE * (len(text) - text.count(" ") - text.count("\n"))


def _symbols(text: str, passage: Passage) -> Finding | None:
    """A passage that is mostly signs which are neither letters nor digits nor pictures."""
    if not _may_be_symbols(text):
        return None
    seen = [char for char in _RULE.sub(" ", text) if not char.isspace() and char not in "()-/*^"]
    seen = [char for char in seen if unicodedata.category(char) != "Sm"]
    if len(seen) < 12:
        return None
    plain = sum(char.isalnum() or unicodedata.category(char) in ("So", "Mn", "Mc", "Cf", "Sk") for char in seen)
    if plain >= _PLAIN_SHARE * len(seen) or any(unicodedata.category(char) == "So" for char in seen[:50]):
        return None
    kinds = {char for char in seen if not char.isalnum()}
    words = len(WORD.findall(text))
    if len(kinds) < 4 and words == 0:
        return None
    sentence = f"only {plain} of {len(seen)} characters of {passage.part} are letters or digits"
    return Finding("token_soup", sentence, (0, len(text)))
