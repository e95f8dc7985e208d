"""Finds what tokenizers and source files leave in prose: subword marks, escapes, names of code."""

from __future__ import annotations

import re

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.languages import is_latin
from evalkit.judging.collapse.stretches import are_whole, chunks
from evalkit.judging.pattern_set import PatternSet

_SUBWORD = re.compile(
    r"(?<=[^\W\d_])##(?=[^\W\d_])|(?<=[^\s#])[ \t]##(?=[^\W\d_])|Ġ(?=\w)|"
    r"(?<![▁-█])▁(?![▁-█])|\w@@(?=\s)|\w</w>|<0x[0-9A-F]{2}>"
)
_SUBWORD_SIGNS = ("##", "Ġ", "▁", "@@", "</w>", "<0x")
_KINDS = PatternSet(
    dict(enumerate((
        r"\|{3,}|(?<=\w)\|\|(?=\s)", r"\b__\w+|\w__(?!\w)", r"(?<![\w/.])[^\W\d_]+_[^\W_]+", r";;+",
        r"\]\]|\[\]|\}\}|\{\{", r"(?<=\w)>>|>>(?=\w)", r"\bNULL\b|\bundefined\b|\bNaN\b",
        r"(?<![\w/.@])[a-zà-ÿ]{2,}[A-Z][a-zà-ÿ]+", r"\$\$|@@(?=\w)", r"\\[xu][0-9a-fA-F]{2}|\\[nrt](?!\w)", r"##",
        r"\w\(\)(?=\w)|\w\([^()\n]*[<>=\[_][^()\n]*\)|\.\w+\([ ]?\)", r"(?<=\s)</?\w+(?=\s)",
        r"\w::|::(?=\w)", r"(?<=[^\W\d])(?:[<>]=?|[=!]=)(?=\w)|(?<=\w)->|->(?=\w)", r"/\*|\*/",
        r"(?<=[^\W\d_])[{}](?=[^\W\d_]|\s)", r"(?<=[^\W_])_(?=\s)", r"\b\w+\[\w{0,3}\](?!\()|\+\+(?=\s)",
        r"(?<=\s)(?:nullptr|elif|endif|println|printf|getattr|setattr|isinstance|strcat|sizeof|typedef|argv|stdout)\b",
    ))),
    re.NOFLAG,
)  # fmt: skip
_SCRIPTS = tuple(
    (script, re.compile(letters))
    for script, letters in (
        ("Cyrillic", "[\u0400-\u052f]+"), ("Han", "[\u3400-\u9fff]+"), ("Kana", "[\u3041-\u30fa]+"),
        ("Arabic", "[\u0620-\u06d5]+"), ("Hangul", "[\uac00-\ud7af]+"), ("Devanagari", "[\u0900-\u097f]+"),
    )
)  # fmt: skip
_CODE_LINE = re.compile(
    r"[;{}][ \t]*$|^[ \t]*(?:def|class|import|from|return|const|let|var|if|for|while|public|#include)\b[^.\n]*$",
    re.MULTILINE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_MIN_SUBWORDS = 3
_MIN_KINDS = 4
_MIN_SHARE = 0.12
_CODE_LINES = 2


def find_debris(passage: Passage, asked: Asked) -> Finding | None:
    """Three marks that glue subwords, or four kinds of debris in one stretch of prose.

    A plain line holds two kinds at most, which words of programs are.
    """
    if passage.line is not None:
        return None
    text = passage.prose
    kinds = [_KINDS[number] for number in sorted(_KINDS.candidates(text))]
    if not is_latin(text):
        kinds += [letters for script, letters in _SCRIPTS if asked.scripts and script not in asked.scripts]
    if (len(kinds) < _MIN_KINDS and not _may_be_subwords(text)) or asked.has("symbols", "template"):
        return None
    first, last, number = _subwords(text) if _may_be_subwords(text) else (None, None, 0)
    if first and last and number >= _MIN_SUBWORDS and number >= 0.02 * len(_WORD.findall(text)):
        place = text[max(0, first.start() - 8) : first.end() + 8].strip()
        sentence = f"{passage.part} holds {number} marks of subwords: {shown(place)}"
        return Finding("token_soup", sentence, (first.start(), last.end()))
    parts = chunks(text)
    if are_whole(text, parts):
        kinds = [kind for kind in kinds if kind.search(text)]
    if len(kinds) < _MIN_KINDS or len(_CODE_LINE.findall(text)) >= _CODE_LINES:
        return None
    for start, end in parts:
        part = text[start:end]
        found = [kind for kind in (pattern.search(part) for pattern in kinds) if kind is not None]
        if len(found) < _MIN_KINDS:
            continue
        number = sum(len(kind.findall(part)) for kind in kinds)
        if number >= _MIN_SHARE * len(_WORD.findall(part)):
            found.sort(key=lambda match: match.start())
            shown_kinds = shown(" ".join(match.group().strip() for match in found))
            sentence = f"{len(found)} kinds of debris stand in the sentences of {passage.part}: {shown_kinds}"
            return Finding("token_soup", sentence, (start + found[0].start(), start + found[-1].end()))
    return None


def _may_be_subwords(text: str) -> bool:
    """Whether there is one of the signs that subwords are marked with."""
    return any(sign in text for sign in _SUBWORD_SIGNS)


def _subwords(text: str) -> tuple[re.Match[str] | None, re.Match[str] | None, int]:
    """The first mark of a subword, the last one, and how many there are."""
    first = last = None
    number = 0
    for last in _SUBWORD.finditer(text):
        first = first or last
        number += 1
    return first, last, number
